"""Passwords that somebody would try: well-known words, runs on the keyboard, numbers, and variations of them."""

import re
from pathlib import Path

WORDS = frozenset(Path(__file__).with_name("guessable.txt").read_text(encoding="utf-8").split())
"""What passwords are most often made of, ours included."""
ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz")
RUN_CHARS = 4
DISTINCT_MIN = 5
_LOOKALIKES = str.maketrans("@4301$57!", "aaeolsstl")
_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")


def is_guessable(password: str, *names: str) -> bool:
    """Say whether a password is among those that are tried first.

    That is: few different characters, digits only, a piece repeated, a run on the keyboard, or well-known words or
    ``names`` with nothing but digits and signs around them, letters replaced by similar signs included.
    """
    text = password.lower()
    if len(set(text)) < DISTINCT_MIN or re.fullmatch(r"[\d\W_]+", text) or _repeats(text):
        return True
    known = WORDS | {name.lower() for name in names if name}
    cores = {
        _ENDS.sub("", text),
        _ENDS.sub("", text).translate(_LOOKALIKES),
        _ENDS.sub("", text.translate(_LOOKALIKES)),
    }
    return any(_is_made_of(core, known) for core in cores)


def _is_made_of(core: str, known: frozenset[str]) -> bool:
    """Say whether ``core`` is nothing but known words and keyboard runs, signs between them aside."""
    pieces = [piece for piece in re.split(r"[\W\d_]+", core) if piece]
    return all(_is_known(piece, known) for piece in pieces) if pieces else True


def _is_known(piece: str, known: frozenset[str]) -> bool:
    """Say whether ``piece`` can be cut into known words and runs, from left to right."""
    reached = {0}
    for start in range(len(piece)):
        if start not in reached:
            continue
        for end in range(start + 1, len(piece) + 1):
            part = piece[start:end]
            if part in known or (len(part) >= RUN_CHARS and _is_run(part)):
                reached.add(end)
    return len(piece) in reached


def _is_run(text: str) -> bool:
    return any(text in row or text in row[::-1] for row in ROWS) or len(set(text)) == 1


def _repeats(text: str) -> bool:
    """Say whether the text is one piece written several times."""
    return text in (text + text)[1:-1]
