"""Filling the columns that lists look into, for rows from before there were any.

The key is not in the database, so that no migration can do it: the worker does, a batch a minute.
"""

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.registrations.models import Registration
from bot.registrations.sealing import Sealer
from bot.storage.encryption import SealBroken
from bot.storage.sql import Database

log = structlog.get_logger(__name__)

BATCH_ROWS = 500
UNREADABLE = "unreadable"
"""Stands in place of the hash of a name that does not open, so that the row is not tried for ever."""


class LookupColumns:
    """Derives name hashes and categories from what is sealed beside them."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def derive(self, *, limit: int = BATCH_ROWS) -> int:
        """Fill the columns of the next rows that lack them and return how many there were."""
        async with self._database.reading() as session:
            if not await _lacking(session, limit):
                return 0
        async with self._database.transaction() as session:
            ids = await _lacking(session, limit)
            rows = select(Registration).where(Registration.id.in_(ids)).with_for_update(skip_locked=True)
            for row in await session.scalars(rows):
                self._fill(row)
            return len(ids)

    def _fill(self, row: Registration) -> None:
        try:
            self._sealer.derive(row)
        except SealBroken:
            log.error("a registration does not open", receipt=row.receipt)
            row.name_hash = UNREADABLE


async def _lacking(session: AsyncSession, limit: int) -> list[int]:
    query = select(Registration.id).where(Registration.name_hash.is_(None), Registration.name_sealed.is_not(None))
    return list(await session.scalars(query.order_by(Registration.id).limit(limit)))
