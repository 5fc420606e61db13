"""``python -m tests.support.draft_migration "What changes."`` writes the next step into bot/storage/migrations."""

import asyncio
import sys
import tempfile
from pathlib import Path

from bot.storage.migrate import draft, upgrade
from bot.storage.sql import Base, Database
from tests.support.tables import import_all_tables


async def main(message: str) -> None:
    """Compare the newest schema with the tables and print what was written."""
    import_all_tables()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite+aiosqlite:///{Path(folder) / 'empty.db'}")
        await upgrade(database)
        written = await draft(database, Base.metadata, message)
        await database.close()
    print(written or "Nothing differs.")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
