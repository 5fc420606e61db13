"""How a text is spelt before anything is computed from it. A change here changes every vector and every n-gram."""

import re
import unicodedata

_SPACES = re.compile(r"\s+")
_LAUGH = re.compile(r"(.)\1{2,}")


def normalise(text: str) -> str:
    """Return ``text`` in half width and lower case, blanks dropped, runs of one character cut to two."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return _LAUGH.sub(r"\1\1", _SPACES.sub("", folded))
