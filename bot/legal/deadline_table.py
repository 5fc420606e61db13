"""The table of legal time limits: its seed file, its rows, and reading them back as rules."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import yaml
from sqlalchemy import select

from bot.legal.errors import TableInvalid
from bot.legal.models import DeadlineRuleRow
from bot.legal.rules import DeadlineRule, Party, PeriodUnit
from bot.storage.sql import Database

DEADLINES_FILE = Path(__file__).with_name("deadlines.yml")


def read_seed(path: Path = DEADLINES_FILE) -> list[DeadlineRule]:
    """Read the seed file; raises TableInvalid that names the faulty rule."""
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return [_rule(row) for row in data["rules"]]


class DeadlineTable:
    """The time limits as rows, which lawyers may correct."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def seed(self, rules: Sequence[DeadlineRule]) -> int:
        """Add the rules whose code is not there yet and return how many; rows that people changed stay."""
        async with self._database.transaction() as session:
            known = set(await session.scalars(select(DeadlineRuleRow.code)))
            fresh = [_row(rule, position) for position, rule in enumerate(rules) if rule.code not in known]
            session.add_all(fresh)
        return len(fresh)

    async def rules(self, today: date) -> list[DeadlineRule]:
        """Return the rules in force on that day, in table order."""
        async with self._database.reading() as session:
            rows = await session.scalars(select(DeadlineRuleRow).order_by(DeadlineRuleRow.position))
            return [_from_row(row) for row in rows if _in_force(row, today)]


def _in_force(row: DeadlineRuleRow, today: date) -> bool:
    begun = row.valid_from is None or row.valid_from <= today
    return begun and (row.valid_until is None or today <= row.valid_until)


def _rule(row: Mapping[str, object]) -> DeadlineRule:
    code = str(row.get("code"))
    try:
        return DeadlineRule(
            code=code,
            title=str(row["title"]),
            topics=_texts(row["topics"]),
            starts_from=_texts(row["starts_from"]),
            period=int(str(row["period"])),
            period_unit=PeriodUnit(str(row["period_unit"])),
            party=Party(str(row["party"])),
            basis=str(row["basis"]),
            wording=str(row["wording"]),
            restarts_on=_texts(row.get("restarts_on", [])),
            open_while=_texts(row.get("open_while", [])),
            starts_from_after_leaving=str(row.get("starts_from_after_leaving", "")),
        )
    except (KeyError, ValueError) as error:
        raise TableInvalid(place=f"rules/{code}", reason=str(error)) from error


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"must be a list, not {value!r}")  # noqa: TRY004  the caller turns it into TableInvalid
    return tuple(map(str, value))


def _row(rule: DeadlineRule, position: int) -> DeadlineRuleRow:
    return DeadlineRuleRow(
        code=rule.code,
        position=position,
        title=rule.title,
        topics=list(rule.topics),
        starts_from=list(rule.starts_from),
        period=rule.period,
        period_unit=rule.period_unit.value,
        party=rule.party.value,
        restarts_on=list(rule.restarts_on),
        open_while=list(rule.open_while),
        starts_from_after_leaving=rule.starts_from_after_leaving,
        basis=rule.basis,
        wording=rule.wording,
    )


def _from_row(row: DeadlineRuleRow) -> DeadlineRule:
    return DeadlineRule(
        code=row.code,
        title=row.title,
        topics=tuple(row.topics),
        starts_from=tuple(row.starts_from),
        period=row.period,
        period_unit=PeriodUnit(row.period_unit),
        party=Party(row.party),
        basis=row.basis,
        wording=row.wording,
        restarts_on=tuple(row.restarts_on),
        open_while=tuple(row.open_while),
        starts_from_after_leaving=row.starts_from_after_leaving,
    )
