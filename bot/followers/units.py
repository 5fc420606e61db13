"""Names of units and their unions, in one form: 铜仁市人民医院 and 铜仁市人民医院工会委员会 are the same people."""

import re
import unicodedata

UNIT_CHARS = 80
_SPACE = re.compile(r"\s+")
# 总工会 is a body of its own, not the union of a unit that is called 总.
_UNION = re.compile("(?<!总)工会(?:委员会)?$")


def normal_unit(text: str) -> str:
    """Return the name without spaces, in one width, without 工会 behind it; empty when nothing is left."""
    plain = _SPACE.sub("", unicodedata.normalize("NFKC", text))
    return (_UNION.sub("", plain) or plain)[:UNIT_CHARS]
