"""Puts turns that were understood badly on the review list, while the log of turns is moved to SQL."""

from collections.abc import Sequence

from bot.turns.log import TurnLog, TurnRecord
from bot.understanding.models import Guess
from bot.understanding.review.models import Turn
from bot.understanding.review.rules import LOOK_BACK_TURNS, finding_of, reason_of
from bot.understanding.review.service import ReviewList


class ReviewCollector:
    """Looks at each turn once it is in the log of turns, where the turns before it stand. May be repeated."""

    def __init__(self, turn_log: TurnLog, reviews: ReviewList) -> None:
        self._turn_log = turn_log
        self._reviews = reviews

    async def collect(self, records: Sequence[TurnRecord]) -> None:
        """Add what belongs on the list. The records of one follower come in their order."""
        for record in records:
            turn = turn_of(record)
            reason = reason_of(turn)
            if reason is not None:
                await self._reviews.add(turn, reason)
            if _may_say_something(turn):
                earlier = await self._turn_log.before(turn.openid, turn.at, LOOK_BACK_TURNS)
                finding = finding_of(turn, [turn_of(one) for one in earlier])
                if finding is not None:
                    await self._reviews.note(finding)


def turn_of(record: TurnRecord) -> Turn:
    """Return the record as the review list sees it."""
    return Turn(
        key=record.key,
        openid=record.openid,
        at=record.received_at,
        said=record.said,
        guesses=tuple(Guess(str(intent), float(confidence)) for intent, confidence in record.guesses),
        model_id=record.model_id,
        trace=tuple((str(entry["what"]), str(entry["detail"])) for entry in record.trace),
    )


def _may_say_something(turn: Turn) -> bool:
    """Say whether it pays to look at the turns before; most messages go on with a form."""
    return turn.noted("message is") != "Answers"
