"""``python -m tests.support.draft_migration "What changes."`` writes the next step into bot/storage/migrations.

Read what it writes: a renamed column looks like one dropped and one added, and rows that need care are not seen.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from bot.storage.migrate import VERSIONS, draft, upgrade
from bot.storage.sql import Base, Database
from tests.support.tables import import_all_tables


async def write_next_step(message: str, *, versions: Path = VERSIONS) -> Path | None:
    """Compare the newest step's schema with the tables of the code; return the file, ``None`` if nothing differs."""
    import_all_tables()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite+aiosqlite:///{Path(folder) / 'empty.db'}")
        await upgrade(database, versions=versions)
        written = await draft(database, Base.metadata, message, versions=versions)
        await database.close()
    return written


def main(message: str) -> None:
    """Write the step in the house's format and print its path."""
    written = asyncio.run(write_next_step(message))
    if written is None:
        print("Nothing differs.")
        return
    for command in ("format", "check --fix", "format"):
        subprocess.run([sys.executable, "-m", "ruff", *command.split(), "--quiet", written], check=True)
    print(written)


if __name__ == "__main__":
    main(sys.argv[1])
