"""A programme's values in words, for the page that shows it and for what changed between two versions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from bot.console.pages import county_name, day, moment
from bot.dialogue.catalog import Slot as FlowSlot
from bot.programmes.differences import Difference
from bot.programmes.models import (
    Choice,
    Condition,
    ConsentText,
    MaterialRule,
    PriorityRule,
    Programme,
    ProgrammeKind,
    Retention,
)
from bot.programmes.readiness import Section

Label = Callable[[str | None, str], str]
"""What a code of a kind is called; see ``Texts.label``."""

FIELDS: Mapping[Section, tuple[str, ...]] = {
    Section.BASICS: ("title", "open_at", "close_at", "service_start", "service_end", "counties", "review_mode"),
    Section.PLACES: (
        "quota_total",
        "quota_by_county",
        "applications_per_place",
        "waitlist_size",
        "waitlist_hold_hours",
        "slot_hold_minutes",
        "cancel_deadline_hours",
        "no_show_limit",
    ),
    Section.PEOPLE: ("age_min", "age_max", "age_base_date", "sex", "repeat_interval_months", "priority_rules"),
    Section.MATERIALS: ("required_materials", "materials_max"),
    Section.CONSENTS: ("consents",),
    Section.CHOICES: ("choices",),
    Section.TEXTS: ("contact", "notice_text", "elsewhere_text", "stipend_text", "insurance_text"),
    Section.RETENTION: ("retention",),
}
"""The fields of each section that is edited as a form."""
_QUOTAS = {"quota_total", "quota_by_county", "applications_per_place"}
"""What says nothing where the capacity of slots decides."""
_UNLIMITED = {
    "quota_total",
    "applications_per_place",
    "no_show_limit",
    "age_min",
    "age_max",
    "sex",
    "quota_by_county",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that rules may ask about: a question of the flow with its answers, or whether somebody is a minor."""

    name: str
    label: str
    values: tuple[tuple[str, str], ...]


AnswersOf = Mapping[ProgrammeKind, Sequence[str]]
MINOR = Fact("minor", "年龄", (("yes", "未满 18 岁"), ("no", "满 18 岁")))
EMPTY = "（空）"


def facts_of(slots: Mapping[str, FlowSlot], answers: AnswersOf) -> dict[ProgrammeKind, Sequence[Fact]]:
    """Return what the rules of each kind may ask about: the answers that are chosen from a list, and the age."""
    return {
        kind: (
            MINOR,
            *(
                Fact(name, slots[name].label, tuple((option.value, option.label) for option in slots[name].options))
                for name in names
                if name in slots and slots[name].type == "categorical" and slots[name].options
            ),
        )
        for kind, names in answers.items()
    }


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a comparison."""

    title: str
    before: str
    after: str


class ProgrammeWords:
    """Words for one kind of programme, whose rules ask about ``facts``."""

    def __init__(self, label: Label, facts: Sequence[Fact]) -> None:
        self._label = label
        self._facts = {fact.name: fact for fact in facts}

    def facts(self, programme: Programme, section: Section) -> list[tuple[str, str]]:
        """Return label and value of every field of a section."""
        return [
            (self._label(name, "programme_field"), self.shown(name, getattr(programme, name)))
            for name in FIELDS[section]
            if not (programme.kind.books_slots and name in _QUOTAS)
        ]

    def changes(self, found: Sequence[Difference]) -> list[Change]:
        """Return differences as people read them."""
        return [
            Change(
                self._title(difference),
                self.shown(difference.field, difference.before),
                self.shown(difference.field, difference.after),
            )
            for difference in found
        ]

    def _title(self, difference: Difference) -> str:
        title = self._label(difference.field, "programme_field")
        match difference.field:
            case "quota_by_county":
                item = county_name(difference.item)
            case "consents":
                item = self._label(difference.item, "consent")
            case "retention":
                item = self._label(difference.item, "retention")
            case "choices":
                item = self._label(difference.item, "programme_choice")
            case _:
                item = difference.item
        return f"{title}：{item}" if item else title

    def shown(self, field: str, value: object) -> str:
        """Return a value of a field in words."""
        if value is None or value in ("", (), {}):
            return "不限" if field in _UNLIMITED else "全市" if field == "counties" else EMPTY
        if isinstance(value, datetime):
            return moment(value)
        if isinstance(value, date):
            return day(value)
        if isinstance(value, Enum):
            return self._label(str(value.value), "programme_status" if field == "status" else field)
        if isinstance(value, Retention):
            return self._retention(value)
        if isinstance(value, Mapping):
            return self._entries(field, value)
        if isinstance(value, tuple):
            return self._several(field, value)
        return self._one(field, value)

    def _retention(self, value: Retention) -> str:
        names = ("draft_days", "rejected_days", "completed_days", "materials_days", "health_days")
        return "\n".join(f"{self._label(name, 'retention')} {getattr(value, name)} 天" for name in names)

    def _entries(self, field: str, value: Mapping[str, object]) -> str:
        if field == "quota_by_county":
            return "、".join(f"{county_name(code)} {count}" for code, count in value.items())
        return "\n".join(
            f"{self._label(name, 'programme_choice')}：{self.shown(field, one)}" for name, one in value.items()
        )

    def _several(self, field: str, value: tuple[object, ...]) -> str:
        if field == "counties":
            return "、".join(county_name(str(code)) for code in value)
        if all(isinstance(one, Choice | str) for one in value):
            return "、".join(self._one(field, one) for one in value)
        return "\n".join(self._one(field, one) for one in value)

    def _one(self, field: str, value: object) -> str:
        match value:
            case Choice():
                return value.label
            case MaterialRule():
                stage = self._label(value.stage, "material_stage")
                return f"{value.label}（{stage}，{self.when(value.needed_when)}）"
            case ConsentText():
                named = f"\n提供给：{'、'.join(value.recipients)}" if value.recipients else ""
                name = self._label(value.code, "consent")
                return f"{name}（版本 {value.version}，{self.when(value.needed_when)}）\n{value.text}{named}"
            case PriorityRule():
                return f"{value.label}：加 {value.points} 分（{self.when(value.when)}）"
            case _:
                unit = self._label(field, "programme_unit") if isinstance(value, int | float) else field
                return f"{value} {unit}" if unit != field else str(value)

    def when(self, condition: Condition) -> str:
        """Return a condition in words: 困难类别是因病或因灾时."""
        if not condition:
            return "所有人"
        return "，并且".join(self._clause(name, values) for name, values in condition.items())

    def _clause(self, name: str, values: Sequence[str]) -> str:
        fact = self._facts.get(name)
        if fact is None:
            return f"{name} 是 {'、'.join(values)}"
        labels = dict(fact.values)
        return f"{fact.label}是{'、'.join(labels.get(value, value) for value in values)}"
