"""The rows of a programme's form: as they are stored, or as they were typed, and some empty ones to fill."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.console.forms import Form
from bot.console.programmes.form import CHOICE_GROUPS, read_condition, rows_of
from bot.console.programmes.words import Fact
from bot.programmes.models import Condition, Programme

EMPTY_ROWS: Final = 1
MORE_ROWS: Final = 3
PREFIXES: Final = ("m", "c", "p", *CHOICE_GROUPS)
_PARTS: Final = ("label", "code", "stage", "points", "version", "text", "recipients")


@dataclass(frozen=True, slots=True)
class FormRow:
    """One row: ``name`` begins the names of its fields. ``when`` is what is ticked."""

    name: str
    values: Mapping[str, str] = field(default_factory=dict)
    when: Condition = field(default_factory=dict)


def rows(programme: Programme, form: Form | None, facts: Sequence[Fact]) -> Mapping[str, list[FormRow]]:
    """Return the rows by prefix, from the form that was sent, else from the programme."""
    if form is not None:
        more = MORE_ROWS if form.has("more") else 0
        typed = {prefix: _typed(form, prefix, facts) for prefix in PREFIXES}
        return {prefix: found + _empty(prefix, len(found), more) for prefix, found in typed.items()}
    stored = _stored(programme)
    return {prefix: found + _empty(prefix, len(found), EMPTY_ROWS) for prefix, found in stored.items()}


def _empty(prefix: str, start: int, count: int) -> list[FormRow]:
    return [FormRow(f"{prefix}{number}") for number in range(start, start + count)]


def _typed(form: Form, prefix: str, facts: Sequence[Fact]) -> list[FormRow]:
    return [
        FormRow(row, {part: form.raw(f"{row}_{part}") for part in _PARTS}, read_condition(form, row, facts))
        for row in rows_of(form, prefix)
    ]


def _stored(programme: Programme) -> Mapping[str, list[FormRow]]:
    found = {
        "m": [
            FormRow(f"m{number}", {"label": rule.label, "code": rule.code, "stage": rule.stage}, rule.needed_when)
            for number, rule in enumerate(programme.required_materials)
        ],
        "c": [
            FormRow(
                f"c{number}",
                {
                    "code": consent.code,
                    "version": consent.version,
                    "text": consent.text,
                    "recipients": "\n".join(consent.recipients),
                },
                consent.needed_when,
            )
            for number, consent in enumerate(programme.consents)
        ],
        "p": [
            FormRow(f"p{number}", {"label": rule.label, "points": str(rule.points)}, rule.when)
            for number, rule in enumerate(programme.priority_rules)
        ],
    }
    for group in CHOICE_GROUPS:
        found[group] = [
            FormRow(f"{group}{number}", {"label": choice.label, "code": choice.code})
            for number, choice in enumerate(programme.choices.get(group, ()))
        ]
    return found
