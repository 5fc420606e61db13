"""What to do with a message when the NLU, or a word of courtesy, says what it means."""

from typing import assert_never

from bot.dialogue import pattern_texts
from bot.dialogue.answers import AnswerReader, is_story
from bot.dialogue.catalog import Review
from bot.dialogue.events import Option
from bot.dialogue.filling import Filler
from bot.dialogue.models import REVIEWING, Aside, Candidate, Pending, Trigger, Understood
from bot.dialogue.payloads import INTENT_PAYLOAD
from bot.dialogue.readings import Answers, Refused, Unread
from bot.dialogue.services import Services
from bot.dialogue.steps import Runner
from bot.dialogue.wishes import meant_by
from bot.dialogue.words import COURTESIES
from bot.dialogue.work import Work
from bot.values.texts import looks_like_question

HANDOFF_INTENT = "handoff_human"
HELP_INTENT = "help"
NO_HELP = frozenset({"chitchat", "out_of_scope", "greet", "goodbye", "affirm", "deny"})
"""What the NLU makes of many a short answer; to say what is wrong with the answer is more help. Words of courtesy
alone never come to the NLU."""
MAX_CLARIFIED = 3


class Interpretation:
    """Weighs intents against the open question."""

    def __init__(self, runner: Runner, filler: Filler, services: Services, answers: AnswerReader) -> None:
        self._runner = runner
        self._filler = filler
        self._services = services
        self._answers = answers

    def act_on(self, work: Work, act: Answers | Refused | Unread, understood: Understood, text: str) -> bool:
        """Do what the NLU understood; False when the message should be taken for what it is without the NLU."""
        about = _asked_about(work, act, understood, text)
        if about is not None:
            work.note("taken for a question about the form", about)
            return self._turn_to(work, about, text)
        if not understood.intents:
            return False
        if understood.certainty == "sure":
            return self._act_on_sure(work, act, understood.intents, text)
        if understood.certainty == "unsure":
            return self._clarify(work, act, understood.intents, text)
        return False

    def _act_on_sure(self, work: Work, act: Answers | Refused | Unread, intents: tuple[str, ...], text: str) -> bool:
        intent, *likelier = intents
        if not isinstance(act, Answers) and not _is_explicit(work) and self._answer_question(work, intent):
            return True
        flow_id = work.catalog.flow_by_intent.get(intent)
        is_running = any(frame.flow == flow_id for frame in work.frames)
        if isinstance(act, Answers) and not _interrupts(work, intent, flow_id, text):
            return False
        is_wrong_answer = intent in NO_HELP or len(text) < work.settings.telling_chars
        if isinstance(act, Refused) and (is_running or (is_wrong_answer and not looks_like_question(text))):
            return False
        work.note("understood", intent)
        if options := _likeliest(work, tuple(likelier)):
            return self._offer(work, pattern_texts.MAYBE_OUTSIDE, options, text)
        return self._turn_to(work, intent, text)

    def _turn_to(self, work: Work, intent: str, text: str) -> bool:
        """Do what an intent stands for; what else the message says for the open question is offered with it later."""
        slot, before = work.open_slot(), work.aside
        if slot is not None and work.frames and (words := meant_by(work, slot, text)):
            work.aside = Aside(slot.name, work.choices, words)
            work.note("answers the open question too", slot.name)
        is_done = self._follow(work, intent)
        if not is_done:
            work.aside = before
        return is_done

    def _follow(self, work: Work, intent: str) -> bool:
        """Do what an intent stands for; False when nothing does."""
        flow_id = work.catalog.flow_by_intent.get(intent)
        if intent == HANDOFF_INTENT:
            self._services.hand_over(work)
        elif flow_id is not None:
            self._services.start(work, work.catalog.flows[flow_id], Trigger(intent=intent))
        elif f"utter_{intent}" in work.catalog.responses:
            work.say(f"utter_{intent}")
        elif intent == HELP_INTENT:
            work.say(pattern_texts.HELP)
        else:
            return False
        return True

    def courtesy(self, work: Work, intent: str) -> None:
        """Answer 谢谢 or 好的; where 好的 answers the open question, it does."""
        if not self._answer_question(work, intent) and not self._follow(work, intent):
            self.cannot_handle(work, None, "")

    def _answer_question(self, work: Work, intent: str) -> bool:
        """Let yes or no answer the open question, when it can."""
        if intent not in {"affirm", "deny"}:
            return False
        slot = work.open_slot()
        if slot is not None and work.frames and slot.validator == "yes_no":
            self._filler.take(work, (Candidate(slot.name, intent == "affirm", "answer"),))
            return True
        if work.asking == REVIEWING and intent == "affirm":
            self.submit(work)
            return True
        return False

    def submit(self, work: Work) -> None:
        """Go on from the review screen."""
        step = work.step()
        if isinstance(step, Review):
            work.close_question()
            self._runner.advance(work, step)

    def take_kept_text(self, work: Work, text: str) -> None:
        """Take the text that was kept back until it was clear that the form goes on."""
        slot = work.open_slot()
        if slot is None or not text:
            return
        act = self._answers.read(work, slot, text)
        if isinstance(act, Answers):
            self._filler.take(work, act.candidates)

    # --- Not understood -------------------------------------------------------------------------------------------

    def cannot_handle(self, work: Work, understood: Understood | None, text: str) -> None:
        """Say plainly that the message was not understood; the second time in a row offer the menu and a person."""
        if work.moved:
            return
        work.misses += 1
        work.note("not understood")
        if work.misses >= work.settings.misses_before_person:
            work.misses = 0
            work.say(pattern_texts.CANNOT_HANDLE_AGAIN)
            work.stopped = not work.frames
            return
        options = _likeliest(work, understood.intents if understood is not None else ())
        work.say(pattern_texts.CANNOT_HANDLE, options=options)
        if options:
            work.pending = Pending("clarify", text=text)

    def _clarify(self, work: Work, act: Answers | Refused | Unread, intents: tuple[str, ...], text: str) -> bool:
        slot = work.open_slot()
        is_story_open = slot is not None and is_story(work, slot)
        is_asked = isinstance(act, Unread) or (looks_like_question(text) and not is_story_open)
        options = _likeliest(work, intents) if is_asked else ()
        if not options:
            return False
        work.note("clarified", ",".join(intents[:MAX_CLARIFIED]))
        return self._offer(work, pattern_texts.CLARIFY, options, text)

    def _offer(self, work: Work, words: str, options: tuple[Option, ...], text: str) -> bool:
        """Say ``words`` with ``options``, one of which the next message may take."""
        work.say(words, options=options)
        work.pending = Pending("clarify", text=text)
        return True


