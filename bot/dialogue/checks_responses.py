"""Checks the responses of a catalogue: placeholders, payloads, conditions, and texts that nothing says."""

from collections.abc import Collection, Iterator, Mapping

from bot.dialogue import pattern_texts
from bot.dialogue.catalog import (
    Collect,
    Flow,
    FlowCatalog,
    Response,
    Review,
    Utter,
    Variant,
)
from bot.dialogue.events import Option
from bot.dialogue.faults import Faults, unknown
from bot.dialogue.payloads import CHOICE_PAYLOAD, WORD_PAYLOAD

_UTTER = "utter_"


def check_responses(
    catalog: FlowCatalog,
    actions: Collection[str],
    intents: Collection[str],
    sources: Mapping[str, str],
    faults: Faults,
) -> None:
    """Add the faults of every response to ``faults``; texts only actions say are known from ``sources``."""
    said = {key for flow in catalog.flows.values() for key in _said_by(flow)}
    said.update(f"utter_{intent}" for intent in intents)
    bare = {key for flow in catalog.flows.values() for key in _said_without_fields(flow, actions)}
    for response in catalog.responses.values():
        for index, variant in enumerate(response.variants):
            _check_variant(catalog, response, f"responses.{response.key}[{index}]", variant, faults)
        if response.key in bare and response.key not in sources:
            _check_placeholders(catalog, response, faults)
        if sources and not _is_said(response.key, said, sources):
            faults.warn(response.file, f"responses.{response.key}", "nothing says it")
    for key, place in sources.items():
        if key.startswith(_UTTER) and key not in catalog.responses:
            faults.add(place, key, unknown("response", key, catalog.responses))


def _is_said(key: str, said: Collection[str], sources: Mapping[str, str]) -> bool:
    # Texts of problems are found by a code that another package gives.
    return not key.startswith(_UTTER) or key in said or key in sources or key in pattern_texts.FIELDS


def _said_by(flow: Flow) -> Iterator[str]:
    for step in flow.steps.values():
        match step:
            case Collect():
                yield step.response
                yield from (rejection.response for rejection in step.rejections)
            case Utter() | Review():
                yield step.response
            case _:
                pass


def _said_without_fields(flow: Flow, actions: Collection[str]) -> Iterator[str]:
    """Return the responses to which nobody but the slots can give fields."""
    for step in flow.steps.values():
        match step:
            case Collect() if f"action_ask_{step.slot}" not in actions:
                yield step.response
            case Utter():
                yield step.response
            case _:
                pass


def _check_placeholders(catalog: FlowCatalog, response: Response, faults: Faults) -> None:
    for index, variant in enumerate(response.variants):
        for name in variant.placeholders:
            if name not in catalog.slots:
                problem = unknown("slot", name, catalog.slots)
                faults.add(response.file, f"responses.{response.key}[{index}].text", f"{{{name}}}: {problem}")


def _check_variant(catalog: FlowCatalog, response: Response, path: str, variant: Variant, faults: Faults) -> None:
    if variant.condition is not None:
        for name in sorted(variant.condition.names - set(catalog.slots)):
            faults.add(response.file, f"{path}.condition", unknown("slot", name, catalog.slots))
    allowed = pattern_texts.FIELDS.get(response.key)
    if allowed is not None:
        for name in variant.placeholders:
            if name not in allowed:
                faults.add(response.file, f"{path}.text", f"{{{name}}}: {unknown('field', name, allowed)}")
    for index, button in enumerate(variant.buttons):
        problem = _fault_of_button(catalog, response, button)
        if problem:
            faults.add(response.file, f"{path}.buttons[{index}].payload", problem)


def _fault_of_button(catalog: FlowCatalog, response: Response, button: Option) -> str:
    if button.next_flow is not None:
        return "" if button.next_flow in catalog.flows else unknown("flow", button.next_flow, catalog.flows)
    if button.value.startswith(CHOICE_PAYLOAD):
        choices = pattern_texts.CHOICES.get(response.key, frozenset())
        choice = button.value.removeprefix(CHOICE_PAYLOAD)
        return "" if choice in choices else unknown("choice", choice, choices)
    return "" if button.value.removeprefix(WORD_PAYLOAD).strip() else "a word is missing after /word:"
