"""Texts as bags of n-grams: of characters, and of the sounds that Guizhou speakers do not tell apart.

Pure functions; the featurizers beside this file turn them into Rasa components.
"""

import re
import unicodedata
from functools import cache, lru_cache
from itertools import pairwise

from pypinyin import Style, lazy_pinyin
from pypinyin.constants import PINYIN_DICT

from nlu.components.normal_form import normalise

_RUN = re.compile(r"[a-z]+|[0-9]+|[^\x00-\x7f]|\S")
_LATIN = re.compile(r"[a-z]+")
_SYLLABLE = re.compile(r"[a-z]*[aeiouv][a-z]*")
_LONGEST_SYLLABLE = 6
# What follows "hu" in a syllable, and what follows "f" in the syllable that it is heard as: 花/发, 灰/飞, 婚/分.
_AFTER_HU_AS_AFTER_F = {"": "u", "i": "ei", "n": "en"}


def char_ngrams(text: str, longest: int) -> list[str]:
    """Return all character n-grams of ``text`` from 1 to ``longest``, with its edges marked by ^ and $.

    Chinese that is spelt in Latin letters has none: its letters say nothing, its sounds are read below.
    """
    plain = normalise(text)
    kept = _LATIN.sub(lambda run: "" if len(spelt(run[0])) > 1 else run[0], plain)
    return _windows(["^", *kept, "$"], longest) if kept else []


def sound_ngrams(text: str, longest: int) -> list[str]:
    """Return n-grams of fuzzy syllables from 1 to ``longest``; digits stay as written, and so do other words."""
    return _windows(["^", *sounds(text), "$"], longest)


def sounds(text: str) -> list[str]:
    """Return one fuzzy toneless syllable a Chinese character: zh=z, ch=c, sh=s, n=l, hu=f, -ng=-n.

    Speech recognition and pinyin keyboards put a homophone for what a dialect speaker says; under these syllables
    姿寻 and 咨询, 塞查 and 筛查, 公会 and 工会 are the same.
    """
    units = [part for run in _RUN.findall(normalise(text)) for part in (spelt(run) or (run,))]
    return [_sound(unit) for unit in units]


@lru_cache(maxsize=4096)
def spelt(run: str) -> tuple[str, ...]:
    """Return the toneless syllables of a run of Latin letters (``wobuxianghuole``); none where it spells no Chinese.

    Each syllable is as long as what follows it allows: xian rather than xi an.
    """
    # From the end on, so that a long run costs neither recursion nor more than six looks a letter.
    longest = [0] * len(run)
    for start in reversed(range(len(run))):
        for end in range(min(len(run), start + _LONGEST_SYLLABLE), start, -1):
            if run[start:end] in _syllables() and (end == len(run) or longest[end]):
                longest[start] = end - start
                break
    found, start = [], 0
    while start < len(run) and longest[0]:
        found.append(run[start : start + longest[start]])
        start += longest[start]
    return tuple(found)


@cache
def _syllables() -> frozenset[str]:
    """Return all toneless syllables that characters have, with v for ü; those without a vowel are only sighs."""
    told = unicodedata.normalize("NFD", ",".join(PINYIN_DICT.values())).replace("u\u0308", "v")
    bare = {"".join(sign for sign in one if not unicodedata.combining(sign)) for one in told.split(",")}
    return frozenset(one for one in bare if _SYLLABLE.fullmatch(one))


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
