"""Reads a message as a correction of an earlier answer: 电话错了，是139… / 刚才学校填错了 / 不对，我叫…."""

import re
from dataclasses import dataclass

from bot.dialogue.answers import label_of, tools
from bot.dialogue.catalog import Slot
from bot.dialogue.events import SlotValue
from bot.dialogue.readings import Corrects
from bot.dialogue.work import Work
from bot.values.found import only_value
from bot.values.problem import Problem
from bot.values.texts import looks_like_question

MAX_CORRECTION_CHARS = 80
_MAX_VAGUE_CHARS = 12
_BEFORE_VALUE = re.compile(r"^[\s,，.。:：;；、!！]*(?:(?:应该|是|叫|为|要|填|写|成|我|的)[\s,，:：]*)*")
_EDGE = " \t\n,，.。;；:：、!！~～"
_FEWEST_NAME_CHARS = 2


@dataclass(frozen=True, slots=True)
class _Parts:
    """A correction taken apart: what stands before the marker, the value, and whether a marker says “wrong”."""

    before: str
    value: str
    says_wrong: bool


def read_correction(work: Work, text: str) -> Corrects | None:
    """Return the correction that ``text`` is, or ``None``.

    Where the open question takes free text, only a message that names an answered field counts as a correction.
    """
    if not work.frames or len(text) > MAX_CORRECTION_CHARS:
        return None
    parts = _take_apart(work, text)
    if parts is None:
        return None
    fields = _fields(work)
    named = _named(parts.before or text, fields)
    if named is not None:
        return None if named.name == work.asking else _correct(work, named, parts)
    if _is_free_text_open(work) and not _starts_wrong(work, text):
        return None
    found = _found(work, [slot for slot in fields if slot.name != work.asking], text, parts.value)
    if found is not None:
        return found
    is_vague = parts.says_wrong and not parts.value and len(text) <= _MAX_VAGUE_CHARS
    return Corrects(None) if is_vague and fields and not looks_like_question(text) else None


def _take_apart(work: Work, text: str) -> _Parts | None:
    words = work.catalog.words
    instead = _last(words.instead, text)
    wrong = _last(words.wrong, text)
    if instead is not None:
        return _Parts(text[: instead.start()], _value_text(text[instead.end() :]), wrong is not None)
    if wrong is None:
        return None
    after = _value_text(text[wrong.end() :])
    return _Parts(text[: wrong.start()], after, says_wrong=True)


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    match = None
    for match in pattern.finditer(text):  # noqa: B007 - the last one is wanted
        pass
    return match


def _value_text(text: str) -> str:
    return _BEFORE_VALUE.sub("", text).strip(_EDGE)


def _fields(work: Work) -> list[Slot]:
    """Return the slots that can be corrected, the one answered last first; the open one comes at the end.

    Of two fields that a word may mean, the one with an answer is the one that can be wrong.
    """
    journey = work.journey
    collects = work.catalog.collects[work.service.id]
    names = [one.slot for one in journey.answered]
    names += [name for name in (*journey.confirmed, *journey.touched) if name in collects and name not in names]
    names = [name for name in names if name != work.asking]
    if work.asking in work.catalog.slots:
        names.insert(0, str(work.asking))
    slots = [work.catalog.slots[name] for name in reversed(names) if name in work.catalog.slots]
    return [slot for slot in slots if slot.label and (slot.name == work.asking or slot.name in work.slots)]


def _named(text: str, fields: list[Slot]) -> Slot | None:
    """Return the field whose label or alias ``text`` says; a part of a label counts when no whole one is said."""
    best: tuple[int, int, Slot] | None = None
    for age, slot in enumerate(fields):
        for name in (slot.label, *slot.aliases):
            if name in text and (best is None or (len(name), -age) > best[:2]):
                best = (len(name), -age, slot)
    if best is not None:
        return best[2]
    return next((slot for slot in fields if _says_part(text, slot)), None)


def names_field(text: str, slot: Slot) -> bool:
    """Say whether ``text`` says the name of a field, or how one of its names ends: 手机 of 学生手机."""
    return any(name[-_FEWEST_NAME_CHARS:] in text for name in (slot.label, *slot.aliases) if name)


def _says_part(text: str, slot: Slot) -> bool:
    """Say whether ``text`` ends in a part of the label, as 电话 is a part of 家长电话."""
    spoken = text.strip(_EDGE)
    for name in (slot.label, *slot.aliases):
        for length in range(len(name) - 1, _FEWEST_NAME_CHARS - 1, -1):
            if spoken.endswith((name[-length:], f"{name[-length:]}是", f"{name[-length:]}的")):
                return True
    return False


def _correct(work: Work, slot: Slot, parts: _Parts) -> Corrects | None:
    """Return the correction of the named field: with the right value, or with what is wrong with that, or without."""
    if not parts.value:
        return Corrects(slot.name) if parts.says_wrong else None
    value = _read(work, slot, parts.value)
    if isinstance(value, Problem):
        return Corrects(slot.name, problem=value)
    return Corrects(slot.name, value, label=label_of(slot, (), value))


def _read(work: Work, slot: Slot, text: str) -> SlotValue | Problem:
    validator, request = tools(work, slot, is_open=False)
    if slot.validator == "options" and not request.options:
        # Its options come from an action, which only the question itself runs.
        return None
    return validator.read(text, request)


def _found(work: Work, fields: list[Slot], text: str, value_text: str) -> Corrects | None:
    """Return the correction of the field, answered last, whose kind of value the message holds."""
    if not value_text:
        return None
    for slot in fields:
        validator, request = tools(work, slot, is_open=False)
        value = only_value(tuple(validator.find(text, request)))
        if value is None:
            value = only_value(tuple(validator.find(value_text, request)))
        if value is not None:
            return Corrects(slot.name, value)
    last = fields[0] if fields else None
    if last is None or not work.world.validators[last.validator].sure:
        return None
    read = _read(work, last, value_text)
    return None if read is None or isinstance(read, Problem) else Corrects(last.name, read)


def _is_free_text_open(work: Work) -> bool:
    slot = work.open_slot()
    return slot is not None and not work.world.validators[slot.validator].sure


def _starts_wrong(work: Work, text: str) -> bool:
    return work.catalog.words.wrong.match(text) is not None and len(text) <= work.settings.long_answer_chars
