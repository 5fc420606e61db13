"""Messages that ask for two things, put together from two training texts. Pure.

People write “帮我查下报上没有，顺便问下消费券在哪领”; what they ask first is served first and the rest is offered
after it, so the first text gives the label. A danger counts wherever it stands, and thanks behind a wish change
nothing.
"""

from collections.abc import Sequence

import numpy as np

from bot.understanding.models import INTENTS

LONGEST_CHARS = 26
"""Of each of the two; what is longer is a story of its own."""
_TALK = {"greet", "goodbye", "thank", "affirm", "deny", "help", "bot_challenge", "chitchat"}
_WISHES = frozenset(INTENTS) - _TALK - {"handoff_human", "out_of_scope"}
_AFTER = _WISHES | {"handoff_human", "out_of_scope", "thank"}
_BETWEEN = (
    *(
        "，",
        "，",
        "，",
        "。",
        "；",
        "？",
        " ",
        " ",
        "",
        "然后",
        "顺便",
        "还有就是",
        "，然后",
        "，另外",
        "，还有",
        "，再",
    ),
    *(
        "，顺便问下",
        "，顺带",
        "，对了",
        "，再问一下",
        "，再就是",
        "，还想问下",
        "，另外问下",
        "，还有个事",
        "，另请问",
        "，同时",
    ),
)


def joined(
    texts: Sequence[str], labels: Sequence[str], count: int, dice: np.random.Generator
) -> list[tuple[str, str]]:
    """Return ``count`` texts put together with their labels; none where ``texts`` hold fewer than two wishes."""
    short = [place for place, text in enumerate(texts) if len(text) <= LONGEST_CHARS]
    first = _by_label(short, labels, _WISHES)
    second = _by_label(short, labels, _AFTER)
    found: list[tuple[str, str]] = []
    while len(found) < count and len(first) > 1:
        label, other = str(dice.choice(list(first))), str(dice.choice(list(second)))
        if label == other:
            continue
        lead, rest = (texts[dice.choice(places)] for places in (first[label], second[other]))
        between = _BETWEEN[dice.integers(len(_BETWEEN))]
        found.append((lead.rstrip("，。！？!?") + between + rest, "crisis" if other == "crisis" else label))
    return found


def _by_label(places: Sequence[int], labels: Sequence[str], wanted: frozenset[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place in places:
        if labels[place] in wanted:
            found.setdefault(labels[place], []).append(place)
    return found
