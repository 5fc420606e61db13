"""Puts values into slots: rejections of the question, the slot's own action, then what follows from it."""

from collections.abc import Sequence
from dataclasses import replace

from bot.dialogue import pattern_texts
from bot.dialogue.catalog import Collect
from bot.dialogue.events import SlotValue
from bot.dialogue.models import Answered, Candidate, Revisit, Waiting
from bot.dialogue.steps import Runner
from bot.dialogue.work import Work
from bot.values.problem import Problem


class Filler:
    """Takes candidates one after the other; each may need an action, so the work can stop and go on in between."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def take(self, work: Work, queue: Sequence[Candidate], accepted: tuple[Candidate, ...] = ()) -> None:
        """Try the candidates of ``queue``; ``accepted`` already hold."""
        waiting = list(queue)
        while waiting:
            candidate = waiting.pop(0)
            if candidate.slot not in work.catalog.slots:
                continue
            old = work.slots.get(candidate.slot)
            work.put_back(candidate.slot, candidate.value)
            refusal = self._rejection(work, candidate)
            if refusal is not None:
                self._refuse(work, candidate, old, Problem(refusal))
                continue
            name = f"validate_{candidate.slot}"
            if name in work.world.actions:
                state = Waiting("validate", work.trigger, work.today, candidate.slot, old, candidate)
                state = replace(state, queue=tuple(waiting), accepted=accepted)
                self._runner.start_action(work, name, state, latest_slot=candidate.slot)
                return
            accepted = (*accepted, self._accept(work, candidate, old))
        self._settle(work, accepted)

    def after_validation(self, work: Work, waiting: Waiting, problem: Problem | None) -> None:
        """Go on after the slot's own action looked at a value."""
        candidate = waiting.tried
        if candidate is None:
            return
        accepted = waiting.accepted
        if problem is not None:
            self._refuse(work, candidate, waiting.old, problem)
        else:
            value = work.slots.get(candidate.slot)
            label = candidate.label if value == candidate.value else None
            better = replace(candidate, value=value, label=label)
            if value is not None:
                accepted = (*accepted, self._accept(work, better, waiting.old))
        self.take(work, waiting.queue, accepted)

    def refuse_answer(self, work: Work, problem: Problem) -> None:
        """Say why the open question did not take the message; it is asked again."""
        work.lead_problem(problem)
        work.rejections += 1
        if work.rejections >= work.settings.rejections_before_person:
            work.lead(pattern_texts.REJECTED_OFTEN)

    def ask_again(self, work: Work, slot: str) -> bool:
        """Ask the answered question of ``slot`` again, with its old answer in sight; False when it has no place."""
        entry = entry_of(work, slot)
        if entry is None:
            return False
        return self._runner.revisit(work, entry, Revisit(slot, work.slots.get(slot), "correction"))

    def forget(self, work: Work, slot: str) -> None:
        """Take back a value that was told before its question came; that will ask for it."""
        if work.slots.get(slot) is None or slot == work.asking:
            return
        work.set_slot(slot, None)
        journey = work.journey
        work.remember(replace(journey, confirmed=tuple(name for name in journey.confirmed if name != slot)))
        work.lead(pattern_texts.ASKED_LATER, {"label": work.catalog.slots[slot].label})

    def _rejection(self, work: Work, candidate: Candidate) -> str | None:
        step = work.open_collect()
        if step is None or step.slot != candidate.slot:
            collects = work.catalog.collects[work.service.id] if work.frames else {}
            step = collects.get(candidate.slot)
        rejections = step.rejections if isinstance(step, Collect) else ()
        return next((one.response for one in rejections if one.condition.holds(work.slots)), None)

    def _accept(self, work: Work, candidate: Candidate, old: SlotValue) -> Candidate:
        """Fill the slot for good; what depends on it follows if it changed."""
        revisit = work.revisit
        before = revisit.old if revisit is not None and revisit.slot == candidate.slot else old
        work.put_back(candidate.slot, before)
        work.set_slot(candidate.slot, candidate.value, candidate.label)
        journey = work.journey
        work.remember(
            replace(
                journey,
                confirmed=tuple(dict.fromkeys((*journey.confirmed, candidate.slot))),
                skipped=tuple(name for name in journey.skipped if name != candidate.slot),
            )
        )
        if revisit is not None and revisit.slot == candidate.slot:
            work.revisit = None
            if revisit.reason == "correction":
                return replace(candidate, origin="correction")
        work.note("filled", candidate.slot)
        return candidate

    def _refuse(self, work: Work, candidate: Candidate, old: SlotValue, problem: Problem) -> None:
        work.put_back(candidate.slot, old)
        work.note("refused", candidate.slot)
        if candidate.origin == "answer":
            self.refuse_answer(work, problem)
        elif candidate.origin == "correction":
            work.lead_problem(problem)
            self.ask_again(work, candidate.slot)

    def _settle(self, work: Work, accepted: tuple[Candidate, ...]) -> None:
        """Say what was taken, and stand at the place from which the form goes on."""
        corrected = [one for one in accepted if one.origin == "correction"]
        plain = [one for one in accepted if one.origin != "correction"]
        if len(plain) > 1 or any(one.origin == "also" for one in plain):
            with_labels = all(one.origin == "also" for one in plain)
            self._say_noted(work, plain, with_labels=with_labels)
        for one in corrected:
            label = work.catalog.slots[one.slot].label
            work.lead(pattern_texts.CORRECTED, {"label": label, "value": work.shown(one.slot, one.value)})
            entry = entry_of(work, one.slot)
            if entry is not None:
                self._runner.rewind(work, entry)
        if work.asking is not None and work.slots.get(work.asking) is not None:
            work.close_question()

    def _say_noted(self, work: Work, taken: Sequence[Candidate], *, with_labels: bool) -> None:
        """Say what was taken from the message, once however often something was found in it."""
        before: list[str] = []
        if work.leads and work.leads[-1].response == pattern_texts.NOTED:
            before, with_labels = [str(work.leads.pop().fields["values"])], False
        values = [_told(work, one, with_label=with_labels) for one in taken]
        work.lead(pattern_texts.NOTED, {"values": "，".join((*before, *values))})


def _told(work: Work, candidate: Candidate, *, with_label: bool) -> str:
    """Return a value as it is repeated to the worker; a bare number says nothing without its label."""
    shown = work.shown(candidate.slot, candidate.value)
    return f"{work.catalog.slots[candidate.slot].label} {shown}" if with_label or shown.isdecimal() else shown


def entry_of(work: Work, slot: str) -> Answered | None:
    """Return where the question of ``slot`` was passed on the running service's way."""
    return next((one for one in work.journey.answered if one.slot == slot), None)
