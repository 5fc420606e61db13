"""The reading of one Chinese character, by pypinyin, without the table of phrases that it would load."""

import os
from collections.abc import Callable
from functools import cache


def syllable_of(character: str) -> str:
    """Return the toneless pinyin of one character, the usual one of several; what has no sound stays itself."""
    return _reader()(character)


@cache
def _reader() -> Callable[[str], str]:
    # pypinyin reads these while it is imported, and has no other switch. Its table of phrases takes 45 MB in every
    # process and only tells apart the readings of a character in company; here each is read by itself.
    os.environ["PYPINYIN_NO_PHRASES"] = "true"
    os.environ["PYPINYIN_NO_DICT_COPY"] = "true"
    # Its table of characters takes 8 MB, for processes that listen to people.
    from pypinyin import Style, lazy_pinyin

    def read(character: str) -> str:
        syllable: str = lazy_pinyin(character, style=Style.NORMAL)[0]
        return syllable

    return read
