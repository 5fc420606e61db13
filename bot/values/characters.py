"""Characters: one spelling for full-width, invisible and look-alike characters, and digits spoken in Chinese.

Two functions, because they serve two readers. ``normalise`` is what gets compared or stored. ``fold`` keeps the
length of the text, so that a match in the folded text has the same place in the text that the worker wrote.
"""

import re
import unicodedata

_FOLDED_RANGES = ((0x00A0, 0x3400), (0xF900, 0x10000), (0x1D400, 0x1D800))
_DASHES = "‐‑‒–—―−﹣－ー"
_TILDES = "～〜∼"
_DROPPED = re.compile("[\ufe00-\ufe0f\u20e3\U000e0100-\U000e01ef]")
_BLANKS = re.compile(r"\s+")

SPOKEN_DIGITS = {
    "〇": "0", "零": "0", "洞": "0",
    "一": "1", "幺": "1", "壹": "1",
    "二": "2", "两": "2", "贰": "2",
    "三": "3", "叁": "3",
    "四": "4", "肆": "4",
    "五": "5", "伍": "5",
    "六": "6", "陆": "6",
    "七": "7", "柒": "7",
    "八": "8", "捌": "8",
    "九": "9", "玖": "9",
}  # fmt: skip


def _is_invisible(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _build_fold_table() -> dict[int, str]:
    table = dict.fromkeys((*range(0x20), 0x7F, 0xAD), " ")
    for start, end in _FOLDED_RANGES:
        for code in range(start, end):
            char = chr(code)
            folded = " " if _is_invisible(char) else unicodedata.normalize("NFKC", char)
            if len(folded) == 1 and folded != char:
                table[code] = folded
    table.update((ord(char), "-") for char in _DASHES)
    table.update((ord(char), "~") for char in _TILDES)
    return table


_FOLD_TABLE = _build_fold_table()
_SPOKEN_TABLE = {ord(spoken): digit for spoken, digit in SPOKEN_DIGITS.items()}


def fold(text: str) -> str:
    """Return ``text`` with full-width, circled and look-alike characters made plain; same length, same places."""
    return text.translate(_FOLD_TABLE)


def fold_digits(text: str) -> str:
    """Return ``fold(text)`` with digits spoken in Chinese (一, 幺, 洞 …) as 0-9; same length, same places."""
    return text.translate(_FOLD_TABLE).translate(_SPOKEN_TABLE)


def normalise(text: str) -> str:
    """Return ``text`` as it is stored: NFKC, nothing invisible, single blanks, no blanks at the ends."""
    plain = unicodedata.normalize("NFKC", text)
    if not plain.isprintable():
        plain = "".join(" " if char in "\t\r\n\x0b\x0c\u2028\u2029" else char for char in plain if _is_kept(char))
    return _BLANKS.sub(" ", _DROPPED.sub("", plain)).strip()


def _is_kept(char: str) -> bool:
    return char in "\t\r\n\x0b\x0c\u2028\u2029" or not _is_invisible(char)
