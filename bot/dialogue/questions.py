"""Puts the question of a step, or its review screen, in front of the worker: words, choices, progress, what leads."""

from bot.dialogue import pattern_texts
from bot.dialogue.catalog import Collect, Review
from bot.dialogue.events import OfferOptions, Option
from bot.dialogue.models import REVIEWING
from bot.dialogue.outcomes import Asked, Progress, Reviewed, ReviewLine
from bot.dialogue.payloads import FIELD_PAYLOAD, SUBMIT_PAYLOAD
from bot.dialogue.progress import Route, progress_of
from bot.dialogue.wishes import answered_by_yes, meant_before, suggested
from bot.dialogue.work import Work


class Questions:
    """Opens questions; one serves everybody."""

    def __init__(self, route: Route) -> None:
        self._route = route

    def ask(self, work: Work, step: Collect, offer: OfferOptions | None) -> None:
        """Open the question of ``step``; ``offer`` is what its ask action answered."""
        slot = work.catalog.slots[step.slot]
        response = offer.response if offer is not None and offer.response is not None else step.response
        spoken = work.spoken(response, offer.fields if offer is not None else None)
        leads = [*work.take_leads()]
        extras = [*suggested(work, step.slot, offer), *work.buttons(spoken)]
        for lead in leads:
            extras.extend(work.buttons(lead))
        if work.revisit is not None and work.revisit.slot == step.slot and work.revisit.old is not None:
            key = pattern_texts.CONFIRM_VALUE if work.revisit.reason == "confirm" else pattern_texts.OLD_VALUE
            old = {"old": work.shown(step.slot, work.revisit.old), "label": slot.label}
            leads.append(work.spoken(key, old))
            extras.extend(work.buttons(leads[-1]))
        elif step.optional:
            extras.extend(work.buttons(work.spoken(pattern_texts.OPTIONAL)))
        options = offer.options if offer is not None else slot.options
        if meant := meant_before(work, step.slot):
            leads.append(work.spoken(pattern_texts.MEANT, {"value": meant}))
            options = answered_by_yes(work, options, meant)
        if slot.type == "bool" and not options and not work.buttons(spoken):
            extras = [*work.buttons(work.spoken(pattern_texts.YES_NO)), *extras]
        _open(work, step.slot, (*options, *extras))
        work.outcomes.append(
            Asked(
                slot=step.slot,
                response=spoken.response,
                fields=spoken.fields,
                options=work.choices,
                progress=self._progress(work, step),
                leads=tuple(leads),
                variant=spoken.variant,
            )
        )

    def _progress(self, work: Work, step: Collect) -> Progress | None:
        """Return where the question stands in its form, ``None`` when that is not shown."""
        if not work.service.progress or not step.counts:
            return None
        collects = work.catalog.collects[work.service.id]
        passed = tuple(
            one.slot for one in work.journey.answered if one.slot not in collects or collects[one.slot].counts
        )
        return progress_of(step.slot, passed, self._route.counted_ahead(work.path(), work.slots))

    def review(self, work: Work, step: Review) -> None:
        """Open the review screen of ``step``."""
        lines = tuple(_review_lines(work, step))
        spoken = work.spoken(step.response)
        leads = work.take_leads()
        options = [Option(f"{FIELD_PAYLOAD}{line.slot}", line.label) for line in lines]
        _open(work, REVIEWING, (*options, Option(SUBMIT_PAYLOAD, step.submit)))
        work.outcomes.append(Reviewed(spoken.response, lines, step.submit, spoken.fields, leads, spoken.variant))


def _open(work: Work, asking: str, choices: tuple[Option, ...]) -> None:
    if work.asking != asking:
        work.rejections = 0
        work.gathered = ()
    work.asking = asking
    work.choices = choices[: work.settings.max_options]
    if work.pending is not None and work.pending.kind != "clarify":
        work.pending = None
    if work.choices:
        work.offered = ()
    work.stopped = True
    work.aside = None


def _review_lines(work: Work, step: Review) -> list[ReviewLine]:
    """Return a line for each slot that has a value, or could have one but was left empty."""
    lines = []
    for name in step.slots:
        value = work.slots.get(name)
        if value is not None:
            lines.append(ReviewLine(name, work.catalog.slots[name].label, work.shown(name, value)))
        elif name in work.journey.skipped:
            empty = work.text_of(pattern_texts.VALUE_EMPTY)
            lines.append(ReviewLine(name, work.catalog.slots[name].label, empty))
    return lines
