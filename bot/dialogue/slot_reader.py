"""Reads ``slots`` of a flow file."""

import re
from collections.abc import Mapping
from typing import get_args

from bot.dialogue.catalog import AlsoFill, Limit, Slot, SlotType
from bot.dialogue.events import Option, SlotValue
from bot.dialogue.faults import Raw, Section, unknown

SLOT_TYPES: tuple[SlotType, ...] = get_args(SlotType)
DEFAULT_VALIDATORS: Mapping[SlotType, str] = {
    "text": "text",
    "int": "integer",
    "float": "decimal",
    "bool": "yes_no",
    "categorical": "options",
    "list": "options",
    "any": "any",
    "media": "media",
}
_KEYS = (
    "type", "label", "validator", "limits", "sensitive", "help", "options", "values", "initial", "also_fill",
    "aliases", "depends_on", "explicit",
)  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def read_slot(section: Section, name: str) -> Slot:
    """Return the slot that ``section`` declares, with defaults in place of what is faulty."""
    section.expect_keys(_KEYS)
    if not _NAME.fullmatch(name):
        section.fault("", "a slot's name is lower_snake_case")
    slot_type = _read_type(section)
    return Slot(
        name=name,
        type=slot_type,
        label=section.text("label"),
        validator=section.text("validator", DEFAULT_VALIDATORS[slot_type]),
        limits=_read_limits(section),
        sensitive=section.flag("sensitive", default=False),
        help=section.text("help"),
        options=_read_options(section),
        initial=_read_initial(section),
        also_fill=_read_also_fill(section),
        aliases=section.texts("aliases"),
        depends_on=section.texts("depends_on"),
        explicit=section.flag("explicit", default=False),
        file=section.file,
    )


def _read_type(section: Section) -> SlotType:
    raw = section.text("type", "text")
    for known in SLOT_TYPES:
        if raw == known:
            return known
    section.fault("type", unknown("type", raw, SLOT_TYPES))
    return "any"


def _read_limits(section: Section) -> Mapping[str, Limit]:
    limits: dict[str, Limit] = {}
    for name, value in section.below("limits", section.raw.get("limits")).raw.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            section.fault(f"limits.{name}", "expected a number")
        else:
            limits[name] = value
    return limits


def _read_options(section: Section) -> tuple[Option, ...]:
    key = "options" if "options" in section.raw else "values"
    options: list[Option] = []
    for index, item in enumerate(section.items(key)):
        option = _read_option(section, f"{key}[{index}]", item)
        if option is None:
            continue
        if any(option.value == other.value for other in options):
            section.fault(f"{key}[{index}]", f"the value '{option.value}' is there twice")
        options.append(option)
    return tuple(options)


def _read_option(section: Section, key: str, raw: Raw) -> Option | None:
    if isinstance(raw, str):
        return Option(raw, raw)
    part = section.below(key, raw)
    part.expect_keys(("value", "label", "aliases", "next_flow"))
    value = part.text("value")
    if not value:
        part.fault("value", "is missing; texts such as 'yes' need quotes")
        return None
    return Option(value, part.text("label", value), part.texts("aliases"), part.text("next_flow") or None)


def _read_initial(section: Section) -> SlotValue:
    raw = section.raw.get("initial")
    if raw is None or isinstance(raw, str | int | float | bool):
        return raw
    if isinstance(raw, list) and all(isinstance(item, str) for item in raw):
        return list(raw)
    section.fault("initial", "expected a text, number, truth value or a list of texts")
    return None


def _read_also_fill(section: Section) -> AlsoFill:
    raw = section.raw.get("also_fill")
    if raw is None or raw is False:
        return "no"
    if raw is True:
        return "yes"
    if raw == "rest":
        return "rest"
    section.fault("also_fill", "expected true, false or rest")
    return "no"
