"""Plans the occasions of automatic messages: each once for its registration or wish, however often it looks."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns.automatic_models import Occasion, OccasionState, OpeningWish
from bot.campaigns.automatic_rules import LATEST_MINUTE, Rule, RuleKind
from bot.campaigns.models import OptOut
from bot.programmes.models import ProgrammeRow, ProgrammeStatus, SlotRow
from bot.registrations.models import Registration
from bot.registrations.statuses import Status
from bot.storage.sql import Database
from bot.values.clock import LOCAL_ZONE, Clock

PLANNED_AT_ONCE = 500
OPENING_LASTS = timedelta(days=3)


class Occasions:
    """What rules have to do today."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def plan(self, rules: Iterable[Rule]) -> int:
        """Plan what is due today by every rule that is on; return how many messages are new."""
        return sum([await self._plan(rule) for rule in rules if rule.is_on])

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
