"""Runs the steps of flows until a question is open, an action must run, or nothing is left to do."""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from bot.dialogue import pattern_texts
from bot.dialogue.catalog import (
    Branch,
    Call,
    Collect,
    Flow,
    FlowStep,
    Link,
    Noop,
    Review,
    RunStep,
    SetValues,
    Utter,
)
from bot.dialogue.errors import FlowEndless
from bot.dialogue.events import (
    Event,
    Forget,
    HandOver,
    OfferOptions,
    Reject,
    Rest,
    Say,
    SendPicture,
    SetSlots,
)
from bot.dialogue.models import REVIEWING, Answered, Aside, Journey, Pending, Revisit, Trigger, Waiting
from bot.dialogue.outcomes import (
    FlowFinished,
    FlowStarted,
    HandedOver,
    PictureSent,
    RunAction,
)
from bot.dialogue.progress import Route
from bot.dialogue.questions import Questions
from bot.dialogue.wishes import offer_next, said_at_first, said_in_answer
from bot.dialogue.work import Work
from bot.values.problem import Problem


class Runner:
    """Moves a follower through the flows. One runner serves everybody; all state is in the ``Work``."""

    def __init__(self, route: Route) -> None:
        self._questions = Questions(route)

    def run(self, work: Work) -> None:
        """Take steps until one stops; raises FlowEndless when that takes too many."""
        for _ in range(work.settings.max_steps):
            if work.run is not None or work.stopped:
                return
            self._go_back_to_lost(work)
            if not work.frames:
                work.outcomes.extend(work.take_leads())
                work.close_question()
                offer_next(work)
                work.stopped = True
                return
            self._take(work, work.step())
        raise FlowEndless(flow=work.service.id, step=work.frames[-1].step)

    def _take(self, work: Work, step: FlowStep) -> None:
        match step:
            case Collect():
                self._collect(work, step)
            case Review():
                self._review(work, step)
            case RunStep():
                self.start_action(work, step.action, Waiting("step", work.trigger, work.today))
            case Utter():
                self._utter(work, step)
            case SetValues():
                for name, value in step.values:
                    is_copy = isinstance(value, str) and value.startswith("{") and value.endswith("}")
                    work.set_slot(name, work.slots.get(str(value)[1:-1]) if is_copy else value)
                self.advance(work, step)
            case Call():
                self._call(work, step)
            case Link():
                self._link(work, step)
            case Noop():
                self.advance(work, step)
            case _:
                assert_never(step)

    # --- From step to step ----------------------------------------------------------------------------------------

    def advance(self, work: Work, step: FlowStep) -> None:
        """Go to the step after ``step``; at the end of a flow that is back to its caller, or out of the service."""
        target = _next_of(work, step)
        while target is None:
            if work.frames[-1].kind != "call":
                self._finish(work)
                return
            work.frames.pop()
            step = work.step()
            target = _next_of(work, step)
        flow = work.catalog.flows[work.frames[-1].flow]
        if flow.steps[target].index <= step.index:
            _unsay_from(work, flow, flow.steps[target].index)
        work.move(target)

    def start(self, work: Work, flow: Flow, journey: Journey | None = None) -> None:
        """Begin a service on top of what is open."""
        if flow.first is None:
            return
        meant = work.aside.meant if work.aside is not None and work.aside.slot == work.asking else ""
        if work.asking is not None and (work.choices or meant):
            work.aside = Aside(work.asking, work.choices, meant)
        work.close_question()
        work.push(flow, flow.first, "digression" if work.frames else "base", journey)
        for name, value in work.catalog.initial_values.items():
            work.slots.setdefault(name, value)
        work.emit(FlowStarted(flow.id))
        work.note("flow started", flow.id)

    def leave(self, work: Work) -> tuple[Flow, Journey]:
        """Take the running service from the stack; its slots stay for the caller to deal with."""
        flow, journey = work.service, work.journey
        del work.frames[work.root :]
        work.close_question()
        work.revisit = None
        return flow, journey

    def empty_slots(self, work: Work, flow: Flow, journey: Journey) -> None:
        """Empty what a service filled, apart from what it persists and what services below it filled too."""
        collects = work.catalog.collects[flow.id]
        kept = {name for frame in work.frames for name in frame.journey.touched}
        kept.update(flow.persisted)
        kept.update(step.slot for step in collects.values() if not step.reset_after_flow_ends)
        for name in journey.touched:
            if name not in kept:
                initial = work.catalog.slots[name].initial if name in work.catalog.slots else None
                work.put_back(name, initial)
                work.labels.pop(name, None)

    def _finish(self, work: Work) -> None:
        flow, journey = self.leave(work)
        self.empty_slots(work, flow, journey)
        work.emit(FlowFinished(flow.id))
        work.note("flow finished", flow.id)
        if work.frames:
            work.lead(pattern_texts.CONTINUE if work.is_form() else pattern_texts.BACK_TO)
        elif flow.run_pattern_completed and not work.silenced:
            if work.later:
                # What else was asked for comes next; 还要办别的吗 would be out of place.
                return
            if work.drafts:
                work.say(pattern_texts.DRAFT_WAITING, {"flow": work.catalog.flows[work.drafts[-1].flow].name})
            else:
                work.say(pattern_texts.COMPLETED)

    def _call(self, work: Work, step: Call) -> None:
        flow = work.catalog.flows.get(step.flow)
        if flow is None or flow.first is None:
            self.advance(work, step)
            return
        if len(work.frames) >= work.settings.max_frames:
            raise FlowEndless(flow=step.flow, step=step.id)
        work.push(flow, flow.first, "call")

    def _link(self, work: Work, step: Link) -> None:
        flow, journey = self.leave(work)
        self.empty_slots(work, flow, journey)
        work.emit(FlowFinished(flow.id))
        target = work.catalog.flows.get(step.flow)
        if target is not None:
            self.start(work, target)

    def _utter(self, work: Work, step: Utter) -> None:
        place = f"{work.frames[-1].flow}/{step.id}"
        journey = work.journey
        if place not in journey.said:
            work.remember(replace(journey, said=(*journey.said, place)))
            work.say(step.response)
        self.advance(work, step)

    # --- Going back -----------------------------------------------------------------------------------------------

    def rewind(self, work: Work, entry: Answered) -> bool:
        """Let the running service stand at an earlier question; False when its place no longer exists."""
        root = work.root
        known = all(
            flow in work.catalog.flows and step in work.catalog.flows[flow].steps for flow, step in entry.path
        )
        if not known or not entry.path or entry.path[0][0] != work.frames[root].flow:
            return False
        journey = work.journey
        if entry in journey.answered:
            work.remember(replace(journey, answered=journey.answered[: journey.answered.index(entry)]))
        del work.frames[root + 1 :]
        work.move(entry.path[0][1])
        for flow, step in entry.path[1:]:
            work.push(work.catalog.flows[flow], step, "call")
        work.close_question()
        return True

    def revisit(self, work: Work, entry: Answered, revisit: Revisit) -> bool:
        """Ask an answered question again; False when its place no longer exists."""
        self.restore_revisited(work)
        if not self.rewind(work, entry):
            return False
        work.revisit = revisit
        work.slots.pop(revisit.slot, None)
        skipped = tuple(name for name in work.journey.skipped if name != revisit.slot)
        work.remember(replace(work.journey, skipped=skipped))
        return True

    def restore_revisited(self, work: Work) -> None:
        """Give a question that is asked again its old answer back."""
        if work.revisit is not None:
            work.put_back(work.revisit.slot, work.revisit.old)
            work.revisit = None

    def _go_back_to_lost(self, work: Work) -> None:
        """Go back to the earliest question whose answer was emptied, if it lies behind."""
        lost, work.lost = work.lost, []
        if not lost or not work.frames:
            return
        entry = min(lost, key=lambda one: _position(work, one))
        if _position(work, entry) < _position(work, Answered("", work.path())):
            self.rewind(work, entry)

    # --- Questions ------------------------------------------------------------------------------------------------

    def _collect(self, work: Work, step: Collect) -> None:
        value = work.slots.get(step.slot)
        journey = work.journey
        if value is None and step.slot in journey.skipped:
            self.pass_question(work, step)
            return
        if value is not None and (not step.ask_before_filling or step.slot in journey.confirmed):
            self.pass_question(work, step)
            return
        if self._serves_wish(work):
            return
        work.candidate = said_at_first(work, step.slot) if value is None else None
        if work.candidate is not None:
            work.stopped = True
            return
        if value is not None:
            self.restore_revisited(work)
            work.revisit = Revisit(step.slot, value, "confirm")
            work.slots.pop(step.slot, None)
        if self._is_held_back(work, step.slot):
            return
        name = f"action_ask_{step.slot}"
        if name in work.world.actions:
            waiting = Waiting("ask", work.trigger, work.today, step.slot)
            self.start_action(work, name, waiting, latest_slot=step.slot)
        else:
            self._questions.ask(work, step, None)

    def _serves_wish(self, work: Work) -> bool:
        """Begin the short errand that was asked for together with the last answer; say whether there is one."""
        flow_id = work.catalog.flow_by_intent.get(work.later[0].intent) if work.later else None
        flow = work.catalog.flows.get(flow_id or "")
        held_back = work.silenced or work.away or not work.is_form()
        if held_back or flow is None or flow.keeps_draft or not work.later[0].at_once:
            return False
        wish = work.later.pop(0)
        work.trigger = Trigger(wish.text, wish.intent)
        self.start(work, flow)
        return True

    def pass_question(self, work: Work, step: Collect) -> None:
        """Go on from a question that has its answer (or is left empty)."""
        journey = work.journey
        if all(one.slot != step.slot for one in journey.answered):
            journey = replace(journey, answered=(*journey.answered, Answered(step.slot, work.path())))
        if step.slot not in journey.confirmed:
            journey = replace(journey, confirmed=(*journey.confirmed, step.slot))
        work.remember(journey)
        self.advance(work, step)

    def _is_held_back(self, work: Work, slot: str) -> bool:
        """Stop before a question when people have the chat, or when the worker comes back after a long pause."""
        if work.silenced:
            # Its choices are still on the screen: the worker may come back with one of them.
            shown = work.aside is not None and work.aside.slot == slot
            work.asking, work.choices = slot, work.aside.choices if shown and work.aside is not None else ()
            work.stopped = True
        elif work.away and work.is_form():
            work.away = False
            work.asking, work.choices = slot, ()
            work.pending = Pending("resume", work.service.id)
            # “We go on” would be said too early: that is what is asked.
            work.leads = [
                lead for lead in work.leads if lead.response not in {pattern_texts.CONTINUE, pattern_texts.BACK_TO}
            ]
            work.say(pattern_texts.RESUME, {"flow": work.service.name, "position": len(work.journey.answered) + 1})
            work.stopped = True
        return work.stopped

    def _review(self, work: Work, step: Review) -> None:
        if not self._is_held_back(work, REVIEWING):
            self._questions.review(work, step)

    # --- Actions --------------------------------------------------------------------------------------------------

    def start_action(self, work: Work, action: str, waiting: Waiting, latest_slot: str | None = None) -> None:
        """Let the turn run ``action``; ``resume`` goes on from there."""
        flow = work.frames[-1].flow if work.frames else ""
        trigger = work.trigger
        work.run = RunAction(action, flow, dict(work.slots), latest_slot, trigger.said, trigger.intent)
        work.waiting = replace(waiting, leads=work.take_leads(), suggestions=work.suggestions)
        work.waiting = replace(work.waiting, silenced=work.silenced, answer=work.answer)
        work.note("action", action)

    def apply(self, work: Work, events: Sequence[Event]) -> tuple[OfferOptions | None, Problem | None]:
        """Apply what an action answered; return the offer and the rejection among it."""
        offer: OfferOptions | None = None
        problem: Problem | None = None
        for event in events:
            match event:
                case SetSlots():
                    for name, value in event.values.items():
                        work.set_slot(name, value)
                case Say():
                    work.say(event.response, event.fields, event.options)
                case OfferOptions():
                    offer = event
                case Reject():
                    problem = event.problem
                case HandOver():
                    work.emit(HandedOver(event.topic, event.reason))
                    work.silenced = work.away = True
                case Rest():
                    work.silenced = work.away = True
                case SendPicture():
                    work.emit(PictureSent(event.media_id))
                case Forget():
                    work.forget()
                case _:
                    assert_never(event)
        return offer, problem

    def after_ask(self, work: Work, slot: str, offer: OfferOptions | None) -> None:
        """Go on after an ask action: it filled the slot itself, or the question is opened."""
        step = work.step()
        if not isinstance(step, Collect) or work.slots.get(slot) is not None:
            return
        work.candidate = said_in_answer(work, slot, offer)
        if work.candidate is not None:
            work.stopped = True
            return
        if not self._is_held_back(work, slot):
            self._questions.ask(work, step, offer)


def _next_of(work: Work, step: FlowStep) -> str | None:
    for branch in step.next:
        if _is_taken(work, branch):
            return branch.target
    return None


def _is_taken(work: Work, branch: Branch) -> bool:
    return branch.condition is None or branch.condition.holds(work.slots)


def _unsay_from(work: Work, flow: Flow, index: int) -> None:
    """Forget that the texts from ``index`` on were said: a loop says them again."""
    again = {f"{flow.id}/{step.id}" for step in flow.steps.values() if step.index >= index}
    journey = work.journey
    work.remember(replace(journey, said=tuple(place for place in journey.said if place not in again)))


def _position(work: Work, entry: Answered) -> tuple[int, ...]:
    """Return a key that orders places by their order in the flow files."""
    steps = (work.catalog.flows[flow].steps.get(step) for flow, step in entry.path if flow in work.catalog.flows)
    return tuple(step.index for step in steps if step is not None)
