"""The rules by which messages go out by themselves, as staff write them."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import select

from bot.campaigns.automatic_models import AutomaticRule
from bot.campaigns.content import MenuChoice
from bot.campaigns.standard import standard_texts
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.sql import Database
from bot.values.clock import Clock

LATEST_MINUTE: Final = 21 * 60
"""Nothing goes out by itself later in the evening; what is late then is not sent at all."""


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


class AutomaticRules:
    """The rules over SQL."""

    def __init__(self, database: Database, clock: Clock, *, trail: AuditWriter) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail

    async def all(self) -> list[Rule]:
        """Return every rule."""
        async with self._database.reading() as session:
            return [rule_of(row) for row in await session.scalars(select(AutomaticRule).order_by(AutomaticRule.id))]

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
            return rule_of(row)


def rule_of(row: AutomaticRule) -> Rule:
    """Return a stored rule."""
    return Rule(
        kind=RuleKind(row.kind),
        body=row.body,
        days=row.days,
        at_minute=row.at_minute,
        programme_id=row.programme_id,
        template_id=row.template_id,
        is_on=row.is_on,
        id=row.id,
        choices=tuple(MenuChoice(**choice) for choice in row.choices),
    )
