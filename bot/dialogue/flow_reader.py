"""Reads ``flows`` of a flow file: steps in branches are put in place, so that a flow is one list with jumps."""

import re
from dataclasses import dataclass

from bot.dialogue.catalog import (
    END,
    Branch,
    Call,
    Collect,
    Flow,
    FlowStep,
    Link,
    Noop,
    Rejection,
    Review,
    RunStep,
    SetValues,
    Utter,
)
from bot.dialogue.conditions import Condition
from bot.dialogue.events import SlotValue
from bot.dialogue.faults import Raw, Section, unknown
from bot.dialogue.response_reader import read_condition

END_WORD = "END"
DEFAULT_SUBMIT = "提交"
EVENTS = ("subscribe", "scan", "image", "voice", "video", "location", "link", "file")
_KINDS = ("collect", "action", "set_slots", "call", "link", "noop", "review")
_COLLECT_KEYS = (
    "utter", "ask_before_filling", "rejections", "reset_after_flow_ends", "optional", "progress", "description",
)  # fmt: skip
_FLOW_KEYS = (
    "name", "description", "if", "nlu_trigger", "keywords", "event_trigger", "persisted_slots", "keeps_draft",
    "on_cancel", "run_pattern_completed", "questions", "progress", "steps",
)  # fmt: skip
_ID = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A step before its jumps are known: ``after`` is the id of the step that follows when it names none."""

    section: Section
    kind: str
    id: str
    after: str | None


def read_flow(section: Section, flow_id: str, version: str) -> Flow:
    """Return the flow that ``section`` declares; what is faulty is left out and noted."""
    section.expect_keys(_FLOW_KEYS)
    if not _ID.fullmatch(flow_id):
        section.fault("", "a flow's id is lower_snake_case")
    steps = _StepReader(section).read()
    if not steps:
        section.fault("steps", "needs at least one step")
    keeps_draft = section.flag("keeps_draft", default=False)
    return Flow(
        id=flow_id,
        name=section.text("name", flow_id),
        steps=steps,
        first=next(iter(steps), None),
        version=version,
        description=section.text("description"),
        guard=read_condition(section, "if"),
        intents=_read_triggers(section, "nlu_trigger", "intent"),
        keywords=section.texts("keywords"),
        events=_read_triggers(section, "event_trigger", "event"),
        persisted=section.texts("persisted_slots"),
        keeps_draft=keeps_draft,
        on_cancel=section.text("on_cancel") or None,
        run_pattern_completed=section.flag("run_pattern_completed", default=keeps_draft),
        questions=section.text("questions") or None,
        progress=section.flag("progress", default=True),
        file=section.file,
    )


def _read_triggers(section: Section, key: str, name: str) -> tuple[str, ...]:
    found = []
    for part in section.sections(key):
        part.expect_keys((name,))
        if trigger := part.text(name):
            found.append(trigger)
        else:
            part.fault(name, "is missing")
    return tuple(found)


class _StepReader:
    """Reads the steps of one flow in two passes: first every id, then every jump."""

    def __init__(self, section: Section) -> None:
        self._section = section
        self._leaves: list[_Leaf] = []
        self._ids: set[str] = set()
        self._nested: dict[str, str] = {}

    def read(self) -> dict[str, FlowStep]:
        self._gather(self._section, "steps", after=END)
        steps: dict[str, FlowStep] = {}
        for index, leaf in enumerate(self._leaves):
            step = self._build(leaf, index)
            if step is not None:
                steps[leaf.id] = step
        return steps

    def _gather(self, section: Section, key: str, after: str | None) -> str | None:
        """Note the steps listed at ``key`` and those nested in them; return the id of the first."""
        parts = section.sections(key)
        named = [(part, *self._name(part)) for part in parts]
        for place, (part, kind, step_id) in enumerate(named):
            following = named[place + 1][2] if place + 1 < len(named) else after
            self._leaves.append(_Leaf(part, kind, step_id, following))
            self._gather_branches(part, following)
        return named[0][2] if named else None

    def _gather_branches(self, part: Section, following: str | None) -> None:
        if not isinstance(part.raw.get("next"), list):
            return
        for branch in part.sections("next"):
            for key in ("then", "else"):
                if isinstance(branch.raw.get(key), list):
                    first = self._gather(branch, key, following)
                    if first is not None:
                        self._nested[branch.at(key)] = first

    def _name(self, part: Section) -> tuple[str, str]:
        """Return kind and id of a step; an id that is not given is made from the content."""
        kinds = [kind for kind in _KINDS if kind in part.raw]
        if len(kinds) != 1:
            part.fault("", f"a step has exactly one of {', '.join(_KINDS)}; this one has {len(kinds)}")
        kind = kinds[0] if kinds else "noop"
        given = part.text("id")
        if given and given in self._ids:
            part.fault("id", f"the id '{given}' is there twice")
        content = part.raw.get(kind)
        base = given or (f"{kind}_{content}" if isinstance(content, str) else kind)
        step_id, count = base, 1
        while step_id in self._ids:
            count += 1
            step_id = f"{base}_{count}"
        self._ids.add(step_id)
        return kind, step_id

    def _build(self, leaf: _Leaf, index: int) -> FlowStep | None:
        part, step_id = leaf.section, leaf.id
        extra = {"collect": _COLLECT_KEYS}.get(leaf.kind, ())
        part.expect_keys(("id", "next", "description", leaf.kind, *extra))
        jumps = self._jumps(leaf)
        match leaf.kind:
            case "collect":
                return _read_collect(part, step_id, index, jumps)
            case "action":
                name = part.text("action")
                is_text = name.startswith("utter_")
                return Utter(step_id, index, jumps, name) if is_text else RunStep(step_id, index, jumps, name)
            case "set_slots":
                return SetValues(step_id, index, jumps, _read_values(part))
            case "call":
                return Call(step_id, index, jumps, part.text("call"))
            case "link":
                return self._read_link(leaf, index, jumps)
            case "review":
                return _read_review(part, step_id, index, jumps)
            case _:
                return Noop(step_id, index, jumps)

    def _read_link(self, leaf: _Leaf, index: int, jumps: tuple[Branch, ...]) -> Link:
        if "next" in leaf.section.raw:
            leaf.section.fault("next", "nothing comes after a link")
        return Link(leaf.id, index, jumps, leaf.section.text("link"))

    def _jumps(self, leaf: _Leaf) -> tuple[Branch, ...]:
        raw = leaf.section.raw.get("next")
        if leaf.kind == "link":
            return ()
        if raw is None:
            return (Branch(None, leaf.after),)
        if isinstance(raw, str):
            return (Branch(None, self._target(leaf.section, "next", raw)),)
        branches = tuple(self._branch(part) for part in leaf.section.sections("next"))
        if not branches or branches[-1].condition is not None:
            leaf.section.fault("next", "the last branch must be else")
            return (*branches, Branch(None, leaf.after))
        return branches

    def _branch(self, part: Section) -> Branch:
        key = "else" if "else" in part.raw else "then"
        part.expect_keys(("else",) if key == "else" else ("if", "then"))
        condition: Condition | None = None
        if key == "then":
            condition = read_condition(part, "if")
            if "if" not in part.raw:
                part.fault("", "a branch is {if, then} or {else}")
        nested = self._nested.get(part.at(key))
        if nested is not None:
            return Branch(condition, nested)
        return Branch(condition, self._target(part, key, part.raw.get(key)))

    def _target(self, part: Section, key: str, raw: Raw) -> str | None:
        if raw == END_WORD:
            return END
        if not isinstance(raw, str):
            part.fault(key, "expected a step id, END or a list of steps")
            return END
        if raw not in self._ids:
            part.fault(key, unknown("step", raw, self._ids))
            return END
        return raw


def _read_collect(part: Section, step_id: str, index: int, jumps: tuple[Branch, ...]) -> Collect:
    slot = part.text("collect")
    rejections = []
    for entry in part.sections("rejections"):
        entry.expect_keys(("if", "utter"))
        condition = read_condition(entry, "if")
        if condition is None or not entry.text("utter"):
            entry.fault("", "a rejection is {if, utter}")
        else:
            rejections.append(Rejection(condition, entry.text("utter")))
    return Collect(
        step_id,
        index,
        jumps,
        slot,
        part.text("utter", f"utter_ask_{slot}"),
        ask_before_filling=part.flag("ask_before_filling", default=False),
        rejections=tuple(rejections),
        reset_after_flow_ends=part.flag("reset_after_flow_ends", default=True),
        optional=part.flag("optional", default=False),
        counts=part.flag("progress", default=True),
    )


def _read_values(part: Section) -> tuple[tuple[str, SlotValue], ...]:
    values: list[tuple[str, SlotValue]] = []
    for entry in part.sections("set_slots"):
        for name, value in entry.raw.items():
            if value is None or isinstance(value, str | int | float | bool):
                values.append((name, value))
            elif isinstance(value, list) and all(isinstance(item, str) for item in value):
                values.append((name, list(value)))
            else:
                entry.fault(name, "expected a text, number, truth value, null or a list of texts")
    return tuple(values)


def _read_review(part: Section, step_id: str, index: int, jumps: tuple[Branch, ...]) -> Review:
    inner = part.below("review", part.raw.get("review"))
    inner.expect_keys(("slots", "utter", "submit"))
    slots = inner.texts("slots")
    if not slots:
        inner.fault("slots", "needs at least one slot")
    response = inner.text("utter", "utter_pattern_review")
    return Review(step_id, index, jumps, slots, response, inner.text("submit", DEFAULT_SUBMIT))
