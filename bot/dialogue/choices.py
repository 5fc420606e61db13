"""Which of the shown options a message means: by number, label, alias, or an unmistakable part of a label."""

import re
from collections.abc import Sequence

from bot.dialogue.events import Option
from bot.dialogue.words import Words
from bot.values.characters import normalise
from bot.values.found import Found
from bot.values.numerals import small_number

_ORDINAL = re.compile(r"(?:第|no\.?|选)?([0-9]{1,2}|[一二两三四五六七八九十]{1,3})(?:个|号|项|条|种|行|样|\.)?")
_LAST = frozenset({"最后一个", "最后那个", "最后一项"})
_SPLIT = re.compile(r"[\s,，、;；/+]+|和|跟|还有|以及|与")
_NEGATED = re.compile("[不没别莫非]")
MIN_PART_CHARS = 2


def match_number(text: str, options: Sequence[Option], words: Words) -> Option | None:
    """Return the option whose number the whole of ``text`` says (2, 第二个, 选二, ②), counted from one."""
    for form in words.readings(text):
        if form in _LAST:
            return options[-1] if options else None
        match = _ORDINAL.fullmatch(form)
        number = small_number(match[1]) if match is not None else None
        if number is not None and 1 <= number <= len(options):
            return options[number - 1]
    return None


def match_label(text: str, options: Sequence[Option], words: Words) -> Option | None:
    """Return the option whose label or alias the whole of ``text`` says."""
    forms = words.readings(text)
    for option in options:
        if any(words.plain(name) in forms for name in _names(option)):
            return option
    return None


def match_part(text: str, options: Sequence[Option], words: Words) -> Option | None:
    """Return the one option that ``text`` can only mean: it says the label and more, or a part of one label."""
    found = {hit.value: hit for hit in find_options(text, options)}
    if len(found) == 1:
        value, hit = next(iter(found.items()))
        if _NEGATED.search(text[: hit.start]) is None:
            return next(option for option in options if option.value == value)
        return None
    if found:
        return None
    form = words.readings(text)[-1]
    if len(form) < MIN_PART_CHARS:
        return None
    holders = [option for option in options if any(form in words.plain(name) for name in _names(option))]
    return holders[0] if len(holders) == 1 else None


def match(text: str, options: Sequence[Option], words: Words) -> Option | None:
    """Return the option that ``text`` means, or ``None``."""
    return match_label(text, options, words) or match_number(text, options, words) or match_part(text, options, words)


def match_many(text: str, options: Sequence[Option], words: Words) -> tuple[Option, ...]:
    """Return every option that ``text`` names (1、3; 上午和晚上); nothing when a part of it names none."""
    whole = match_label(text, options, words) or match_number(text, options, words)
    if whole is not None:
        return (whole,)
    parts = [part for part in _SPLIT.split(normalise(text)) if part]
    if len(parts) == 1 and parts[0].isdecimal() and len(options) < 10:
        parts = list(parts[0])
    chosen: dict[str, Option] = {}
    for part in parts:
        option = match(part, options, words)
        if option is None:
            return ()
        chosen[option.value] = option
    return tuple(chosen.values())


def find_options(text: str, options: Sequence[Option]) -> tuple[Found[str], ...]:
    """Return the values of the options that ``text`` names somewhere, the longest name first at each place."""
    names = sorted(
        ((name, option.value) for option in options for name in _names(option) if len(name) >= MIN_PART_CHARS),
        key=lambda pair: len(pair[0]),
        reverse=True,
    )
    taken: list[Found[str]] = []
    for name, value in names:
        start = text.find(name)
        if start >= 0 and all(start >= hit.end or start + len(name) <= hit.start for hit in taken):
            taken.append(Found(value, start, start + len(name)))
    return tuple(sorted(taken, key=lambda hit: hit.start))


def _names(option: Option) -> tuple[str, ...]:
    return (option.label, *option.aliases)
