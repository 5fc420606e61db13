"""Which of the shown options a message plainly names: by number, label or alias, or somewhere in a sentence.

This is the quick look before anything else. What a message that answers an open choice may mean beyond that (parts of
a label, how it sounds, several at once) is read by ``bot.values.options``.
"""

import re
from collections.abc import Sequence

from bot.dialogue.events import Option
from bot.dialogue.words import Words
from bot.values.found import Found
from bot.values.numerals import small_number

_ORDINAL = re.compile(r"(?:第|no\.?|选)?([0-9]{1,2}|[一二两三四五六七八九十]{1,3})(?:个|号|项|条|种|行|样|\.)?")
_LAST = frozenset({"最后一个", "最后那个", "最后一项"})
MIN_PART_CHARS = 2


def match_number(forms: Sequence[str], options: Sequence[Option]) -> Option | None:
    """Return the option whose number a message says (2, 第二个, 选二, ②), counted from one.

    ``forms`` are the ``Words.readings`` of the message.
    """
    for form in forms:
        if form in _LAST:
            return options[-1] if options else None
        match = _ORDINAL.fullmatch(form)
        number = small_number(match[1]) if match is not None else None
        if number is not None and 1 <= number <= len(options):
            return options[number - 1]
    return None


def match_label(forms: Sequence[str], options: Sequence[Option], words: Words) -> Option | None:
    """Return the first option whose label or alias the whole of a message says, in one of its ``forms``.

    An alias that several share (上午) names none of them.
    """
    said = [option for option in options if any(words.plain(name) in forms for name in _names(option))]
    is_called_so = any(words.plain(option.label) in forms for option in said)
    return said[0] if len(said) == 1 or is_called_so else None


def find_options(text: str, options: Sequence[Option]) -> tuple[Found[str], ...]:
    """Return the values of the options that ``text`` names somewhere, the longest name first at each place."""
    values: dict[str, set[str]] = {}
    for option in options:
        for name in _names(option):
            values.setdefault(name, set()).add(option.value)
    taken: list[Found[str]] = []
    for name in sorted(values, key=len, reverse=True):
        if len(name) < MIN_PART_CHARS or len(values[name]) > 1:
            # What several options are called by says nothing of which is meant.
            continue
        (value,) = values[name]
        start = text.find(name)
        if start >= 0 and all(start >= hit.end or start + len(name) <= hit.start for hit in taken):
            taken.append(Found(value, start, start + len(name)))
    return tuple(sorted(taken, key=lambda hit: hit.start))


def _names(option: Option) -> tuple[str, ...]:
    return (option.label, *option.aliases)
