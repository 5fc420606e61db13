"""Reads a directory of flow files into one catalogue and collects every fault on the way."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import yaml

from bot.dialogue.catalog import Flow, FlowCatalog, Response, Slot
from bot.dialogue.errors import FlowsFaulty
from bot.dialogue.faults import Faults, Raw, Section
from bot.dialogue.flow_reader import read_flow
from bot.dialogue.response_reader import read_response
from bot.dialogue.slot_reader import read_slot
from bot.dialogue.words import MARKERS, Command, Words

VERSION_CHARS = 12
_TOP_KEYS = ("version", "flows", "slots", "responses", "words", "menu")
"""``version`` is Rasa's; ``menu`` is the account's menu, which has a reader of its own."""


class _StrictLoader(yaml.CSafeLoader):
    """Refuses a mapping with the same key twice, which YAML would let the last one win silently."""


def _construct_mapping(loader: yaml.CSafeLoader, node: yaml.MappingNode) -> dict[object, object]:
    loader.flatten_mapping(node)
    mapping: dict[object, object] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in mapping:
            raise yaml.MarkedYAMLError(problem=f"the key '{key}' is there twice", problem_mark=key_node.start_mark)
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)


class _Merged:
    """What the files read so far declare; a second declaration of the same name is a fault."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.flows: dict[str, Flow] = {}
        self.slots: dict[str, Slot] = {}
        self.responses: dict[str, Response] = {}
        self.words: dict[str, tuple[str, ...]] = {}

    def read(self, file: str, raw: Raw, version: str) -> None:
        section = Section(self.faults, file, "", raw)
        section.expect_keys(_TOP_KEYS)
        for name, part in _parts(section, "flows"):
            self._check_new(part, name, {key: flow.file for key, flow in self.flows.items()})
            self.flows[name] = read_flow(part, name, version)
        for name, part in _parts(section, "slots"):
            self._check_new(part, name, {key: slot.file for key, slot in self.slots.items()})
            self.slots[name] = read_slot(part, name)
        self._read_responses(section)
        self._read_words(section)

    def _read_responses(self, section: Section) -> None:
        part = section.below("responses", section.raw.get("responses"))
        for key, raw in part.raw.items():
            if key in self.responses:
                part.fault(key, f"is already in {self.responses[key].file}")
            response = read_response(part, key, raw)
            if response is not None:
                self.responses[key] = response

    def _read_words(self, section: Section) -> None:
        part = section.below("words", section.raw.get("words"))
        part.expect_keys((*(command.value for command in Command), *MARKERS))
        for key in part.raw:
            self.words[key] = (*self.words.get(key, ()), *part.texts(key))

    def _check_new(self, part: Section, name: str, files: Mapping[str, str]) -> None:
        if name in files:
            part.fault("", f"is already in {files[name]}")


def _parts(section: Section, key: str) -> list[tuple[str, Section]]:
    part = section.below(key, section.raw.get(key))
    return [(name, part.below(name, raw)) for name, raw in part.raw.items()]


def read_directory(directory: Path) -> tuple[FlowCatalog, Faults]:
    """Return the catalogue of ``directory/*.yml`` and the faults of reading; what is faulty is left out of it."""
    faults = Faults()
    merged = _Merged(faults)
    paths = sorted(directory.glob("*.yml"))
    if not paths:
        faults.add(str(directory), "", "holds no *.yml file")
    for path in paths:
        content = path.read_bytes()
        version = hashlib.sha256(content).hexdigest()[:VERSION_CHARS]
        file = f"{directory.name}/{path.name}"
        try:
            raw = yaml.load(content, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader that refuses double keys
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            faults.add(file, "", f"is not valid YAML: {_one_line(error)}")
            continue
        merged.read(file, raw, version)
    return FlowCatalog(merged.flows, merged.slots, merged.responses, Words(merged.words)), faults


def load_catalog(directory: Path) -> FlowCatalog:
    """Return the catalogue of ``directory``; raises FlowsFaulty with the first fault and their number.

    The deeper checks, which need to know the actions, intents and validators, are in ``bot.dialogue.checker``.
    """
    catalog, faults = read_directory(directory)
    errors = faults.errors()
    if errors:
        raise FlowsFaulty(first=str(errors[0]), count=len(errors))
    return catalog


def _one_line(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return " ".join(str(error).split())
