"""Checks a whole flow directory and lists every fault of all files, not only the first.

``load_catalog`` refuses what cannot be read; this looks at what the parts mean to each other: names that nothing
declares, steps that nothing reaches, texts that nothing says.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.dialogue import pattern_texts
from bot.dialogue.catalog import Call, Collect, Flow, FlowCatalog, FlowStep, Link, Review, RunStep, SetValues, Utter
from bot.dialogue.checks_graph import check_graph
from bot.dialogue.checks_responses import check_responses
from bot.dialogue.checks_slots import check_slots
from bot.dialogue.conditions import Condition
from bot.dialogue.faults import Fault, Faults, unknown
from bot.dialogue.flow_reader import EVENTS
from bot.dialogue.loader import read_directory
from bot.dialogue.validators import ValidatorTable
from bot.dialogue.words import Command

_ALWAYS_HEARD = frozenset({Command.PERSON, Command.MENU, Command.HELP})
"""Commands that mean the same whether something is open or not, so that no keyword can mean something else."""


@dataclass(frozen=True, slots=True)
class Known:
    """What flows may name although no flow file declares it.

    ``sources`` maps each quoted name found in the actions' sources (response keys, slots) to where it stands; without
    it, unused slots and responses and texts that only actions say are not looked for.
    """

    actions: Collection[str]
    intents: Collection[str]
    validators: ValidatorTable
    sources: Mapping[str, str] = field(default_factory=dict)


def check_directory(directory: Path, known: Known) -> list[Fault]:
    """Return every fault of ``directory/*.yml``, errors and warnings, in the order of files and paths."""
    catalog, faults = read_directory(directory)
    if not catalog.flows:
        faults.add(directory.name, "flows", "no flow is declared")
    check_catalog(catalog, known, faults)
    return sorted(faults, key=lambda fault: fault.file)


def check_catalog(catalog: FlowCatalog, known: Known, faults: Faults) -> None:
    """Add the faults of ``catalog`` to ``faults``."""
    for flow in catalog.flows.values():
        _FlowCheck(catalog, known, faults, flow).run()
    _check_owners(catalog, faults)
    check_graph(catalog, faults)
    check_slots(catalog, known.actions, known.validators, known.sources, faults)
    check_responses(catalog, known.actions, known.intents, known.sources, faults)
    _check_patterns(catalog, faults)


class _FlowCheck:
    """Checks the names that one flow uses."""

    def __init__(self, catalog: FlowCatalog, known: Known, faults: Faults, flow: Flow) -> None:
        self._catalog = catalog
        self._known = known
        self._faults = faults
        self._flow = flow

    def run(self) -> None:
        flow = self._flow
        if not flow.description:
            self._faults.warn(flow.file, f"flows.{flow.id}.description", "is missing")
        if flow.guard is not None:
            self._condition("if", flow.guard)
        for intent in flow.intents:
            self._name("nlu_trigger", "intent", intent, self._known.intents)
        if flow.questions is not None:
            self._name("questions", "intent with a flow", flow.questions, self._catalog.flow_by_intent)
        for event in flow.events:
            self._name("event_trigger", "event", event, EVENTS)
        for slot in flow.persisted:
            self._name("persisted_slots", "slot", slot, self._catalog.slots)
        if flow.on_cancel is not None:
            self._name("on_cancel", "action", flow.on_cancel, self._known.actions)
        for step in flow.steps.values():
            self._step(step)

    def _fault(self, path: str, problem: str) -> None:
        self._faults.add(self._flow.file, f"flows.{self._flow.id}.{path}", problem)

    def _name(self, path: str, kind: str, name: str, known: Collection[str]) -> None:
        if name not in known:
            self._fault(path, unknown(kind, name, known))

    def _condition(self, path: str, condition: Condition) -> None:
        for name in sorted(condition.names):
            self._name(path, "slot", name, self._catalog.slots)

    def _step(self, step: FlowStep) -> None:
        path = f"steps.{step.id}"
        for branch in step.next:
            if branch.condition is not None:
                self._condition(f"{path}.next", branch.condition)
        match step:
            case Collect():
                self._collect(path, step)
            case RunStep():
                self._name(path, "action", step.action, self._known.actions)
            case Utter():
                self._name(path, "response", step.response, self._catalog.responses)
            case SetValues():
                for name, _ in step.values:
                    self._name(path, "slot", name, self._catalog.slots)
            case Call() | Link():
                self._name(path, "flow", step.flow, self._catalog.flows)
            case Review():
                self._name(path, "response", step.response, self._catalog.responses)
                for name in step.slots:
                    self._shown_slot(path, name)
            case _:
                pass

    def _collect(self, path: str, step: Collect) -> None:
        self._shown_slot(path, step.slot)
        if step.response not in self._catalog.responses and f"action_ask_{step.slot}" not in self._known.actions:
            self._fault(
                path, f"the question has no text: {unknown('response', step.response, self._catalog.responses)}"
            )
        for rejection in step.rejections:
            self._condition(f"{path}.rejections", rejection.condition)
            self._name(f"{path}.rejections", "response", rejection.response, self._catalog.responses)
        slot = self._catalog.slots.get(step.slot)
        if slot is not None and slot.sensitive and not slot.help:
            self._faults.warn(
                slot.file, f"slots.{slot.name}.help", "is missing; a sensitive question says why it asks"
            )

    def _shown_slot(self, path: str, name: str) -> None:
        self._name(path, "slot", name, self._catalog.slots)
        slot = self._catalog.slots.get(name)
        if slot is not None and not slot.label:
            self._faults.add(slot.file, f"slots.{name}.label", f"is missing; {self._flow.id} shows it")


def _check_owners(catalog: FlowCatalog, faults: Faults) -> None:
    """Note keywords, intents and events with two owners, and keywords that are commands."""
    owners: dict[tuple[str, str], str] = {}
    for flow in catalog.flows.values():
        plain_keywords = [catalog.words.plain(word) for word in flow.keywords]
        for kind, names in (("intent", flow.intents), ("event", flow.events), ("keyword", plain_keywords)):
            for name in names:
                owner = owners.setdefault((kind, name), flow.id)
                if owner != flow.id:
                    faults.add(flow.file, f"flows.{flow.id}", f"the {kind} '{name}' already starts {owner}")
        for word in flow.keywords:
            for command in _ALWAYS_HEARD.intersection(catalog.words.commands(catalog.words.readings(word))):
                if flow.id.startswith("pattern_"):
                    continue
                faults.add(flow.file, f"flows.{flow.id}.keywords", f"'{word}' is the command {command}")


def _check_patterns(catalog: FlowCatalog, faults: Faults) -> None:
    """Note pattern responses that are missing or lack a choice."""
    file = next((response.file for key, response in catalog.responses.items() if "pattern" in key), "patterns.yml")
    for key in (*pattern_texts.FIELDS, *pattern_texts.PROBLEMS):
        if key not in catalog.responses:
            faults.add(file, f"responses.{key}", "is missing; the engine says it")
    for key, needed in pattern_texts.CHOICES.items():
        response = catalog.responses.get(key)
        if response is None:
            continue
        for index, variant in enumerate(response.variants):
            offered = {button.value.removeprefix("/choice:") for button in variant.buttons}
            for missing in sorted(needed - offered):
                faults.add(response.file, f"responses.{key}[{index}].buttons", f"lacks the payload /choice:{missing}")
