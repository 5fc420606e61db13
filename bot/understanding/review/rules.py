"""Which turns were understood badly, and what later turns say about earlier ones. Pure."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from bot.understanding.review.models import Finding, Outcome, Reason, Turn
from bot.understanding.rules import CRISIS, NEVER_OFFERED

CORRECTED_WITHIN: Final = timedelta(minutes=10)
"""What somebody does later than this says nothing about how they were understood before."""
HANDOFF_FLOW: Final = "pattern_human_handoff"
HANDOFF_INTENT: Final = "handoff_human"
LOOK_BACK_TURNS: Final = 2
_OTHERWISE = re.compile(
    r"^(?:不是(?![\u4e00-\u9fff])|不是(?:[这那问说要想的哦啊嘛呀]|我)|不对(?![外口])|错了|(?:搞|弄|理解)错|答非所问|乱[答说讲]"
    r"|[你您](?:没|莫|不)(?:有|得)?[听看搞]?(?:懂|明白|清楚)|我(?:是)?(?:问|说|讲)的(?:不)?是|我不是(?:要|想|问|说))"
)
_IN_OWN_WORDS: Final = frozenset({"Unread", "Refused", "Corrects", "Courteous"})
"""What the engine calls messages that are neither an answer, nor a command, nor a tap."""


def reason_of(turn: Turn) -> Reason | None:
    """Return why the turn itself belongs on the list; what keywords alone made of a text teaches no model."""
    if not turn.model_id:
        return None
    if turn.noted("understood") == CRISIS:
        return Reason.ALARM_BY_MODEL
    if turn.noted("clarified") is not None:
        return Reason.ASKED_BACK
    return Reason.LOST if turn.noted("not understood") is not None else None


def finding_of(turn: Turn, earlier: Sequence[Turn]) -> Finding | None:
    """Return what ``turn`` says about one of the follower's ``earlier`` turns, which come newest first."""
    recent = [one for one in earlier if turn.at - one.at <= CORRECTED_WITHIN]
    chosen = turn.noted("clarified as")
    if chosen is not None:
        asked = next((one for one in recent if reason_of(one) in {Reason.ASKED_BACK, Reason.LOST}), None)
        return Finding(asked, Outcome.CHOSE, chosen) if asked is not None else None
    return _cancelled(turn, recent) or _corrected(turn, recent[0]) if recent else None


def _cancelled(turn: Turn, recent: Sequence[Turn]) -> Finding | None:
    """A flow is cancelled right after it began; the question whether to cancel may stand between."""
    flow = turn.noted("flow cancelled")
    if flow is None:
        return None
    about = recent[0]
    if about.noted("message is") == "Commands" and len(recent) > 1:
        about = recent[1]
    if _understood(about) is None or ("flow started", flow) not in about.trace:
        return None
    return Finding(about, Outcome.CANCELLED, None)


def _corrected(turn: Turn, about: Turn) -> Finding | None:
    """Somebody says that they meant something else, or wants a person at once."""
    before = _understood(about)
    if before is None or before in {HANDOFF_INTENT, CRISIS}:
        return None
    if turn.noted("message is") in _IN_OWN_WORDS and _OTHERWISE.search(turn.said):
        now = _understood(turn)
        is_news = now is not None and now not in NEVER_OFFERED | {before, HANDOFF_INTENT}
        return Finding(about, Outcome.CONTRADICTED, now if is_news else None)
    if ("flow started", HANDOFF_FLOW) in turn.trace:
        return Finding(about, Outcome.HANDED_OVER, None)
    return None


def _understood(turn: Turn) -> str | None:
    """Return the intent that the model was sure of and that was acted on."""
    return turn.noted("understood") if turn.model_id else None
