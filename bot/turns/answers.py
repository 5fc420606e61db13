"""What one message led to, and how the answer of a turn that wrote something is kept beside what it wrote."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256

from bot.dialogue.outcomes import TraceEntry
from bot.turns.log import TurnRecord
from bot.understanding.models import Guess, Ranking
from bot.values.texts import mask_personal
from bot.wechat.models import Inbound, Outgoing, OutText, outgoing_from_dict, outgoing_to_dict

LOGGED_GUESSES = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What one message led to. ``state`` is the dialogue to store, ``b""`` to forget it."""

    message: Inbound
    state: bytes
    outgoing: tuple[Outgoing, ...] = ()
    said: str = ""
    ranking: Ranking | None = None
    certainty: str | None = None
    flow: str | None = None
    trace: tuple[TraceEntry, ...] = ()
    at: datetime | None = None

    def record(self, *, took_ms: int, late: bool) -> TurnRecord:
        """Return the log entry, with personal values masked."""
        best = self.ranking.guesses[0] if self.ranking and self.ranking.guesses else None
        return TurnRecord(
            key=self.message.delivery_key,
            openid=self.message.openid,
            received_at=self.at or self.message.created_at,
            kind=type(self.message).__name__,
            said=mask_personal(self.said),
            answered=[mask_personal(out.text) for out in self.outgoing if isinstance(out, OutText)],
            intent=best.intent if best else None,
            confidence=round(best.confidence, 4) if best else None,
            certainty=self.certainty,
            flow=self.flow,
            trace=[{"what": entry.what, "detail": entry.detail} for entry in self.trace],
            took_ms=took_ms,
            late=late,
            guesses=[(guess.intent, round(guess.confidence, 4)) for guess in self._likeliest()],
            model_id=self.ranking.model_id if self.ranking else "",
        )

    def _likeliest(self) -> Sequence[Guess]:
        return self.ranking.guesses[:LOGGED_GUESSES] if self.ranking else ()


def pack_answer(answer: Answer, stored: bytes) -> bytes:
    """Return the answer as JSON, with a mark of the dialogue ``stored`` that it was given in."""
    return json.dumps(
        {
            "given_in": _mark(stored),
            "state": answer.state.decode(),
            "outgoing": [outgoing_to_dict(outgoing) for outgoing in answer.outgoing],
            "said": answer.said,
            "ranking": None if answer.ranking is None else asdict(answer.ranking),
            "certainty": answer.certainty,
            "flow": answer.flow,
            "trace": [asdict(entry) for entry in answer.trace],
            "at": None if answer.at is None else answer.at.isoformat(),
        },
        ensure_ascii=False,
    ).encode()


def unpack_answer(content: bytes, message: Inbound, stored: bytes) -> Answer:
    """Return the answer that ``pack_answer`` packed, for the follower whose dialogue is ``stored`` now.

    Where the dialogue went on without it, it is left as it is. Raises RecordUnreadable.
    """
    packed = json.loads(content)
    ranking = packed["ranking"]
    return Answer(
        message,
        packed["state"].encode() if not stored or packed["given_in"] == _mark(stored) else stored,
        tuple(outgoing_from_dict(record) for record in packed["outgoing"]),
        packed["said"],
        Ranking(**{**ranking, "guesses": tuple(Guess(**guess) for guess in ranking["guesses"])}) if ranking else None,
        packed["certainty"],
        packed["flow"],
        tuple(TraceEntry(**entry) for entry in packed["trace"]),
        datetime.fromisoformat(packed["at"]) if packed["at"] else None,
    )


def packed_texts(content: bytes) -> list[str]:
    """Return the texts of a packed answer."""
    said = (outgoing_from_dict(record) for record in json.loads(content)["outgoing"])
    return [outgoing.text for outgoing in said if isinstance(outgoing, OutText)]


def _mark(stored: bytes) -> str:
    return sha256(stored).hexdigest()
