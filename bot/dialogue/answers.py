"""Reads a message as the answer to the open question, and what it says beside that."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.dialogue.catalog import Slot
from bot.dialogue.events import Option, SlotValue
from bot.dialogue.models import Candidate
from bot.dialogue.progress import Route
from bot.dialogue.readings import Answers, Refused
from bot.dialogue.validators import Request, Validator
from bot.dialogue.work import Work
from bot.values.found import Found, only_value
from bot.values.problem import Problem
from bot.values.texts import looks_like_question, mask_personal

_EDGE = " \t\n,，.。;；:：、!！~～"
_PIECE = re.compile(r"\S+")
_FEWEST_REST_CHARS = 2
_WHOLE_ANSWER_CHARS = 4
_MOST_PIECES = 4
_MOST_PIECE_CHARS = 12


@dataclass(frozen=True, slots=True)
class _Beside:
    """A value found for a question further on, and where it stood."""

    slot: str
    hit: Found[SlotValue]


class AnswerReader:
    """Reads answers with the validators of the slots."""

    def __init__(self, route: Route) -> None:
        self._route = route

    def read(self, work: Work, slot: Slot, text: str) -> Answers | Refused:
        """Return what ``text`` says for the open question of ``slot`` and for those further on."""
        validator, request = tools(work, slot)
        first = validator.read(text, request)
        if validator.sure and (first == text or (isinstance(first, bool) and len(text) <= _WHOLE_ANSWER_CHARS)):
            # The answer is all that was said, so there is nothing beside it to look for.
            return Answers((Candidate(slot.name, first, "answer"),), sure=True)
        ahead = self._ahead(work, slot)
        beside = _beside(work, slot, [other for other in ahead if other.also_fill == "yes"], text)
        unnamed = _without_names(text, ahead) if validator.sure else text
        if unnamed != text:
            first = validator.read(unnamed, request)
        value = _own(first, validator, request, unnamed, beside, is_story=is_story(work, slot))
        candidates = [Candidate(one.slot, one.hit.value, "also") for one in beside]
        is_question = looks_like_question(text)
        in_pieces = None if beside or is_question else _in_pieces(work, slot, ahead, text)
        if in_pieces is not None:
            return in_pieces
        if _is_stray_number(validator, slot, value, is_story=is_story(work, slot)):
            value = Problem("text.is_number", {"label": slot.label})
        if isinstance(value, Problem):
            if not candidates or is_question:
                return Refused(value)
            # Only what stands between values that were found can belong to a question between theirs.
            candidates.extend(_rest(work, ahead, sorted(beside, key=lambda one: one.hit.start), text))
            candidates.sort(key=lambda one: [other.name for other in ahead].index(one.slot))
            return Answers(tuple(candidates), sure=True, problem=value)
        if beside and not is_question:
            order = [slot, *ahead]
            candidates.extend(_rest(work, order, _places(slot, value, text, beside), text))
            candidates.sort(key=lambda one: [other.name for other in order].index(one.slot))
        own = Candidate(slot.name, value, "answer", label_of(slot, work.choices, value))
        return Answers((own, *candidates), sure=(validator.sure or bool(beside)) and not is_question)

    def _ahead(self, work: Work, slot: Slot) -> list[Slot]:
        """Return the slots of questions further on that have no value yet."""
        if not work.frames:
            return []
        names = dict.fromkeys(step.slot for step in self._route.ahead(work.path(), work.slots))
        return [
            work.catalog.slots[name]
            for name in names
            if name != slot.name and name in work.catalog.slots and work.slots.get(name) is None
        ]


def tools(work: Work, slot: Slot, *, is_open: bool = True) -> tuple[Validator, Request]:
    """Return the validator of ``slot`` with what it needs; an open question has the options shown with it."""
    options = tuple(option for option in work.choices if not option.value.startswith("/")) if is_open else ()
    return work.world.validators[slot.validator], work.world.request(slot, options, work.today)


def is_story(work: Work, slot: Slot) -> bool:
    """Say whether the slot takes a longer text in the worker's own words."""
    return slot.limits.get("max_chars", 0) >= work.settings.story_chars


def candidate_of(work: Work, slot: Slot, option: Option) -> Candidate:
    """Return the value that the chosen ``option`` puts into ``slot``."""
    request = work.world.request(slot, (option,), work.today)
    value: SlotValue | Problem = option.value
    if slot.type in {"bool", "int", "float"}:
        value = work.world.validators["options"].read(option.label, request)
    typed: SlotValue = option.value if isinstance(value, Problem) else value
    if slot.type == "list":
        typed = [option.value]
    return Candidate(slot.name, typed, "answer", label_of(slot, (option,), typed))


def label_of(slot: Slot, choices: Iterable[Option], value: SlotValue) -> str | None:
    """Return the label of a value that was chosen among options which only an action knows."""
    known = {option.value for option in slot.options}
    labels = {option.value: option.label for option in choices if option.value not in known}
    values = value if isinstance(value, list) else [value]
    names = [labels[str(one)] for one in values if str(one) in labels]
    return "、".join(names) if names and len(names) == len(values) else None


def _own(
    first: SlotValue | Problem,
    validator: Validator,
    request: Request,
    text: str,
    beside: Sequence[_Beside],
    *,
    is_story: bool,
) -> SlotValue | Problem:
    """Return the value for the open question itself; ``first`` is what the whole text reads as."""
    if not beside or (not isinstance(first, Problem) and (validator.sure or is_story)):
        return first
    return _from_rest(validator, request, _without(text, (one.hit for one in beside)))


