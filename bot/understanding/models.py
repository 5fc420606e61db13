"""What understanding a message yields: intents with their chances, and signals of danger."""

from dataclasses import dataclass
from typing import Final, Literal, Protocol

INTENTS: Final = (
    "register_work_study",
    "book_health_screening",
    "consult_lawyer",
    "check_status",
    "change_registration",
    "cancel_registration",
    "faq_work_study",
    "faq_health_screening",
    "faq_legal_service",
    "faq_labour_law",
    "faq_membership",
    "faq_hardship_aid",
    "faq_mutual_aid",
    "faq_coupons",
    "faq_events",
    "faq_reading_room",
    "faq_app",
    "faq_contact",
    "handoff_human",
    "complaint",
    "crisis",
    "greet",
    "goodbye",
    "thank",
    "affirm",
    "deny",
    "help",
    "bot_challenge",
    "chitchat",
    "out_of_scope",
)
"""Every intent, as the flows' ``nlu_trigger`` and the training data name it."""


@dataclass(frozen=True, slots=True)
class Guess:
    """One intent and the chance that it is the right one, from 0 to 1."""

    intent: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """All guesses for one text, likeliest first; empty when nothing was recognised.

    ``source`` says who guessed; the confidences of keywords are weights, not measured chances. ``model_id`` names the
    trained model, empty for keywords.
    """

    guesses: tuple[Guess, ...]
    source: Literal["model", "keywords"]
    model_id: str = ""


class Understanding(Protocol):
    """Whatever turns a text into intents."""

    async def rank(self, text: str, budget_s: float) -> Ranking:
        """Return the ranking for ``text`` within ``budget_s`` seconds; never raises because a service is away."""
        ...


CrisisLevel = Literal["P0", "P1", "P2"]
CrisisKind = Literal[
    "self_harm",
    "work_accident",
    "violence",
    "child",
    "mass_protest",
    "threat",
    "fraud_detention",
    "media",
    "distress",
    "medical",
]


@dataclass(frozen=True, slots=True)
class CrisisSignal:
    """A danger that a text speaks of. ``rule`` names what matched, for the trace; it repeats nothing of the text."""

    level: CrisisLevel
    kind: CrisisKind
    rule: str
