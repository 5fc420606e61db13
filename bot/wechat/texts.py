"""Texts as the platform takes them: clean, and short enough.

The platform states no size for a text. 2,048 bytes of UTF-8 have been measured, and more brings the follower a fault
notice with no error for us, so the defaults stay below.
"""

import re

from bot.wechat.xml_tree import ILLEGAL_CHARACTERS

MAX_BYTES = 1900
MAX_CHARS = 600
MAX_CHARACTER_BYTES = 4

_LINE_BREAKS = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_MANY_EMPTY_LINES = re.compile(r"\n{3,}")

_LINK = re.compile(r"<a\b[^<>]{0,2000}>([^<]{0,600})</a>")
# A unit is never cut: a link with its text, or a character with what modifies it (accents, emoji joined to one).
_UNIT = re.compile(
    _LINK.pattern + r"|.(?:[\u0300-\u036f\u200d\ufe00-\ufe0f\u20e3\U0001f3fb-\U0001f3ff]|(?<=\u200d).)*", re.DOTALL
)

_ENDS_PARAGRAPH = re.compile(r"\n\Z")
_ENDS_SENTENCE = re.compile(r"[。！？!?…；;][”’』」）)\]】]*\s*\Z|[.](?:\s+)\Z")
_ENDS_CLAUSE = re.compile(r"[，、,:：\s]\Z")
_ENDS = (_ENDS_PARAGRAPH, _ENDS_SENTENCE, _ENDS_CLAUSE)

MIN_FILL = 0.5
"""A cut at a better place is taken while the piece is at least half full; else the next kind of place is tried."""


def clean(text: str) -> str:
    """Return ``text`` without characters that XML forbids, with plain line breaks, no blanks at line ends and at
    most one empty line at a time."""
    text = ILLEGAL_CHARACTERS.sub("", _LINE_BREAKS.sub("\n", text))
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return _MANY_EMPTY_LINES.sub("\n\n", text).strip()


def fits(text: str, max_bytes: int = MAX_BYTES, max_chars: int = MAX_CHARS) -> bool:
    """Say whether ``text`` can be one message. Links count with all their bytes, but only the characters that are
    seen."""
    if len(text) <= max_chars and len(text) * MAX_CHARACTER_BYTES <= max_bytes:
        return True
    return len(_seen(text)) <= max_chars and len(text.encode("utf-8", "surrogatepass")) <= max_bytes


def split_text(text: str, max_bytes: int = MAX_BYTES, max_chars: int = MAX_CHARS) -> list[str]:
    """Return ``text`` cleaned and in pieces that fit, none of them empty.

    Cut at the end of a paragraph, else of a sentence, else of a clause, else between two characters; never inside a
    link, unless the link alone is too long: then its text stays and the markup goes. Raises ValueError for limits
    under which not even one character fits.
    """
    if max_bytes < MAX_CHARACTER_BYTES or max_chars < 1:
        raise ValueError("the limits leave no room for a character")
    rest = clean(text)
    pieces: list[str] = []
    while rest:
        if fits(rest, max_bytes, max_chars):
            pieces.append(rest)
            break
        units = _units_that_fit(rest, max_bytes, max_chars)
        if not units and _LINK.match(rest):
            rest = _LINK.sub(r"\1", rest, count=1).lstrip()
            continue
        if not units:
            # One character with more accents than a message holds: between them is the only place to cut.
            units = list(rest[: min(max_chars, max_bytes // MAX_CHARACTER_BYTES)])
        cut = len("".join(units[: _best_cut(units)]))
        pieces.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [piece for piece in pieces if piece]


def _seen(text: str) -> str:
    """Return ``text`` as it is read: links without their markup."""
    return _LINK.sub(r"\1", text) if "<a" in text else text


def _units_that_fit(text: str, max_bytes: int, max_chars: int) -> list[str]:
    """Return as many units from the front of ``text`` as fit one message."""
    units: list[str] = []
    bytes_used = chars_used = 0
    for found in _UNIT.finditer(text):
        unit = found[0]
        bytes_used += len(unit.encode("utf-8", "surrogatepass"))
        chars_used += len(_seen(unit))
        if bytes_used > max_bytes or chars_used > max_chars:
            break
        units.append(unit)
    return units


def _best_cut(units: list[str]) -> int:
    """Return after how many of ``units`` to cut."""
    least = max(1, int(len(units) * MIN_FILL))
    for ends in _ENDS:
        for count in range(len(units), least - 1, -1):
            if ends.search("".join(units[max(0, count - 4) : count])):
                return count
    return len(units)
