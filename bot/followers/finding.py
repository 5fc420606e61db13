"""Finding a follower for staff: by receipt, name, phone, identity number or OpenID, without opening anything."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, select

from bot.followers.models import Follower
from bot.legal.models import LegalCase
from bot.programmes.models import ProgrammeRow
from bot.registrations.models import Registration
from bot.registrations.searching import Search, SearchKey
from bot.registrations.statuses import Status
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.problem import Problem
from bot.values.receipts import ReceiptNumber

FOUND_MAX = 20
"""How many people one name or phone may lead to; staff tell them apart by a receipt."""
ROWS_MAX = 5 * FOUND_MAX
"""Of how many registrations, the newest first, the holders are told apart."""
_OPENID = re.compile(r"[A-Za-z0-9_-]{6,64}")


@dataclass(frozen=True, slots=True)
class Latest:
    """A registration by which staff tell one follower from another."""

    receipt: str
    programme_title: str
    status: Status
    name_masked: str


class FollowerFinder:
    """Looks people up by keyed hashes."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._search = Search(cipher)

    async def find(self, typed: str, today: date) -> list[str] | Problem:
        """Return the OpenIDs that fit, ``FOUND_MAX`` at most, who registered last first.

        A Problem says what cannot be looked for.
        """
        text = typed.strip()
        if _OPENID.fullmatch(text) and (known := await self._by_openid(text)):
            return known
        key = self._search.read(text, today)
        match key:
            case Problem():
                return key
            case ReceiptNumber():
                return await self._by_receipt(str(key))
            case SearchKey():
                return await self._holders(key.condition)

    async def _by_openid(self, openid: str) -> list[str]:
        async with self._database.reading() as session:
            for column in (Follower.openid, Registration.openid, LegalCase.openid):
                found = await session.scalar(select(column).where(column == openid).limit(1))
                if found is not None:
                    return [found]
        return []

    async def _by_receipt(self, receipt: str) -> list[str]:
        case = select(LegalCase.openid).where(LegalCase.receipt == receipt)
        async with self._database.reading() as session:
            found = await session.scalar(case)
        return [found] if found is not None else await self._holders(Registration.receipt == receipt)

    async def _holders(self, condition: ColumnElement[bool]) -> list[str]:
        # What was erased or came from a unit's list has no follower behind it. The rows are bounded along their own
        # index before their holders are told apart: an order by OpenID would be walked through the whole table.
        newest = (
            select(Registration.openid, Registration.created_at)
            .where(condition, Registration.erased_at.is_(None))
            .order_by(Registration.created_at.desc(), Registration.id.desc())
            .limit(ROWS_MAX)
            .subquery()
        )
        latest = func.max(newest.c.created_at)
        wanted = select(newest.c.openid).group_by(newest.c.openid).order_by(latest.desc(), newest.c.openid)
        async with self._database.reading() as session:
            return list(await session.scalars(wanted.limit(FOUND_MAX)))

    async def latest(self, openids: Sequence[str], *, each: int) -> Mapping[str, Sequence[Latest]]:
        """Return the newest registrations of several followers, ``each`` at most of one, in two queries."""
        newest = (Registration.created_at.desc(), Registration.id.desc())
        columns = (
            Registration.openid,
            Registration.receipt,
            Registration.programme_id,
            Registration.status,
            Registration.name_masked,
            func.row_number().over(partition_by=Registration.openid, order_by=newest).label("place"),
        )
        ranked = select(*columns).where(Registration.openid.in_(openids)).subquery()
        found: dict[str, list[Latest]] = {openid: [] for openid in openids}
        async with self._database.reading() as session:
            rows = (
                await session.execute(select(ranked).where(ranked.c.place <= each).order_by(ranked.c.place))
            ).all()
            wanted = ProgrammeRow.id.in_({row.programme_id for row in rows})
            titles = {one.id: one.title for one in await session.scalars(select(ProgrammeRow.document).where(wanted))}
        for row in rows:
            found[row.openid].append(
                Latest(row.receipt, titles[row.programme_id], Status(row.status), row.name_masked)
            )
        return found
