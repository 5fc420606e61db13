"""The day at a site: who is expected when, who has come, and finding somebody at the door by a few digits.

The list is for the site itself, so it holds as little as it can: time, name, the last of the number, items and needs.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Date, Select, case, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import Programme, ProgrammeRow, Site, SiteRow, Slot, SlotRow
from bot.programmes.rows import programme_row, site_of, slot_of
from bot.programmes.snapshots import JsonValue
from bot.registrations.answers import AnswerSheet
from bot.registrations.errors import UnknownSite
from bot.registrations.models import Registration
from bot.registrations.sealing import Sealer
from bot.registrations.statuses import Status
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.texts import normalise

EXPECTED = (Status.APPROVED, Status.COMPLETED, Status.NO_SHOW)
"""Who stands on the list of a day: who has a place, and what became of them later."""
TAIL_CHARS = 4
FEWEST_DIGITS = 2


@dataclass(frozen=True, slots=True)
class SiteDay:
    """A site on one day: how many are expected, and how many of them have come."""

    site: Site
    programme_title: str
    expected: int
    arrived: int


@dataclass(frozen=True, slots=True)
class SitePlace:
    """Where a page of sites and days ended."""

    day: date
    county: str
    site_id: int


@dataclass(frozen=True, slots=True)
class Expected:
    """One person on the list. ``number_tail``: the last four of the identity number (empty where there is none)."""

    receipt: str
    name: str
    number_tail: str
    status: Status
    items: str
    needs: str
    checked_in_at: datetime | None

    @property
    def has_come(self) -> bool:
        return self.checked_in_at is not None or self.status is Status.COMPLETED


@dataclass(frozen=True, slots=True)
class SlotList:
    """A time of the day with everybody who is expected then, by name."""

    slot: Slot
    people: tuple[Expected, ...]


@dataclass(frozen=True, slots=True)
class DayList:
    """A site's whole day. ``named`` says whether names are in plain."""

    site: Site
    programme: Programme
    day: date
    slots: tuple[SlotList, ...]
    named: bool

    @property
    def people(self) -> Sequence[Expected]:
        return [person for one in self.slots for person in one.people]


class AttendanceDesk:
    """Reads for the door. Who came is recorded by ``ReviewService.check_in``."""

    def __init__(self, database: Database, cipher: FieldCipher, audit: AuditWriter, sheet: AnswerSheet) -> None:
        self._database = database
        self._sheet = sheet
        self._sealer = Sealer(cipher)
        self._audit = audit

    async def days(
        self, first: date, last: date, *, county: str | None, after: SitePlace | None = None, limit: int | None = None
    ) -> tuple[tuple[date, SiteDay], ...]:
        """Return every site that expects somebody between two days, in ``county`` (``None``: anywhere).

        They stand by day, county and number; ``after`` continues behind one of them.
        """
        query = _per_site(first, last, county).limit(limit)
        if after is not None:
            behind = (literal(after.day, Date), literal(after.county), literal(after.site_id))
            query = query.where(tuple_(SlotRow.day, SiteRow.county, SiteRow.id) > tuple_(*behind))
        async with self._database.reading() as session:
            rows = (await session.execute(query)).all()
            wanted = {programme_id for _, _, programme_id, _, _ in rows}
            documents = await session.scalars(select(ProgrammeRow.document).where(ProgrammeRow.id.in_(wanted)))
            titles = {programme.id: programme.title for programme in documents}
        return tuple(
            (day, SiteDay(site_of(site), titles[programme_id], expected, arrived))
            for day, site, programme_id, expected, arrived in rows
        )

    async def day_list(self, site_id: int, day: date) -> DayList:
        """Return who is expected, with masked names; raises UnknownSite."""
        async with self._database.reading() as session:
            return await self._read(session, site_id, day, named=False)

    async def named_list(self, site_id: int, day: date, *, by: str, reason: str, source: str) -> DayList:
        """Return the list with names in plain, to print for the site; an audit row says who and why."""
        async with self._database.transaction() as session:
            found = await self._read(session, site_id, day, named=True)
            why = f"{len(found.people)}:{reason.strip()}"[:200]
            record = AuditRecord(by, "registrations:day_list:print", "site", f"{site_id}#{day}", why, source)
            await self._audit.append(session, record)
            return found

    async def find(self, site_id: int, day: date, typed: str) -> tuple[Expected, ...]:
        """Return who is meant by a receipt or its last digits among those expected; none for less than two digits."""
        digits = re.sub(r"[^0-9]", "", normalise(typed))
        if len(digits) < FEWEST_DIGITS:
            return ()
        found = await self.day_list(site_id, day)
        return tuple(one for one in found.people if re.sub(r"[^0-9]", "", one.receipt).endswith(digits))

    async def _read(self, session: AsyncSession, site_id: int, day: date, *, named: bool) -> DayList:
        site = await session.get(SiteRow, site_id)
        if site is None:
            raise UnknownSite(site=site_id)
        programme = (await programme_row(session, site.programme_id)).document
        slots = select(SlotRow).where(SlotRow.site_id == site_id, SlotRow.day == day).order_by(SlotRow.start)
        times = [slot_of(row) for row in await session.scalars(slots)]
        query = select(Registration).where(
            Registration.slot_id.in_([slot.id for slot in times]),
            Registration.status.in_([status.value for status in EXPECTED]),
        )
        people: dict[int | None, list[Expected]] = {}
        for row in await session.scalars(query.order_by(Registration.name_masked, Registration.id)):
            people.setdefault(row.slot_id, []).append(self._expected(row, programme, named=named))
        lists = tuple(SlotList(slot, tuple(people.get(slot.id, ()))) for slot in times)
        return DayList(site_of(site), programme, day, lists, named)

    def _expected(self, row: Registration, programme: Programme, *, named: bool) -> Expected:
        answers = self._sealer.open_answers(row)
        number = self._sealer.open_field(row, "id_number") or ""
        return Expected(
            receipt=row.receipt,
            name=(self._sealer.open_field(row, "name") or "") if named else row.name_masked,
            number_tail=number[-TAIL_CHARS:],
            status=Status(row.status),
            items=_chosen(programme, "items", answers.get("hs_items")),
            needs=self._sheet.text("hs_needs", answers.get("hs_needs")),
            checked_in_at=row.checked_in_at,
        )


def _per_site(first: date, last: date, county: str | None) -> Select[date, SiteRow, str, int, int]:
    came = case((Registration.checked_in_at.is_not(None), 1), else_=0)
    # From the slots of the days to who is in them. As a plain column the status would tempt SQLite to go through
    # everybody with one of these statuses instead: ten seconds with a million of them.
    status = func.coalesce(Registration.status, "")
    query = (
        select(SlotRow.day, SiteRow, SiteRow.programme_id, func.count(Registration.id), func.sum(came))
        .select_from(SlotRow)
        .join(SiteRow, SiteRow.id == SlotRow.site_id)
        .join(Registration, Registration.slot_id == SlotRow.id)
        .where(SlotRow.day >= first, SlotRow.day <= last)
        .where(status.in_([one.value for one in EXPECTED]))
        .group_by(SlotRow.day, SiteRow.id)
        .order_by(SlotRow.day, SiteRow.county, SiteRow.id)
    )
    return query if county is None else query.where(SiteRow.county == county)


def _chosen(programme: Programme, question: str, value: JsonValue) -> str:
    labels = {choice.code: choice.label for choice in programme.choices.get(question, ())}
    codes = value if isinstance(value, list) else [value] if value else []
    return "、".join(labels.get(str(code), str(code)) for code in codes)
