"""The dialogue state as JSON, and the part of it that must be sealed before it is stored.

Fields at their default are left out, so an idle follower costs a few dozen bytes. A change of meaning gets a new
``FORMAT`` and a branch in ``_state_from``; a state of a later release raises StateUnreadable.
"""

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final, cast

from bot.dialogue.errors import NotWaiting, StateUnreadable
from bot.dialogue.events import Option, SlotValue
from bot.dialogue.models import (
    Answered,
    Aside,
    DialogueState,
    Draft,
    Frame,
    FrameKind,
    Journey,
    Opening,
    Pending,
    Revisit,
    Wish,
)
from bot.dialogue.outcomes import Spoken
from bot.values.problem import FieldValue

FORMAT = 1

Json = dict[str, Any]
"""A JSON object. Its shape is what this module itself wrote, checked by the format number."""

_JOURNEY: Final = ("confirmed", "skipped", "said", "touched")
_VALUES: Final = ("slots", "labels")
_TALK: Final = ("last", "pending", "gathered", "later", "opening")
_COUNTERS: Final = ("misses", "rejections", "turn", "serial", "at_s")


def to_json(state: DialogueState) -> str:
    """Return the whole state as JSON; raises NotWaiting inside a turn, where an action is still to run."""
    return _dump(_state_to(state))


def from_json(text: str) -> DialogueState:
    """Return the state written by ``to_json``; raises StateUnreadable."""
    return _state_from(_load(text))


def split_sensitive(state: DialogueState, sensitive: AbstractSet[str]) -> tuple[str, str | None]:
    """Return the state in two texts: one that may lie open, and one to seal (``None`` when there is nothing).

    The second holds the values of ``sensitive`` slots, wherever they are (slots, drafts, an old answer), pictures,
    and what was said last or not understood, which may repeat them.
    """
    public = _state_to(state)
    secret: Json = {}
    for key in _VALUES:
        _move(public.get(key), secret, key, sensitive)
        for index, draft in enumerate(public.get("drafts", [])):
            _move(draft[key], secret, f"{key}{index}", sensitive)
    if state.revisit is not None and state.revisit.slot in sensitive:
        secret["old"] = public["revisit"].pop("old")
    for key in _TALK:
        if key in public:
            secret[key] = public.pop(key)
    return _dump(public), _dump(secret) if secret else None


def join_sensitive(public: str, secret: str | None) -> DialogueState:
    """Return the state from the two texts of ``split_sensitive``; raises StateUnreadable."""
    state = _load(public)
    parts = json.loads(secret) if secret is not None else {}
    for key in _VALUES:
        if key in parts:
            state[key] = {**state.get(key, {}), **parts[key]}
        for index, draft in enumerate(state.get("drafts", [])):
            draft[key].update(parts.get(f"{key}{index}", {}))
    if "old" in parts and "revisit" in state:
        state["revisit"]["old"] = parts["old"]
    state.update({key: parts[key] for key in _TALK if key in parts})
    return _state_from(state)


def _move(slots: Json | None, secret: Json, key: str, sensitive: AbstractSet[str]) -> None:
    moved = {name: slots.pop(name) for name in tuple(slots) if name in sensitive} if slots else {}
    if moved:
        secret[key] = moved


