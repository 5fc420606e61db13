"""INSERT … ON CONFLICT on either database."""

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from bot.storage.sql import Base


def insert_or(session: AsyncSession, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT for the session's database that takes ``on_conflict_do_…``."""
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)
