"""Checks the slots of a catalogue: validators, limits, options, dependencies, and slots that nothing uses."""

from collections.abc import Collection, Iterator, Mapping

from bot.dialogue.catalog import Collect, Flow, FlowCatalog, Review, SetValues, Slot
from bot.dialogue.conditions import Condition
from bot.dialogue.faults import Faults, unknown
from bot.dialogue.response_reader import AIMED_CHARS
from bot.dialogue.validators import ValidatorTable, find_nothing


def check_slots(
    catalog: FlowCatalog,
    actions: Collection[str],
    validators: ValidatorTable,
    sources: Mapping[str, str],
    faults: Faults,
) -> None:
    """Add the faults of every slot to ``faults``; slots only actions use are known from ``sources``."""
    used = set(_used(catalog))
    collected = {step.slot for flow in catalog.flows.values() for step in _collects(flow)}
    for slot in catalog.slots.values():
        _check_slot(catalog, slot, validators, faults)
        if slot.name in collected:
            _check_collected(slot, actions, faults)
        if sources and slot.name not in used and slot.name not in sources:
            faults.warn(slot.file, f"slots.{slot.name}", "nothing uses it")


def _check_slot(catalog: FlowCatalog, slot: Slot, validators: ValidatorTable, faults: Faults) -> None:
    path = f"slots.{slot.name}"
    validator = validators.get(slot.validator)
    if validator is None:
        faults.add(slot.file, f"{path}.validator", unknown("validator", slot.validator, validators))
    else:
        for limit in slot.limits:
            if limit not in validator.limits:
                faults.add(slot.file, f"{path}.limits.{limit}", unknown("limit", limit, validator.limits))
        if slot.also_fill == "yes" and validator.find is find_nothing:
            faults.add(slot.file, f"{path}.also_fill", f"{slot.validator} cannot be found inside a sentence")
    for name in slot.depends_on:
        if name not in catalog.slots:
            faults.add(slot.file, f"{path}.depends_on", unknown("slot", name, catalog.slots))
    followers = catalog.dependents.get(slot.name, ())
    if slot.name in slot.depends_on or any(slot.name in catalog.dependents.get(one, ()) for one in followers):
        faults.add(slot.file, f"{path}.depends_on", "depends on itself")
    if len(slot.help) > AIMED_CHARS:
        faults.warn(slot.file, f"{path}.help", f"{len(slot.help)} characters, {AIMED_CHARS} is the aim")
    if slot.type == "bool" and any(option.value not in {"true", "false"} for option in slot.options):
        faults.add(slot.file, f"{path}.options", 'the options of a bool have the values "true" and "false"')


def _check_collected(slot: Slot, actions: Collection[str], faults: Faults) -> None:
    needs_options = slot.validator == "options" and not slot.options
    if needs_options and f"action_ask_{slot.name}" not in actions:
        faults.add(slot.file, f"slots.{slot.name}.options", f"are missing, and no action_ask_{slot.name} gives them")


def _collects(flow: Flow) -> Iterator[Collect]:
    return (step for step in flow.steps.values() if isinstance(step, Collect))


def _used(catalog: FlowCatalog) -> Iterator[str]:
    for flow in catalog.flows.values():
        yield from _used_by(flow)
    for response in catalog.responses.values():
        for variant in response.variants:
            yield from variant.placeholders
            yield from _names(variant.condition)
    for slot in catalog.slots.values():
        yield from slot.depends_on


def _used_by(flow: Flow) -> Iterator[str]:
    yield from _names(flow.guard)
    yield from flow.persisted
    for step in flow.steps.values():
        for branch in step.next:
            yield from _names(branch.condition)
        match step:
            case Collect():
                yield step.slot
                for rejection in step.rejections:
                    yield from rejection.condition.names
            case SetValues():
                yield from (name for name, _ in step.values)
            case Review():
                yield from step.slots
            case _:
                pass


def _names(condition: Condition | None) -> frozenset[str]:
    return frozenset() if condition is None else condition.names