def _dump(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _load(text: str) -> Json:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise StateUnreadable(reason="not JSON") from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise StateUnreadable(reason="unknown format")
    return value


def _state_to(state: DialogueState) -> Json:
    if state.waiting is not None:
        raise NotWaiting(reason="a state is stored only when its actions have run")
    value: Json = {"format": FORMAT}
    value.update({name: number for name in _COUNTERS if (number := getattr(state, name))})
    parts: Json = {
        "frames": [_frame_to(frame) for frame in state.frames],
        "slots": dict(state.slots),
        "labels": dict(state.labels),
        "drafts": [_draft_to(draft) for draft in state.drafts],
        "asking": state.asking,
        "choices": [_option_to(option) for option in state.choices],
        "offered": [_option_to(option) for option in state.offered],
        "gathered": list(state.gathered),
        "pending": None if state.pending is None else _pending_to(state.pending),
        "later": [[wish.intent, wish.text, wish.at_once, wish.until_s] for wish in state.later],
        "opening": None if state.opening is None else [state.opening.text, list(state.opening.tried)],
        "revisit": None if state.revisit is None else _revisit_to(state.revisit),
        "aside": None if state.aside is None else [state.aside.slot, *map(_option_to, state.aside.choices)],
        "meant": "" if state.aside is None else state.aside.meant,
        "away": state.away,
        "last": [_spoken_to(spoken) for spoken in state.last],
    }
    value.update({name: part for name, part in parts.items() if part})
    return value


def _state_from(value: Json) -> DialogueState:
    try:
        pending = value.get("pending")
        revisit = value.get("revisit")
        return DialogueState(
            frames=tuple(_frame_from(part) for part in value.get("frames", ())),
            slots=_slots_from(value.get("slots", {})),
            labels=value.get("labels", {}),
            drafts=tuple(_draft_from(part) for part in value.get("drafts", ())),
            asking=value.get("asking"),
            choices=tuple(_option_from(part) for part in value.get("choices", ())),
            offered=tuple(_option_from(part) for part in value.get("offered", ())),
            gathered=tuple(value.get("gathered", ())),
            pending=None if pending is None else Pending(*pending),
            revisit=None if revisit is None else Revisit(revisit["slot"], revisit.get("old"), revisit["reason"]),
            later=tuple(Wish(*part) for part in value.get("later", ())),
            opening=_opening_from(value.get("opening")),
            aside=_aside_from(value.get("aside"), value.get("meant", "")),
            away=value.get("away", False),
            last=tuple(_spoken_from(part) for part in value.get("last", ())),
            misses=int(value.get("misses", 0)),
            rejections=int(value.get("rejections", 0)),
            turn=int(value.get("turn", 0)),
            serial=int(value.get("serial", 0)),
            at_s=int(value.get("at_s", 0)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateUnreadable(reason="wrong shape") from error


def _pending_to(pending: Pending) -> list[object]:
    parts: list[object] = [pending.kind, pending.flow, pending.text]
    return parts if pending.intent is None else [*parts, pending.intent]


def _opening_from(value: list[Any] | None) -> Opening | None:
    return None if value is None else Opening(value[0], tuple(value[1]))


def _aside_from(value: list[Any] | None, meant: str) -> Aside | None:
    return None if value is None else Aside(value[0], tuple(_option_from(part) for part in value[1:]), meant)


def _frame_to(frame: Frame) -> Json:
    value: Json = {
        "id": frame.id,
        "flow": frame.flow,
        "step": frame.step,
        "version": frame.version,
        "kind": frame.kind,
    }
    journey = frame.journey
    value.update({name: list(names) for name in _JOURNEY if (names := getattr(journey, name))})
    if journey.answered:
        value["answered"] = [[one.slot, [list(part) for part in one.path]] for one in journey.answered]
    return value


def _frame_from(value: Json) -> Frame:
    answered = tuple(
        Answered(slot, tuple((flow, step) for flow, step in path)) for slot, path in value.get("answered", ())
    )
    journey = Journey(answered, **{name: tuple(value.get(name, ())) for name in _JOURNEY})
    kind: FrameKind = value["kind"]
    return Frame(int(value["id"]), value["flow"], value["step"], value["version"], kind, journey)


def _draft_to(draft: Draft) -> Json:
    frames = [_frame_to(frame) for frame in draft.frames]
    slots, labels = dict(draft.slots), dict(draft.labels)
    return {"flow": draft.flow, "frames": frames, "slots": slots, "labels": labels, "until_s": draft.until_s}


def _draft_from(value: Json) -> Draft:
    frames = tuple(_frame_from(part) for part in value["frames"])
    return Draft(value["flow"], frames, _slots_from(value["slots"]), value["labels"], int(value["until_s"]))


def _slots_from(value: Json) -> Mapping[str, SlotValue]:
    return cast("dict[str, SlotValue]", value)


def _revisit_to(revisit: Revisit) -> Json:
    return {"slot": revisit.slot, "old": revisit.old, "reason": revisit.reason}


def _option_to(option: Option) -> list[object]:
    return [option.value, option.label, list(option.aliases), option.next_flow, option.note]


def _option_from(value: list[Any]) -> Option:
    text, label, aliases, next_flow, *note = value
    return Option(text, label, tuple(aliases), next_flow, *note)


def _spoken_to(spoken: Spoken) -> list[object]:
    options = [_option_to(option) for option in spoken.options]
    return [spoken.response, dict(spoken.fields), options, spoken.variant]


def _spoken_from(value: list[Any]) -> Spoken:
    response, fields, options, variant = value
    typed: Mapping[str, FieldValue] = fields
    return Spoken(response, typed, tuple(_option_from(part) for part in options), int(variant))
