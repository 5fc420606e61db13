"""Reads ``responses`` of a flow file."""

import re
from collections.abc import Mapping

from bot.dialogue.catalog import Response, Variant
from bot.dialogue.conditions import Condition, parse_condition
from bot.dialogue.errors import ConditionUnreadable
from bot.dialogue.events import Option
from bot.dialogue.faults import Raw, Section
from bot.dialogue.payloads import CHOICE_PAYLOAD, FLOW_PAYLOAD, WORD_PAYLOAD
from bot.values.problem import FieldValue

AIMED_CHARS = 120
_KEY = re.compile(r"utter_[a-z0-9_]+|[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
_PLACEHOLDER = re.compile(r"\{\{|\{([a-z][a-z0-9_]*)\}|(\{)")
_PAYLOADS = (FLOW_PAYLOAD, WORD_PAYLOAD, CHOICE_PAYLOAD)


def read_condition(section: Section, key: str) -> Condition | None:
    """Return the condition written at ``key``, or ``None`` when there is none or it does not parse."""
    raw = section.raw.get(key)
    if raw is None:
        return None
    text = str(raw).lower() if isinstance(raw, bool) else section.text(key)
    if not text:
        return None
    try:
        return parse_condition(text)
    except ConditionUnreadable as error:
        section.fault(key, f"{error.fields['reason']} at character {error.fields['at']}: {text}")
        return None


def read_response(section: Section, key: str, raw: Raw) -> Response | None:
    """Return the response ``key``, or ``None`` when it has no text at all."""
    if not _KEY.fullmatch(key):
        section.fault(key, "a key is utter_<name>, or <kind>.<name> for the text of a problem")
    holder = section.below("", {key: raw})
    variants = [variant for part in holder.sections(key) if (variant := _read_variant(part)) is not None]
    if not variants:
        section.fault(key, "needs a list with at least one text")
        return None
    if all(variant.condition is not None for variant in variants):
        section.fault(key, "needs one variant without a condition")
    return Response(key, tuple(variants), section.file)


def _read_variant(section: Section) -> Variant | None:
    section.expect_keys(("text", "condition", "buttons"))
    text = section.text("text").strip()
    if not text:
        section.fault("text", "is missing")
        return None
    if len(text) > AIMED_CHARS:
        section.warn("text", f"{len(text)} characters, {AIMED_CHARS} is the aim")
    for match in _PLACEHOLDER.finditer(text):
        if match[2]:
            section.fault("text", "an open brace without a name; a literal one is written {{")
    names = tuple(match[1] for match in _PLACEHOLDER.finditer(text) if match[1])
    buttons = tuple(option for part in section.sections("buttons") if (option := _read_button(part)) is not None)
    return Variant(text, _read_variant_condition(section), buttons, tuple(dict.fromkeys(names)))


def _read_variant_condition(section: Section) -> Condition | None:
    if not isinstance(section.raw.get("condition"), list):
        return read_condition(section, "condition")
    tests = []
    for part in section.sections("condition"):
        part.expect_keys(("type", "name", "value"))
        if part.text("type", "slot") != "slot":
            part.fault("type", "only type: slot is supported")
        tests.append(f"slots.{part.text('name')} = {_literal(part.raw.get('value'))}")
    return read_condition(section.below("", {"condition": " and ".join(tests)}), "condition")


def _literal(value: Raw) -> str:
    if isinstance(value, str):
        return f"'{value}'" if '"' in value else f'"{value}"'
    return "null" if value is None else str(value).lower()


def _read_button(section: Section) -> Option | None:
    section.expect_keys(("title", "payload", "aliases"))
    title, payload = section.text("title").strip(), section.text("payload").strip()
    if not title:
        section.fault("title", "is missing")
        return None
    if not payload.startswith(_PAYLOADS):
        section.fault("payload", f"expected /flow:<flow> or /word:<text>, found '{payload}'")
        return None
    flow = payload.removeprefix(FLOW_PAYLOAD) if payload.startswith(FLOW_PAYLOAD) else None
    return Option(payload, title, tuple(section.texts("aliases")), next_flow=flow)


def fill_placeholders(text: str, fields: Mapping[str, FieldValue]) -> str:
    """Return ``text`` with its placeholders filled; a name without a value stays empty."""
    return _PLACEHOLDER.sub(lambda match: str(fields.get(match[1], "")) if match[1] else "{", text)
