"""Messages that go out by themselves: before an appointment, after a service, when a programme opens.

Each is planned once for its registration (or wish), and looked at again when it is due: an appointment that moved or
was cancelled since then is not reminded of.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns.automatic_models import AutomaticRule, Occasion, OccasionState
from bot.campaigns.automatic_rules import AutomaticRules, RuleKind, rule_of
from bot.campaigns.content import MenuChoice
from bot.campaigns.occasions import Occasions
from bot.programmes.models import ProgrammeRow, SiteRow, SlotRow
from bot.registrations.models import Registration
from bot.registrations.statuses import Status
from bot.staff.audit import AuditWriter
from bot.storage.sql import Database
from bot.values.clock import Clock

LEASE = timedelta(minutes=2)
AGAIN_AFTER = timedelta(minutes=15)
ATTEMPTS_MAX = 30


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
    """What is planned by the ``rules``, and how it goes out."""

    def __init__(self, database: Database, clock: Clock, *, trail: AuditWriter) -> None:
        self.rules = AutomaticRules(database, clock, trail=trail)
        self._occasions = Occasions(database, clock)
        self._database = database
        self._clock = clock

    async def plan(self) -> int:
        """Plan what is due today by every rule that is on; return how many messages are new."""
        return await self._occasions.plan(await self.rules.all())

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
        rule = rule_of(await session.get_one(AutomaticRule, row.rule_id))
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
            kind=rule.kind,
            body=rule.body,
            template_id=rule.template_id,
            values=values,
            attempts=row.attempts + 1,
            choices=rule.choices or (),
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