def _without_names(text: str, ahead: Sequence[Slot]) -> str:
    """Return ``text`` with blanks in place of what only names a field: 学生姓名 in 学生姓名：张雨桐 is no answer."""
    for other in ahead:
        if other.label:
            text = text.replace(other.label, " " * len(other.label))
    return text


def _is_stray_number(validator: Validator, slot: Slot, value: SlotValue | Problem, *, is_story: bool) -> bool:
    """Say whether somebody's number is about to land in a short text that is neither meant nor sealed for it."""
    is_text = isinstance(value, str) and not validator.sure and not is_story and not slot.sensitive
    return is_text and mask_personal(str(value)) != value


def _from_rest(validator: Validator, request: Request, rest: str) -> SlotValue | Problem:
    """Read what the values found beside it have left: as a whole, or else as many of its first pieces as can be."""
    pieces = rest.split()
    if not validator.sure:
        pieces = pieces[:1]
    for length in range(len(pieces), 0, -1):
        value = validator.read(" ".join(pieces[:length]).strip(_EDGE), request)
        if not isinstance(value, Problem):
            return value
    return validator.read(rest.strip(_EDGE), request)


def _beside(work: Work, slot: Slot, ahead: Sequence[Slot], text: str) -> list[_Beside]:
    """Return what ``text`` surely says for questions further on; a kind of value two slots share is left alone."""
    if not ahead:
        return []
    own, request = tools(work, slot)
    taken = list(own.find(text, request)) if own.sure else []
    found: list[_Beside] = []
    for other in ahead:
        if shares(other, (slot, *ahead)):
            continue
        validator, other_request = tools(work, other, is_open=False)
        hits = tuple(hit for hit in validator.find(text, other_request) if not _overlaps(hit, taken))
        if hits and only_value(hits) is not None:
            found.append(_Beside(other.name, hits[0]))
            taken.append(hits[0])
    return found


def _in_pieces(work: Work, slot: Slot, ahead: Sequence[Slot], text: str) -> Answers | None:
    """Return what 杨小芳 铜仁学院 says: a value for the open question, and each other piece for one further on."""
    validator, request = tools(work, slot)
    pieces = list(_PIECE.finditer(text))
    if not validator.sure or len(pieces) not in range(2, _MOST_PIECES + 1):
        return None
    first, *others = pieces
    value = validator.read(first[0].strip(_EDGE), request)
    if isinstance(value, Problem):
        return None
    own = _Beside(slot.name, Found(value, first.start(), first.end()))
    rest = _rest(work, [slot, *ahead], [own], text)
    if len(rest) != len(others) or max(len(other[0]) for other in others) > _MOST_PIECE_CHARS:
        return None
    return Answers((Candidate(slot.name, value, "answer", label_of(slot, work.choices, value)), *rest), sure=False)


def _places(slot: Slot, value: SlotValue, text: str, beside: Sequence[_Beside]) -> list[_Beside]:
    """Return the values found with the one for the open question itself, in the order of the text."""
    start = text.find(value) if isinstance(value, str) else 0
    own = Found(value, max(start, 0), start + len(value) if isinstance(value, str) and start >= 0 else 0)
    return sorted((_Beside(slot.name, own), *beside), key=lambda one: one.hit.start)


def _rest(work: Work, order: Sequence[Slot], places: Sequence[_Beside], text: str) -> list[Candidate]:
    """Give each left-over piece to the question that stands where the piece does between the values found."""
    names = [other.name for other in order]
    found: dict[str, Candidate] = {}
    for match in _PIECE.finditer(_without(text, (one.hit for one in places))):
        piece = match[0].strip(_EDGE)
        opening = work.catalog.words.introduces.match(piece)
        piece = piece[opening.end() :].strip(_EDGE) if opening is not None else piece
        before = [names.index(one.slot) for one in places if one.hit.end <= match.start()]
        after = [names.index(one.slot) for one in places if one.hit.start >= match.end()]
        between = order[(before[-1] + 1 if before else 0) : (after[0] if after else len(order))]
        taker = next((one for one in between if one.also_fill == "rest" and one.name not in found), None)
        if taker is None or len(piece) < _FEWEST_REST_CHARS:
            continue
        validator, request = tools(work, taker, is_open=False)
        value = validator.read(piece, request)
        if not isinstance(value, Problem) and not _is_stray_number(validator, taker, value, is_story=False):
            found[taker.name] = Candidate(taker.name, value, "also")
    return list(found.values())


def _without(text: str, hits: Iterable[Found[SlotValue]]) -> str:
    """Return ``text`` with blanks in the places of ``hits``."""
    for hit in hits:
        text = f"{text[: hit.start]}{' ' * (hit.end - hit.start)}{text[hit.end :]}"
    return text


def _overlaps(hit: Found[SlotValue], taken: Iterable[Found[SlotValue]]) -> bool:
    return any(hit.start < other.end and other.start < hit.end for other in taken)


def shares(slot: Slot, others: Iterable[Slot]) -> bool:
    """Say whether a value of ``slot`` could as well belong to another of the slots."""
    if slot.validator != "options":
        return any(other.name != slot.name and other.validator == slot.validator for other in others)
    names = _names(slot)
    return any(other.name != slot.name and names & _names(other) for other in others)


def _names(slot: Slot) -> set[str]:
    return {name for option in slot.options for name in (option.label, *option.aliases)}
