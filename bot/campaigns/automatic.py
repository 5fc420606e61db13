"""Messages that go out by themselves: before an appointment, after a service, when a programme opens.

Each is planned once for its registration (or wish), and looked at again when it is due: an appointment that moved or
was cancelled since then is not reminded of.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns.content import MenuChoice
from bot.campaigns.models import AutomaticRule, Occasion, OccasionState, OpeningWish, OptOut
from bot.campaigns.standard import standard_texts
from bot.programmes.models import ProgrammeRow, ProgrammeStatus, SiteRow, SlotRow
from bot.registrations.models import Registration
from bot.registrations.statuses import Status
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.sql import Database
from bot.values.clock import LOCAL_ZONE, Clock

PLANNED_AT_ONCE = 500
LEASE = timedelta(minutes=2)
LATEST_MINUTE = 21 * 60
"""Nothing goes out by itself later in the evening; what is late then is not sent at all."""
OPENING_LASTS = timedelta(days=3)
AGAIN_AFTER = timedelta(minutes=15)
ATTEMPTS_MAX = 30


class RuleKind(StrEnum):
    """On what occasion a message goes out."""

    APPOINTMENT = "appointment"
    FOLLOW_UP = "follow_up"
    OPENING = "opening"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as staff write it. ``days`` are those before the appointment, or after the service.

    ``body`` may name {项目}, {日期}, {时间}, {地点} and {回执号}. An empty ``programme_id`` means every programme.
    ``choices`` are the buttons below it; ``None`` keeps those that are stored and gives a new rule the standard ones.
    """

    kind: RuleKind
    body: str
    days: int = 0
    at_minute: int = 9 * 60
    programme_id: str = ""
    template_id: str = ""
    is_on: bool = True
    id: int = 0
    choices: tuple[MenuChoice, ...] | None = None


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A message to send now; ``values`` fill its placeholders, ``key`` is the same however often it is taken."""

    id: int
    key: str
    openid: str
    kind: RuleKind
    body: str
    template_id: str
    values: Mapping[str, str]
    attempts: int
    choices: tuple[MenuChoice, ...] = ()


class AutomaticMessages:
    """The rules, and what is planned by them."""

    def __init__(self, database: Database, clock: Clock, *, trail: AuditWriter) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail

    async def rules(self) -> list[Rule]:
        """Return every rule."""
        async with self._database.reading() as session:
            return [_rule(row) for row in await session.scalars(select(AutomaticRule).order_by(AutomaticRule.id))]

    async def save(self, rule: Rule, *, by: str, source: str = "") -> Rule:
        """Store a rule (``id`` 0: a new one) and return it."""
        async with self._database.transaction() as session:
            row = await session.get_one(AutomaticRule, rule.id) if rule.id else AutomaticRule()
            row.kind, row.programme_id, row.days, row.at_minute = (
                rule.kind.value,
                rule.programme_id,
                rule.days,
                rule.at_minute,
            )
            row.body, row.template_id, row.is_on = rule.body, rule.template_id, rule.is_on
            if rule.choices is not None:
                row.choices = [asdict(choice) for choice in rule.choices]
            elif not rule.id:
                row.choices = [asdict(choice) for choice in standard_texts()[rule.kind.value].choices]
            row.edited_by, row.edited_at = by, self._clock.now()
            session.add(row)
            await session.flush()
            await self._trail.append(
                session, AuditRecord(by, "campaigns:rule:edit", "campaign_rule", str(row.id), source=source)
            )
            return _rule(row)

    # Planning ---------------------------------------------------------------------------------------------------

    async def plan(self) -> int:
        """Plan what is due today by every rule that is on; return how many messages are new."""
        return sum([await self._plan(rule) for rule in await self.rules() if rule.is_on])

    async def _plan(self, rule: Rule) -> int:
        now = self._clock.now()
        due_at = _at(now, rule.at_minute)
        if now < due_at or now >= _at(now, LATEST_MINUTE):
            return 0
        async with self._database.reading() as session:
            match rule.kind:
                case RuleKind.APPOINTMENT:
                    rows = await self._appointments(session, rule, due_at)
                case RuleKind.FOLLOW_UP:
                    rows = await self._follow_ups(session, rule, due_at)
                case RuleKind.OPENING:
                    rows = await self._openings(session, rule, now)
        return await self._add(rows)

    async def _appointments(self, session: AsyncSession, rule: Rule, due_at: datetime) -> list[dict[str, Any]]:
        day = due_at.date() + timedelta(days=rule.days)
        wanted = (
            select(Registration.id, Registration.openid, Registration.programme_id, Registration.slot_id)
            .join(SlotRow, SlotRow.id == Registration.slot_id)
            .where(SlotRow.day == day, Registration.status == Status.APPROVED.value)
        )
        if rule.programme_id:
            wanted = wanted.where(SlotRow.programme_id == rule.programme_id)
        return [
            _row(
                rule,
                f"r{rule.id}:{found.id}:{found.slot_id}:{day:%Y%m%d}",
                found,
                due_at,
                slot_id=found.slot_id,
                service_day=day,
            )
            for found in await session.execute(wanted)
        ]

    async def _follow_ups(self, session: AsyncSession, rule: Rule, due_at: datetime) -> list[dict[str, Any]]:
        day = due_at.date() - timedelta(days=rule.days)
        wanted = select(Registration.id, Registration.openid, Registration.programme_id).where(
            Registration.status == Status.COMPLETED.value,
            Registration.served_on == day,
            Registration.openid.not_in(select(OptOut.openid).where(OptOut.lifted_at.is_(None))),
        )
        if rule.programme_id:
            wanted = wanted.where(Registration.programme_id == rule.programme_id)
        return [
            _row(rule, f"f{rule.id}:{found.id}", found, due_at, service_day=day)
            for found in await session.execute(wanted)
        ]

    async def _openings(self, session: AsyncSession, rule: Rule, now: datetime) -> list[dict[str, Any]]:
        wanted = (
            select(OpeningWish.openid, OpeningWish.programme_id)
            .join(ProgrammeRow, ProgrammeRow.id == OpeningWish.programme_id)
            .where(
                ProgrammeRow.status == ProgrammeStatus.PUBLISHED.value,
                ProgrammeRow.open_at <= now,
                ProgrammeRow.open_at > now - OPENING_LASTS,
            )
        )
        if rule.programme_id:
            wanted = wanted.where(OpeningWish.programme_id == rule.programme_id)
        return [
            _row(rule, f"o{rule.id}:{found.programme_id}:{found.openid}", found, now)
            for found in await session.execute(wanted)
        ]

    async def _add(self, rows: list[dict[str, Any]]) -> int:
        insert = sqlite_insert if self._database.is_sqlite else postgresql_insert
        added = 0
        for start in range(0, len(rows), PLANNED_AT_ONCE):
            piece = rows[start : start + PLANNED_AT_ONCE]
            statement = insert(Occasion).values(piece).on_conflict_do_nothing(index_elements=["key"])
            async with self._database.transaction() as session:
                added += len(list(await session.scalars(statement.returning(Occasion.id))))
        return added

    # Sending ----------------------------------------------------------------------------------------------------

    async def lease_due(self, limit: int = 50) -> list[DueMessage]:
        """Take what is due and still true; what is not true any more is cancelled, what is too late fails."""
        now = self._clock.now()
        due = (
            Occasion.state == OccasionState.PLANNED.value,
            Occasion.due_at <= now,
            or_(Occasion.leased_until.is_(None), Occasion.leased_until <= now),
        )
        wanted = select(Occasion).where(*due).order_by(Occasion.due_at, Occasion.id).limit(limit)
        async with self._database.reading() as session:
            if (await session.scalars(wanted.limit(1))).first() is None:
                return []
        async with self._database.transaction() as session:
            found: list[DueMessage] = []
            for row in await session.scalars(wanted.with_for_update(skip_locked=True)):
                if row.expires_at <= now:
                    _end(row, OccasionState.FAILED, now, "too_late")
                elif (message := await self._still_true(session, row)) is None:
                    _end(row, OccasionState.CANCELLED, now, "moved")
                else:
                    row.leased_until, row.attempts = now + LEASE, row.attempts + 1
                    found.append(message)
            return found

    async def _still_true(self, session: AsyncSession, row: Occasion) -> DueMessage | None:
        rule = await session.get_one(AutomaticRule, row.rule_id)
        programme = (await session.get_one(ProgrammeRow, row.programme_id)).document
        values = {"项目": programme.title}
        if row.registration_id is not None:
            registration = await session.get_one(Registration, row.registration_id)
            values["回执号"] = registration.receipt
            if row.slot_id is None:
                wanted = registration.status == Status.COMPLETED.value
            else:
                slot = await session.get_one(SlotRow, row.slot_id)
                site = await session.get_one(SiteRow, slot.site_id)
                values |= {
                    "日期": f"{slot.day.month}月{slot.day.day}日",
                    "时间": f"{slot.start:%H:%M}",
                    "地点": site.name,
                }
                wanted = registration.status == Status.APPROVED.value and registration.slot_id == row.slot_id
                wanted = wanted and slot.day == row.service_day and not slot.closed
            if not wanted or registration.openid != row.openid:
                return None
        return DueMessage(
            id=row.id,
            key=f"automatic-{row.id}",
            openid=row.openid,
            kind=RuleKind(rule.kind),
            body=rule.body,
            template_id=rule.template_id,
            values=values,
            attempts=row.attempts + 1,
            choices=_choices(rule),
        )

    async def sent(self, occasion_id: int) -> None:
        """Record that a message went out."""
        await self._ended(occasion_id, OccasionState.SENT, None)

    async def failed(self, occasion_id: int, code: str) -> None:
        """Record that a message was given up because of ``code``."""
        await self._ended(occasion_id, OccasionState.FAILED, code)

    async def later(self, occasion_id: int) -> None:
        """Try a message again in a quarter of an hour."""
        again = {"due_at": self._clock.now() + AGAIN_AFTER, "leased_until": None}
        async with self._database.transaction() as session:
            await session.execute(update(Occasion).where(Occasion.id == occasion_id).values(again))

    async def confirm(self, openid: str) -> bool:
        """Note that a follower confirmed the next appointment they were reminded of; say whether there was one."""
        now = self._clock.now()
        wanted = select(Occasion).where(
            Occasion.openid == openid,
            Occasion.state == OccasionState.SENT.value,
            Occasion.slot_id.is_not(None),
            Occasion.service_day >= now.date(),
        )
        async with self._database.transaction() as session:
            row = (await session.scalars(wanted.order_by(Occasion.id.desc()).limit(1))).first()
            if row is None:
                return False
            row.confirmed_at = row.confirmed_at or now
        return True

    async def _ended(self, occasion_id: int, state: OccasionState, code: str | None) -> None:
        async with self._database.transaction() as session:
            _end(await session.get_one(Occasion, occasion_id), state, self._clock.now(), code)


def _end(row: Occasion, state: OccasionState, now: datetime, code: str | None) -> None:
    row.state, row.ended_at, row.code, row.leased_until = state.value, now, code, None


def _at(day: datetime, minute: int) -> datetime:
    midnight = datetime.combine(day.date(), time(), LOCAL_ZONE)
    return midnight + timedelta(minutes=minute)


def _row(rule: Rule, key: str, found: Any, due_at: datetime, **more: Any) -> dict[str, Any]:
    fields = found._mapping
    common = {"slot_id": None, "service_day": None, "attempts": 0, "state": OccasionState.PLANNED.value}
    return {
        **common,
        "key": key,
        "rule_id": rule.id,
        "registration_id": fields.get("id"),
        "programme_id": fields["programme_id"],
        "openid": fields["openid"],
        "due_at": due_at,
        "expires_at": _at(due_at, LATEST_MINUTE),
        **more,
    }


def _choices(row: AutomaticRule) -> tuple[MenuChoice, ...]:
    return tuple(MenuChoice(**choice) for choice in row.choices)


def _rule(row: AutomaticRule) -> Rule:
    return Rule(
        kind=RuleKind(row.kind),
        body=row.body,
        days=row.days,
        at_minute=row.at_minute,
        programme_id=row.programme_id,
        template_id=row.template_id,
        is_on=row.is_on,
        id=row.id,
        choices=_choices(row),
    )
