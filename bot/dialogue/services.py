"""Starting, leaving, keeping and resuming services: what a worker changes their mind about."""

from collections.abc import Mapping
from dataclasses import replace

from bot.dialogue import pattern_texts
from bot.dialogue.catalog import Flow
from bot.dialogue.events import SlotValue
from bot.dialogue.models import Draft, Opening, Pending, Trigger, Waiting
from bot.dialogue.outcomes import FlowCancelled, HandedOver
from bot.dialogue.steps import Runner
from bot.dialogue.versions import Migration
from bot.dialogue.work import Work

DAY_S = 86_400
HANDOFF_FLOW = "pattern_human_handoff"
DANGER_INTENT = "crisis"
GENERAL_TOPIC = "general"


class Services:
    """Moves whole services on and off the stack."""

    def __init__(self, runner: Runner, migration: Migration) -> None:
        self._runner = runner
        self._migration = migration

    def start(self, work: Work, flow: Flow, trigger: Trigger) -> None:
        """Begin a service because the worker asked for it, with the questions that this may need first."""
        work.trigger = trigger
        if flow.keeps_draft:
            self.drop_errands(work)
        if flow.guard is not None and not flow.guard.holds(work.slots):
            work.note("guard holds back", flow.id)
            work.say(pattern_texts.UNAVAILABLE, {"flow": flow.name})
        elif any(frame.flow == flow.id and frame.kind != "call" for frame in work.frames):
            self._return_to(work, flow)
            if flow.id == work.catalog.flow_by_intent.get(DANGER_INTENT):
                # Another danger is a new one: it is answered for itself, not taken for the one before.
                work.leads.clear()
                self._drop(work)
                self.interrupt(work, flow)
        elif any(draft.flow == flow.id for draft in work.drafts):
            self._ask_restart(work, flow)
        elif flow.keeps_draft:
            self._start_form(work, flow)
        else:
            self.interrupt(work, flow)

    def switch(self, work: Work, flow_id: str, text: str, *, keeps: bool) -> None:
        """Leave the running form, kept or not, for another one, which was asked for with ``text``."""
        work.trigger = Trigger(said=text or None)
        if keeps:
            self.keep(work)
        else:
            self.cancel(work, quietly=True)
        flow = work.catalog.flows.get(flow_id)
        if flow is not None:
            self._start_form(work, flow)

    def hand_over(self, work: Work) -> None:
        """Give the chat to people."""
        flow = work.catalog.flows.get(HANDOFF_FLOW)
        if flow is not None:
            self.interrupt(work, flow)
            return
        work.say(pattern_texts.PERSON)
        work.emit(HandedOver(GENERAL_TOPIC))
        work.silenced = work.away = True

    def interrupt(self, work: Work, flow: Flow) -> None:
        """Run a short errand on top of what is open; beyond the bound it takes the place of the last one."""
        while sum(frame.kind == "digression" for frame in work.frames) >= work.settings.max_digressions:
            self._drop(work)
        self._runner.start(work, flow)

    def _return_to(self, work: Work, flow: Flow) -> None:
        while work.service.id != flow.id:
            self._drop(work)
        work.lead(pattern_texts.ALREADY_HERE, {"flow": flow.name})

    def _ask_restart(self, work: Work, flow: Flow) -> None:
        draft = next(one for one in work.drafts if one.flow == flow.id)
        count = sum(one.slot in draft.slots for frame in draft.frames for one in frame.journey.answered)
        work.pending = Pending("restart", flow.id)
        work.say(pattern_texts.RESTART, {"flow": flow.name, "count": count})
        work.stopped = True

    def _start_form(self, work: Work, flow: Flow) -> None:
        """Begin a form; errands on top end, another form is asked about."""
        self.drop_errands(work)
        text = work.trigger.said if work.trigger.said is not None else work.text
        if work.frames:
            work.pending = Pending("switch", flow.id, text)
            work.say(pattern_texts.SWITCH, {"flow": work.service.name, "other": flow.name})
            work.stopped = True
            return
        work.opening = Opening(text) if len(text) >= work.settings.opening_chars else None
        self._runner.start(work, flow)

    def _drop(self, work: Work) -> None:
        """Leave the running service without a word."""
        flow, journey = self._runner.leave(work)
        self._runner.empty_slots(work, flow, journey)
        work.emit(FlowCancelled(flow.id, kept=False))
        work.note("flow dropped", flow.id)

    # --- Cancelling -----------------------------------------------------------------------------------------------

    def ask_cancel(self, work: Work) -> None:
        """Cancel the running service, after asking when much would be lost."""
        count = sum(one.slot in work.slots for one in work.journey.answered)
        if work.is_form() and count >= work.settings.confirm_cancel_from:
            work.pending = Pending("cancel", work.service.id)
            work.say(pattern_texts.CANCEL_CONFIRM, {"flow": work.service.name, "count": count})
            work.stopped = True
        else:
            self.cancel(work)

    def cancel(self, work: Work, *, quietly: bool = False) -> None:
        """Leave the running service and its answers; its ``on_cancel`` action sees them once more."""
        before = dict(work.slots)
        self._runner.restore_revisited(work)
        flow, journey = self._runner.leave(work)
        if not quietly:
            work.lead(pattern_texts.CANCELLED, {"flow": flow.name})
        work.emit(FlowCancelled(flow.id, kept=False))
        work.note("flow cancelled", flow.id)
        self._runner.empty_slots(work, flow, journey)
        self._after_leaving(work, flow, before)

    def _after_leaving(self, work: Work, flow: Flow, slots: Mapping[str, SlotValue]) -> None:
        if work.frames:
            work.lead(pattern_texts.CONTINUE)
        if flow.on_cancel is not None and flow.on_cancel in work.world.actions:
            self._runner.start_action(work, flow.on_cancel, Waiting("cancel", work.trigger, work.today))
            if work.run is not None:
                work.run = replace(work.run, flow=flow.id, slots=slots)

    def drop_errands(self, work: Work) -> None:
        """Leave short errands and what follows a form that was handed in; only forms wait for a worker."""
        while work.frames and not work.is_form():
            self._drop(work)

    # --- Drafts ---------------------------------------------------------------------------------------------------

    def keep(self, work: Work) -> None:
        """Take the running form from the stack and keep it with its answers."""
        self._runner.restore_revisited(work)
        root = work.root
        frames = tuple(work.frames[root:])
        flow, journey = self._runner.leave(work)
        names = [name for name in journey.touched if name in work.slots]
        draft = Draft(
            flow.id,
            (replace(frames[0], kind="base"), *frames[1:]),
            {name: work.slots[name] for name in names},
            {name: work.labels[name] for name in names if name in work.labels},
            work.now_s + work.settings.draft_s,
        )
        self._runner.empty_slots(work, flow, journey)
        others = [one for one in work.drafts if one.flow != flow.id]
        work.drafts = [*others, draft][-work.settings.max_drafts :]
        work.emit(FlowCancelled(flow.id, kept=True))
        work.note("draft kept", flow.id)

    def say_kept(self, work: Work, flow_id: str) -> None:
        """Say that a form is kept and for how long."""
        days = work.settings.draft_s // DAY_S
        work.say(pattern_texts.DRAFT_KEPT, {"flow": work.catalog.flows[flow_id].name, "days": days})

    def resume(self, work: Work, flow_id: str) -> None:
        """Put a kept form back on the stack, where it stood."""
        draft = next((one for one in work.drafts if one.flow == flow_id), None)
        if draft is None:
            return
        work.drafts.remove(draft)
        self.drop_errands(work)
        if work.frames:
            other = work.service.id
            self.keep(work)
            self.say_kept(work, other)
        for name, value in draft.slots.items():
            if name in work.catalog.slots:
                work.slots[name] = value
        work.labels.update(draft.labels)
        for frame in draft.frames:
            work.serial += 1
            work.frames.append(replace(frame, id=work.serial))
        work.close_question()
        work.note("draft resumed", flow_id)
        self._migration.run(work)

    def forget(self, work: Work, flow_id: str) -> None:
        """Throw a draft away."""
        work.drafts = [one for one in work.drafts if one.flow != flow_id]
        work.note("draft dropped", flow_id)

    def start_anew(self, work: Work, flow_id: str) -> None:
        """Begin a form from its first question, without draft or open answers."""
        self.forget(work, flow_id)
        if work.frames and work.service.id == flow_id:
            self.cancel(work, quietly=True)
        flow = work.catalog.flows.get(flow_id)
        if flow is not None:
            self._start_form(work, flow)
