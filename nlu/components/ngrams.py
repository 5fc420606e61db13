"""Texts as bags of n-grams: of characters, and of the sounds that Guizhou speakers do not tell apart.

Pure functions; the featurizers beside this file turn them into Rasa components.
"""

import re
from functools import lru_cache
from itertools import pairwise

from pypinyin import Style, lazy_pinyin

from nlu.components.normal_form import normalise

_RUN = re.compile(r"[a-z]+|[0-9]+|[^\x00-\x7f]|\S")
# What follows "hu" in a syllable, and what follows "f" in the syllable that it is heard as: 花/发, 灰/飞, 婚/分.
_AFTER_HU_AS_AFTER_F = {"": "u", "i": "ei", "n": "en"}


def char_ngrams(text: str, longest: int) -> list[str]:
    """Return all character n-grams of ``text`` from 1 to ``longest``, with its edges marked by ^ and $."""
    return _windows(["^", *normalise(text), "$"], longest)


def sound_ngrams(text: str, longest: int) -> list[str]:
    """Return n-grams of fuzzy syllables from 1 to ``longest``; digits and Latin runs stay as written."""
    return _windows(["^", *sounds(text), "$"], longest)


def sounds(text: str) -> list[str]:
    """Return one fuzzy toneless syllable a Chinese character: zh=z, ch=c, sh=s, n=l, hu=f, -ng=-n.

    Speech recognition and pinyin keyboards put a homophone for what a dialect speaker says; under these syllables
    姿寻 and 咨询, 塞查 and 筛查, 公会 and 工会 are the same.
    """
    return [_sound(unit) for unit in _RUN.findall(normalise(text))]


@lru_cache(maxsize=16_384)
def _sound(unit: str) -> str:
    # Each unit is read by itself anyway, so that a memory of units answers for most of a new text.
    return fuzzy("".join(lazy_pinyin([unit], style=Style.NORMAL, errors="default")))


@lru_cache(maxsize=4096)
def fuzzy(syllable: str) -> str:
    """Return the class of like-sounding syllables that a toneless pinyin ``syllable`` belongs to."""
    if not syllable.isascii() or not syllable.isalpha():
        return syllable
    if syllable.startswith("hu"):
        rest = syllable.removeprefix("hu")
        syllable = "f" + _AFTER_HU_AS_AFTER_F.get(rest, rest)
    elif syllable[:2] in {"zh", "ch", "sh"}:
        syllable = syllable[0] + syllable[2:]
    elif syllable.startswith("n"):
        syllable = "l" + syllable[1:]
    return syllable.removesuffix("g") if syllable.endswith("ng") else syllable


def _windows(units: list[str], longest: int) -> list[str]:
    grams = [unit for unit in units if unit not in {"^", "$"}]
    if longest >= 2:
        grams += [f"{left}\x1f{right}" for left, right in pairwise(units)]
    for size in range(3, longest + 1):
        grams += ["\x1f".join(units[start : start + size]) for start in range(len(units) - size + 1)]
    return grams
