"""Conversation repair: what the engine does with a message that is not simply the next answer."""

from dataclasses import replace
from typing import assert_never

from bot.dialogue import pattern_texts
from bot.dialogue.catalog import Collect
from bot.dialogue.events import Option
from bot.dialogue.filling import Filler
from bot.dialogue.interpretation import Interpretation
from bot.dialogue.models import Candidate, Pending, Revisit, Said, Trigger, Understood
from bot.dialogue.outcomes import Spoken
from bot.dialogue.payloads import FIELD_PAYLOAD
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
from bot.dialogue.services import HANDOFF_FLOW, Services
from bot.dialogue.steps import Runner
from bot.dialogue.words import Command
from bot.dialogue.work import Work

MENU_FLOW = "pattern_menu"
_COURTEOUS_CHOICES = {
    ("resume", "affirm"): pattern_texts.GO_ON,
    ("resume", "deny"): pattern_texts.KEEP,
    ("restart", "affirm"): pattern_texts.GO_ON,
    ("cancel", "deny"): pattern_texts.GO_ON,
}
"""What 好的 and 不 mean as answers to the engine's own questions."""


class Patterns:
    """Turns what a message is into changes of the work; the runner then goes on from there."""

    def __init__(self, runner: Runner, filler: Filler, services: Services, interpretation: Interpretation) -> None:
        self._runner = runner
        self._filler = filler
        self._services = services
        self._interpretation = interpretation

    def handle(self, work: Work, said: Said, reading: Reading, understood: Understood | None) -> None:
        """Do what the message asks for."""
        act = reading.act
        work.text = reading.text or said.text
        pending, work.pending = work.pending, None
        if _goes_on(act):
            work.away = False
        elif work.away and not isinstance(act, Answers):
            self._services.drop_errands(work)
            act = Unread() if isinstance(act, Refused) and work.asking is None else act
        work.note("message is", type(act).__name__)
        self._do(work, act, pending, reading.text or said.text, understood)
        if not isinstance(act, Refused | Unread | Answers):
            work.misses = 0

    def _do(self, work: Work, act: Act, pending: Pending | None, text: str, understood: Understood | None) -> None:
        match act:
            case StartsFlow():
                self._start(work, act, pending)
            case Commands():
                self._command(work, act.command)
            case Chooses():
                self._choose(work, act.choice, pending)
            case Answers() | Refused() | Unread():
                self._weigh(work, act, text, understood)
            case Corrects():
                self._correct(work, act)
            case Submits():
                self._interpretation.submit(work)
            case KeepsOld():
                self._keep_old(work)
            case Sends():
                self._take_picture(work, act.media_id)
            case Happens():
                self._happen(work, act.event)
            case Courteous():
                self._be_courteous(work, act.intent, pending)
            case _:
                assert_never(act)

    # --- Answers --------------------------------------------------------------------------------------------------

    def _weigh(self, work: Work, act: Answers | Refused | Unread, text: str, understood: Understood | None) -> None:
        """Decide between the answer that a message may be and what the NLU makes of it."""
        if isinstance(act, Answers) and act.sure:
            self._take(work, act, text)
            return
        if understood is not None and self._interpretation.act_on(work, act, understood, text):
            work.misses = 0
            return
        match act:
            case Answers() if work.away and work.is_form():
                # After a long pause a free text may be the answer or a new topic: it is kept until that is clear.
                self._ask_resume(work, text)
            case Answers():
                self._take(work, act, text)
            case Refused():
                work.misses = 0
                self._filler.refuse_answer(work, act.problem)
            case Unread():
                self._interpretation.cannot_handle(work, understood, text)
            case _:
                assert_never(act)

    def _take(self, work: Work, act: Answers, text: str) -> None:
        work.misses = 0
        if len(text) >= work.settings.two_answers_chars:
            work.answer = text
        if act.problem is not None:
            work.note("only other questions answered")
        self._filler.take(work, act.candidates)

    def _ask_resume(self, work: Work, text: str) -> None:
        work.away = False
        work.pending = Pending("resume", work.service.id, text)
        position = len(work.journey.answered) + 1
        work.say(pattern_texts.RESUME, {"flow": work.service.name, "position": position})
        work.stopped = True

    def _keep_old(self, work: Work) -> None:
        revisit = work.revisit
        if revisit is None:
            return
        self._runner.restore_revisited(work)
        step = work.step()
        if isinstance(step, Collect) and step.slot == revisit.slot:
            work.close_question()
            self._runner.pass_question(work, step)

    def _take_picture(self, work: Work, media_id: str) -> None:
        slot = work.open_slot()
        if slot is None or not work.frames or slot.validator != "media":
            self._start_event(work, "image", pattern_texts.PICTURE)
            return
        if slot.type != "list":
            self._filler.take(work, (Candidate(slot.name, media_id, "answer"),))
            return
        work.gathered = (*work.gathered, media_id)
        if len(work.gathered) >= slot.limits.get("max_items", work.settings.max_gathered):
            self._finish_list(work)
        else:
            work.say(pattern_texts.PICTURE_MORE, {"count": len(work.gathered)})
            work.stopped = True

    def _finish_list(self, work: Work) -> None:
        if work.asking is not None and work.gathered:
            self._filler.take(work, (Candidate(work.asking, list(work.gathered), "answer"),))

    # --- Corrections, back, skip ----------------------------------------------------------------------------------

    def _correct(self, work: Work, act: Corrects) -> None:
        if act.slot is None:
            self._ask_which(work)
        elif act.value is not None:
            self._filler.take(work, (Candidate(act.slot, act.value, "correction", act.label),))
        else:
            if act.problem is not None:
                work.lead_problem(act.problem)
            if not self._filler.ask_again(work, act.slot):
                self._filler.forget(work, act.slot)

    def _ask_which(self, work: Work) -> None:
        """Offer the answered questions, the last one first."""
        names = [one.slot for one in reversed(work.journey.answered) if work.slots.get(one.slot) is not None]
        options = tuple(Option(f"{FIELD_PAYLOAD}{name}", work.catalog.slots[name].label) for name in names)
        work.pending = Pending("field")
        work.say(pattern_texts.WHICH_FIELD, options=options[: work.settings.max_options])
        work.stopped = True

    def _back(self, work: Work) -> None:
        """Ask the question before the open one again; the old answer can be kept with one tap."""
        journey = work.journey
        open_slot = work.revisit.slot if work.revisit is not None else work.asking
        before = [
            one
            for one in journey.answered
            if one.slot != open_slot and (work.slots.get(one.slot) is not None or one.slot in journey.skipped)
        ]
        for entry in reversed(before):
            if self._runner.revisit(work, entry, Revisit(entry.slot, work.slots.get(entry.slot), "back")):
                return
        work.lead(pattern_texts.NOTHING_BEFORE)

    def _skip(self, work: Work) -> None:
        step = work.open_collect()
        slot = work.open_slot()
        if step is None or slot is None:
            return
        if not step.optional:
            work.lead(pattern_texts.CANNOT_SKIP, {"label": slot.label})
            return
        journey = work.journey
        work.revisit = None
        work.remember(replace(journey, skipped=tuple(dict.fromkeys((*journey.skipped, slot.name)))))
        work.close_question()
        self._runner.pass_question(work, step)

    # --- Commands -------------------------------------------------------------------------------------------------

    def _command(self, work: Work, command: Command) -> None:
        match command:
            case Command.CANCEL:
                self._services.ask_cancel(work)
            case Command.BACK:
                self._back(work)
            case Command.SKIP:
                self._skip(work)
            case Command.REPEAT:
                self._repeat(work)
            case Command.HELP:
                work.say(pattern_texts.HELP)
            case Command.WHY:
                self._explain(work)
            case Command.MENU:
                self._show_menu(work)
            case Command.PERSON:
                self._services.hand_over(work)
            case Command.CONTINUE:
                self._go_on(work)
            case Command.DONE:
                self._finish_list(work)
            case Command.SUBMIT:
                self._interpretation.submit(work)
            case Command.KEEP:
                self._keep_old(work)
            case _:
                assert_never(command)

    def _go_on(self, work: Work) -> None:
        """Take up the draft that was kept last; an open question is asked again anyway."""
        if work.frames:
            return
        if work.drafts:
            self._services.resume(work, work.drafts[-1].flow)
        else:
            work.say(pattern_texts.NOTHING_OPEN)

    def _repeat(self, work: Work) -> None:
        """Say the last thing again; an open question is asked again anyway."""
        if work.frames:
            return
        if not work.last_said:
            work.say(pattern_texts.NOTHING_OPEN)
            return
        for spoken in work.last_said:
            work.emit(Spoken(spoken.response, spoken.fields, spoken.options, spoken.variant))
            work.offered = (*spoken.options, *work.buttons(spoken)) or work.offered

    def _explain(self, work: Work) -> None:
        slot = work.open_slot()
        if slot is None:
            work.say(pattern_texts.HELP)
        elif slot.help:
            work.lead(pattern_texts.WHY, {"label": slot.label, "help": slot.help})
        else:
            work.lead(pattern_texts.WHY_UNKNOWN, {"label": slot.label})

    def _show_menu(self, work: Work) -> None:
        flow = work.catalog.flows.get(MENU_FLOW)
        if flow is None:
            work.say(pattern_texts.MENU)
            work.stopped = not work.frames
        else:
            self._services.interrupt(work, flow)

    # --- Flows, events, the engine's own questions ----------------------------------------------------------------

    def _start(self, work: Work, act: StartsFlow, pending: Pending | None) -> None:
        flow = work.catalog.flows.get(act.flow)
        if flow is None:
            work.note("no such flow", act.flow)
            return
        is_clarified = act.intent is not None and pending is not None and pending.kind in {"clarify", "later"}
        if act.intent is not None and pending is not None and pending.kind == "clarify":
            work.note("clarified as", act.intent)
        trigger = Trigger(pending.text, act.intent) if is_clarified and pending is not None else Trigger(act.about)
        if flow.id == HANDOFF_FLOW:
            self._services.hand_over(work)
        else:
            self._services.start(work, flow, trigger)

    def _happen(self, work: Work, event: str) -> None:
        if event in work.catalog.flow_by_event:
            self._start_event(work, event, pattern_texts.PICTURE)
        else:
            work.note("event without a flow", event)
            work.stopped = True

    def _start_event(self, work: Work, event: str, otherwise: str) -> None:
        flow = work.catalog.flows.get(work.catalog.flow_by_event.get(event, ""))
        if flow is None:
            work.lead(otherwise)
        else:
            self._services.interrupt(work, flow)

    def _be_courteous(self, work: Work, intent: str, pending: Pending | None) -> None:
        if pending is not None and pending.kind == "later" and intent == "affirm":
            self._serve(work, pending)
            return
        choice = _COURTEOUS_CHOICES.get((pending.kind, intent)) if pending is not None else None
        if choice is None:
            self._interpretation.courtesy(work, intent)
        else:
            work.away = False
            self._choose(work, choice, pending)

    def _serve(self, work: Work, pending: Pending) -> None:
        """Begin what was asked for together with what is done now."""
        if pending.flow is not None:
            self._start(work, StartsFlow(pending.flow, pending.intent), pending)

    def _choose(self, work: Work, choice: str, pending: Pending | None) -> None:
        """Do what was chosen in the engine's own question."""
        if pending is None or pending.flow is None:
            return
        match pending.kind, choice:
            case "cancel" | "resume", pattern_texts.KEEP:
                self._services.keep(work)
                self._services.say_kept(work, pending.flow)
            case "cancel" | "resume", pattern_texts.DROP:
                self._services.cancel(work)
            case "resume" | "restart", pattern_texts.ANEW:
                self._services.start_anew(work, pending.flow)
            case "restart", pattern_texts.GO_ON:
                self._services.resume(work, pending.flow)
            case "resume", pattern_texts.GO_ON:
                self._interpretation.take_kept_text(work, pending.text)
            case "later", pattern_texts.DROP:
                self._interpretation.courtesy(work, "deny")
            case "switch", pattern_texts.KEEP | pattern_texts.DROP:
                self._services.switch(work, pending.flow, pending.text, keeps=choice == pattern_texts.KEEP)
            case _:
                work.note("went on", pending.kind)


def _goes_on(act: Act) -> bool:
    """Say whether the message plainly goes on with what was open, however long ago that was."""
    match act:
        case Answers():
            return act.sure
        case Commands():
            return act.command not in {Command.PERSON, Command.MENU, Command.HELP}
        case Corrects() | Submits() | KeepsOld() | Chooses():
            return True
        case _:
            return False
