"""How people here put a question, brought to one form: width, punctuation, particles, dialect, sounds."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from bot.values.syllables import syllable_of

DIALECT = (
    ("咋个整", "怎么办"),
    ("啷个整", "怎么办"),
    ("咋整", "怎么办"),
    ("咋搞", "怎么办"),
    ("哪样办", "怎么办"),
    ("咋个", "怎么"),
    ("啷个", "怎么"),
    ("囊个", "怎么"),
    ("咋", "怎么"),
    ("怎样", "怎么"),
    ("如何", "怎么"),
    ("啥子", "什么"),
    ("哪样", "什么"),
    ("乃样", "什么"),
    ("嘛样", "什么"),
    ("哪些", "什么"),
    ("啥", "什么"),
    ("哪点", "哪里"),
    ("哪凯", "哪里"),
    ("哪儿", "哪里"),
    ("几时", "什么时候"),
    ("好久", "多久"),
    ("好多", "多少"),
    ("没得", "没有"),
    ("莫得", "没有"),
    ("冇得", "没有"),
    ("得不得行", "可以吗"),
    ("要不要得", "可以吗"),
    ("得行不", "可以吗"),
    ("要得不", "可以吗"),
    ("可不可以", "可以吗"),
    ("能不能", "可以吗"),
    ("行不行", "可以吗"),
    ("晓得", "知道"),
    ("屋头", "家里"),
    ("屋里", "家里"),
    ("娃儿", "孩子"),
    ("崽崽", "孩子"),
    ("喊我", "叫我"),
    ("怀起", "怀孕"),
    ("大姨妈", "例假"),
    ("月经", "例假"),
    ("公资", "工资"),
    ("工钱", "工资"),
    ("薪水", "工资"),
    ("公会", "工会"),
    ("公基金", "公积金"),
    ("设保", "社保"),
    ("两岩", "两癌"),
    ("良癌", "两癌"),
    ("消费卷", "消费券"),
)
"""What is said in Tongren, or written by mistake, with the words that the entries use; applied in this order."""

_NOT_WORDS = re.compile(r"[\W_]+")
_PARTICLES = re.compile(r"[嘞勒喽咯噻嘛哈哦呀啊呢吧哎唉了的]")
_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("hu", "f"))


def normalise(text: str) -> str:
    """Return ``text`` in one width and case, without punctuation and particles, dialect in standard words."""
    plain = _PARTICLES.sub("", _NOT_WORDS.sub("", unicodedata.normalize("NFKC", text).lower()))
    for spoken, standard in DIALECT:
        plain = plain.replace(spoken, standard)
    return plain


def sounds(plain: str) -> list[str]:
    """Return the folded syllable of each character of a normalised text; what has no sound stays itself.

    Every character has one sound whatever stands beside it: a mistyped neighbour must not change it.
    """
    return [_sound(character) for character in plain]


@lru_cache(maxsize=8192)
def _sound(character: str) -> str:
    return fold_sound(syllable_of(character))


def fold_sound(syllable: str) -> str:
    """Return a pinyin syllable without the differences that people here do not make: zh/z, n/l, hu/f, -ng/-n."""
    for heard, folded in _INITIALS:
        if syllable.startswith(heard) and len(syllable) > len(heard):
            syllable = folded + syllable[len(heard) :]
            break
    return syllable.removesuffix("g") if syllable.endswith("ng") else syllable


def grams(items: Sequence[str], size: int) -> Iterator[str]:
    """Return every run of ``size`` neighbouring items, joined."""
    return ("".join(items[start : start + size]) for start in range(len(items) - size + 1))
