"""Reads a message as far as the dialogue alone can: buttons, numbers, commands, corrections, answers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.dialogue.answers import AnswerReader, candidate_of, is_story
from bot.dialogue.catalog import Slot
from bot.dialogue.choices import match_label, match_number
from bot.dialogue.command_reader import CommandReader
from bot.dialogue.corrections import read_correction
from bot.dialogue.events import Option
from bot.dialogue.models import REVIEWING, Said
from bot.dialogue.payloads import (
    ABOUT_PAYLOAD,
    ANSWER_PAYLOAD,
    CHOICE_PAYLOAD,
    FIELD_PAYLOAD,
    FLOW_PAYLOAD,
    INTENT_PAYLOAD,
    SUBMIT_PAYLOAD,
    WORD_PAYLOAD,
)
from bot.dialogue.readings import (
    Act,
    Answers,
    Chooses,
    Commands,
    Corrects,
    Courteous,
    Happens,
    KeepsOld,
    Reading,
    Refused,
    Sends,
    StartsFlow,
    Submits,
    Unread,
)
from bot.dialogue.words import Command
from bot.dialogue.work import Work
from bot.values.options import parse_option
from bot.values.problem import Problem
from bot.values.texts import looks_like_question

_MAX_CHOICE_CHARS = 12
_LONGEST_ATTEMPT_CHARS = 20
_NOTHING_READ = (
    "not_found",
    "unreadable",
    "unclear",
    "mixed",
    "question",
    "unknown",
    "not_a_name",
    "expected",
)
"""How the codes of problems end that say that no value was found at all."""
_ODD_NAMES = ("has_digits", "too_short")
_DIGITS_ONLY = re.compile(r"[\dxX\s.,，、;；()（）+\-－—]*\d[\dxX\s.,，、;；()（）+\-－—]*")


@dataclass(frozen=True, slots=True)
class _Text:
    """A message as it was written, and its plain forms."""

    text: str
    forms: tuple[str, ...]


class MessageReader:
    """Reads messages; what it cannot tell is left to the NLU."""

    def __init__(self, answers: AnswerReader) -> None:
        self._answers = answers
        self._commands = CommandReader(answers)

    def read(self, work: Work, said: Said) -> Reading:
        """Return what the message is and whether the NLU should be asked."""
        if said.event is not None:
            pressed = self._pressed(work, said.event)
            return pressed if pressed is not None else Reading(Happens(said.event))
        if said.media_id is not None:
            return Reading(Sends(said.media_id))
        text = said.text.strip()
        if said.menu_id is not None:
            pressed = self._pressed(work, said.menu_id)
            if pressed is not None:
                return pressed
        if work.moved:
            return Reading(Unread(), needs_understanding=True, text=text)
        return self._text(work, text)

    def _text(self, work: Work, text: str) -> Reading:
        spoken = _Text(text, work.catalog.words.readings(text))
        chosen = self._shown_choice(work, spoken)
        return chosen if chosen is not None else replace(self._words(work, spoken), text=text)

    def _words(self, work: Work, spoken: _Text) -> Reading:
        """Read a text for what it says, whatever choices are shown."""
        act = self._commands.read(work, spoken.text, spoken.forms)
        if act is None and work.frames:
            act = read_correction(work, spoken.text)
        if act is not None:
            return Reading(act)
        slot = work.open_slot()
        if slot is not None and work.frames:
            return self._answer(work, slot, spoken)
        return self._courtesy(work, spoken) or Reading(Unread(), needs_understanding=True)

    def _answer(self, work: Work, slot: Slot, spoken: _Text) -> Reading:
        act = self._answers.read(work, slot, spoken.text)
        if isinstance(act, Refused):
            option = match_number(spoken.forms, work.offered or work.choices)
            chosen = self._chosen(work, option) if option is not None else None
            if chosen is not None:
                return chosen
            asks = not _is_attempt(act.problem, spoken.text)
            return self._courtesy(work, spoken) or Reading(act, needs_understanding=asks)
        if act.sure:
            return self._mere_courtesy(work, slot, spoken) or Reading(act)
        too_long = len(spoken.text) > work.settings.long_answer_chars and not is_story(work, slot)
        if too_long or looks_like_question(spoken.text):
            return Reading(act, needs_understanding=True)
        return self._courtesy(work, spoken) or Reading(act)

    def _mere_courtesy(self, work: Work, slot: Slot, spoken: _Text) -> Reading | None:
        """Return what 好 is where it only resembles one of the choices (好几年了) and none is called so."""
        if slot.validator != "options" or match_label(spoken.forms, work.choices, work.catalog.words) is not None:
            return None
        return self._courtesy(work, spoken)

    def _courtesy(self, work: Work, spoken: _Text) -> Reading | None:
        intent = work.catalog.words.courtesy(spoken.forms)
        step, slot = work.open_collect(), work.open_slot()
        if intent == "deny" and step is not None and step.optional and slot is not None and slot.type != "bool":
            # 不用了 where nothing needs to be said is no answer that could be wrong.
            return Reading(Commands(Command.SKIP))
        return Reading(Courteous(intent)) if intent is not None else None

    # --- Choices --------------------------------------------------------------------------------------------------

    def _shown_choice(self, work: Work, spoken: _Text) -> Reading | None:
        """Return what a label or number of the choices shown last stands for."""
        words = work.catalog.words
        is_choice = work.pending is not None and len(spoken.text) <= _MAX_CHOICE_CHARS
        courtesy = words.courtesy(spoken.forms)
        if courtesy == "affirm" and self._asks_back_about_one(work):
            return self._chosen(work, work.offered[0])
        if is_choice and courtesy is None:
            chosen = parse_option(spoken.text, work.offered)
            if not isinstance(chosen, Problem):
                return self._chosen(work, chosen)
        for options, counts in (
            (work.offered, self._counts_offered(work)),
            (work.choices, self._counts_choices(work)),
        ):
            option = match_label(spoken.forms, options, words)
            if option is None and counts:
                option = match_number(spoken.forms, options)
            reading = self._chosen(work, option) if option is not None else None
            if reading is not None:
                return reading
        return None

    def _asks_back_about_one(self, work: Work) -> bool:
        """Say whether “您是想：[找律师咨询]” was said last with no question open: 是的 can mean nothing else."""
        is_asked_back = work.pending is not None and work.pending.kind == "clarify"
        return is_asked_back and len(work.offered) == 1 and work.open_slot() is None

    def _chosen(self, work: Work, option: Option) -> Reading | None:
        """Return what a choice stands for. Words that only the NLU can tell are asked about; they are no answer."""
        if option.value.startswith("/") and option.next_flow is None:
            return self._pressed(work, option.value)
        act = self._option(work, option)
        return Reading(act) if act is not None else Reading(Unread(), needs_understanding=True, text=option.value)

    def _pressed(self, work: Work, payload: str) -> Reading | None:
        """Return what a button under a text or in the menu stands for; ``None`` for what is no payload of ours."""
        act = self._payload(work, payload)
        if act is not None or not payload.startswith(WORD_PAYLOAD):
            return Reading(act) if act is not None else None
        return Reading(Unread(), needs_understanding=True, text=payload.removeprefix(WORD_PAYLOAD))

    def _counts_offered(self, work: Work) -> bool:
        """Say whether a number means one of the choices offered beside the open question, rather than its answer."""
        slot = work.open_slot()
        return work.pending is not None or slot is None or not work.world.validators[slot.validator].sure

    def _counts_choices(self, work: Work) -> bool:
        """Say whether a number means one of the question's own choices before it is read as a value.

        跳过 and 不改 alone stand beside a question that is answered freely, where 1号 is a day.
        """
        slot = work.open_slot()
        if slot is None or slot.type == "list":
            return slot is None
        has_own = any(not option.value.startswith("/") for option in work.choices)
        return has_own or slot.validator == "yes_no" or not work.world.validators[slot.validator].sure

    def _option(self, work: Work, option: Option) -> Act | None:
        if option.next_flow is not None and not option.value.startswith(INTENT_PAYLOAD):
            return StartsFlow(option.next_flow)
        if option.value.startswith("/"):
            return self._payload(work, option.value)
        slot = work.open_slot()
        if slot is not None and option in work.choices:
            return Answers((candidate_of(work, slot, option),), sure=True)
        return self._word(work, option.value)

    def _payload(self, work: Work, payload: str) -> Act | None:
        """Return what a button's payload stands for; a tap on an old button may mean nothing any more."""
        if payload.startswith(FLOW_PAYLOAD):
            return StartsFlow(payload.removeprefix(FLOW_PAYLOAD))
        if payload.startswith(ABOUT_PAYLOAD):
            flow, _, about = payload.removeprefix(ABOUT_PAYLOAD).partition(":")
            return StartsFlow(flow, about=about)
        if payload.startswith(WORD_PAYLOAD):
            return self._word(work, payload.removeprefix(WORD_PAYLOAD))
        if payload.startswith(INTENT_PAYLOAD):
            return self._intent(work, payload.removeprefix(INTENT_PAYLOAD))
        if payload.startswith(ANSWER_PAYLOAD):
            return self._old_answer(work, payload.removeprefix(ANSWER_PAYLOAD))
        if payload.startswith(FIELD_PAYLOAD):
            slot = payload.removeprefix(FIELD_PAYLOAD)
            return Corrects(slot) if work.frames and slot in work.catalog.collects[work.service.id] else None
        return self._own_choice(work, payload)

    def _own_choice(self, work: Work, payload: str) -> Act | None:
        if payload == SUBMIT_PAYLOAD:
            return Submits() if work.asking == REVIEWING else None
        if not payload.startswith(CHOICE_PAYLOAD):
            return None
        choice = payload.removeprefix(CHOICE_PAYLOAD)
        if work.pending is not None:
            return Chooses(choice)
        return KeepsOld() if work.revisit is not None and choice == "keep" else None

    def _intent(self, work: Work, intent: str) -> Act | None:
        flow = work.catalog.flow_by_intent.get(intent)
        return StartsFlow(flow, intent) if flow is not None else None

    def _word(self, work: Work, word: str) -> Act | None:
        """Return what ``word`` would be if the worker had written it, as far as that needs no NLU."""
        reading = self._words(work, _Text(word, work.catalog.words.readings(word)))
        if isinstance(reading.act, Refused | Unread) or reading.needs_understanding:
            return None
        return reading.act

    def _old_answer(self, work: Work, rest: str) -> Act | None:
        """Return what a tapped answer means: of the open question, or of one answered before."""
        name, _, value = rest.partition(":")
        slot = work.catalog.slots.get(name)
        if slot is None or not work.frames:
            return None
        is_open = work.asking == name
        options: Sequence[Option] = work.choices if is_open else slot.options
        option = next((one for one in options if one.value == value), None)
        if option is None:
            return None
        candidate = candidate_of(work, slot, option)
        if is_open:
            return Answers((candidate,), sure=True)
        known = work.slots.get(name) is not None
        return Corrects(name, candidate.value, label=candidate.label) if known else None


def _is_attempt(problem: Problem, text: str) -> bool:
    """Say whether a message was meant as an answer, only a wrong one; what the NLU makes of such is chance."""
    if _DIGITS_ONLY.fullmatch(text) is not None:
        return True
    kind, _, what = problem.code.rpartition(".")
    if kind == "name":
        # Almost any short text looks like a name that is not quite right.
        return what in _ODD_NAMES
    return len(text) <= _LONGEST_ATTEMPT_CHARS and what not in _NOTHING_READ
