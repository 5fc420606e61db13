"""Texts as numbers of pieces: the likeliest split under a unigram model (Kudo 2018), as E5 was trained with."""

import math

from nlu.components.e5_file import Pieces

_SPACE = "\u2581"
_UNKNOWN_COSTS = 10.0


class Tokenizer:
    """Splits texts. Pieces of other scripts than Chinese and Latin are left out: our users' are read as unknown."""

    def __init__(self, pieces: Pieces) -> None:
        self._begin, self._end, self._unknown = pieces.begin, pieces.end, pieces.unknown
        self._same = pieces.same
        self._known = {
            word: (number, float(pieces.scores[number]))
            for number, word in enumerate(pieces.words)
            if number != pieces.unknown and all(map(_ours, word))
        }
        self._longest = max(map(len, self._known))
        self._unknown_score = float(pieces.scores.min()) - _UNKNOWN_COSTS

    def numbers(self, text: str, most: int) -> list[int]:
        """Return the numbers of a normalised ``text``'s pieces between those of begin and end, ``most`` in all."""
        spelt = _SPACE + "".join(self._same.get(sign, sign) for sign in text).replace(" ", _SPACE)
        return [self._begin, *self._split(spelt)[: most - 2], self._end]

    def _split(self, spelt: str) -> list[int]:
        best = [0.0] + [-math.inf] * len(spelt)
        came: list[tuple[int, int]] = [(0, self._unknown)] * (len(spelt) + 1)
        for start in range(len(spelt)):
            here = best[start]
            if here + self._unknown_score > best[start + 1]:
                best[start + 1], came[start + 1] = here + self._unknown_score, (start, self._unknown)
            for stop in range(start + 1, min(start + self._longest, len(spelt)) + 1):
                piece = self._known.get(spelt[start:stop])
                if piece is not None and here + piece[1] > best[stop]:
                    best[stop], came[stop] = here + piece[1], (start, piece[0])
        found, place = [], len(spelt)
        while place > 0:
            place, number = came[place]
            found.append(number)
        return found[::-1]


def _ours(sign: str) -> bool:
    return sign == _SPACE or "\x20" < sign < "\x7f" or "\u2010" <= sign <= "\u303f" or "\u4e00" <= sign <= "\u9fff"