def _asked_about(work: Work, act: Answers | Refused | Unread, understood: Understood, text: str) -> str | None:
    """Return the intent of questions about the form, where a question in it is not understood as anything else."""
    about = work.service.questions if work.frames else None
    slot = work.open_slot()
    if about is None or not looks_like_question(text) or (slot is not None and is_story(work, slot)):
        return None
    first = understood.intents[0] if understood.intents else None
    match understood.certainty:
        case "sure":
            return about if first in NO_HELP else None
        case "unsure":
            flows = work.catalog.flow_by_intent
            return about if {flows.get(intent) for intent in understood.intents} == {flows.get(about)} else None
        case "lost":
            return None if isinstance(act, Unread) else about
        case _:
            assert_never(understood.certainty)


def _is_explicit(work: Work) -> bool:
    """Say whether only a yes or no in so many words answers the open question, not what the NLU takes for one."""
    slot = work.open_slot()
    return slot is not None and slot.explicit


def _interrupts(work: Work, intent: str, flow_id: str | None, text: str) -> bool:
    """Say whether a text that the open question would take is rather meant for something else."""
    is_running = any(frame.flow == flow_id for frame in work.frames)
    is_question = looks_like_question(text)
    slot = work.open_slot()
    if slot is not None and is_story(work, slot):
        return is_question and not is_running and len(text) <= work.settings.long_answer_chars
    if flow_id is None:
        return is_question or intent in COURTESIES or intent in {HANDOFF_INTENT, HELP_INTENT}
    return not is_running


def _likeliest(work: Work, intents: tuple[str, ...]) -> tuple[Option, ...]:
    """Return the first intents that a flow takes as choices, without those that run already."""
    options: dict[str, Option] = {}
    running = {frame.flow for frame in work.frames}
    for intent in intents[:MAX_CLARIFIED]:
        flow_id = work.catalog.flow_by_intent.get(intent)
        if flow_id is None or flow_id in running:
            continue
        label = work.text_of(f"intent.{intent}") or work.catalog.flows[flow_id].name
        options.setdefault(label, Option(f"{INTENT_PAYLOAD}{intent}", label, next_flow=flow_id))
    return tuple(options.values())
