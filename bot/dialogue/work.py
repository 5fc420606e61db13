"""The dialogue state while a step of the engine works on it: mutable, with what happened so far."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from bot.dialogue import pattern_texts
from bot.dialogue.catalog import Collect, Flow, FlowCatalog, FlowStep, Review, Slot
from bot.dialogue.events import Option, SlotValue
from bot.dialogue.models import (
    Answered,
    Candidate,
    DialogueState,
    EngineSettings,
    Frame,
    FrameKind,
    Journey,
    PathPart,
    Trigger,
    Waiting,
)
from bot.dialogue.outcomes import Outcome, RunAction, Spoken, TraceEntry
from bot.dialogue.validators import Request, ValidatorTable
from bot.values.problem import FieldValue, Problem


class World:
    """What does not change from turn to turn: the catalogue, the validators, the actions that exist, the settings."""

    def __init__(
        self, catalog: FlowCatalog, validators: ValidatorTable, settings: EngineSettings, actions: frozenset[str]
    ) -> None:
        self.catalog = catalog
        self.validators = validators
        self.settings = settings
        self.actions = actions

    def request(self, slot: Slot, options: tuple[Option, ...], today: date) -> Request:
        """Return what the validator of ``slot`` needs."""
        return Request(slot, options or slot.options, today, self.catalog.words)


class Work:
    """One follower's state in the making. Fields have the names of ``DialogueState``."""

    def __init__(self, world: World, state: DialogueState, today: date, now_s: int) -> None:
        self.world = world
        self.catalog = world.catalog
        self.settings = world.settings
        self.today = today
        self.now_s = now_s
        self.last_said = state.last
        self.frames = list(state.frames)
        self.slots = dict(state.slots)
        self.labels = dict(state.labels)
        self.drafts = list(state.drafts)
        self.asking = state.asking
        self.choices = state.choices
        self.offered = state.offered
        self.gathered = state.gathered
        self.pending = state.pending
        self.revisit = state.revisit
        self.misses = state.misses
        self.rejections = state.rejections
        self.turn = state.turn
        self.serial = state.serial
        self.away = state.away
        self.outcomes: list[Outcome] = []
        self.trace: list[TraceEntry] = []
        self.leads: list[Spoken] = []
        self.lost: list[Answered] = []
        self.run: RunAction | None = None
        self.waiting: Waiting | None = None
        self.trigger = Trigger()
        self.later = [wish for wish in state.later if wish.until_s > now_s]
        self.opening = state.opening
        self.aside = state.aside
        self.candidate: Candidate | None = None
        self.suggestions: tuple[str, ...] = ()
        self.text = ""
        self.answer = ""
        self.moved = False
        self.silenced = False
        self.stopped = False

    # --- What is open -------------------------------------------------------------------------------------------

    @property
    def root(self) -> int:
        """The index of the frame of the running service, below the flows it called."""
        index = len(self.frames) - 1
        while index > 0 and self.frames[index].kind == "call":
            index -= 1
        return index

    @property
    def service(self) -> Flow:
        """The running service; there must be a frame."""
        return self.catalog.flows[self.frames[self.root].flow]

    @property
    def journey(self) -> Journey:
        """The running service's memory of its way."""
        return self.frames[self.root].journey

    def remember(self, journey: Journey) -> None:
        """Replace the running service's memory of its way."""
        self.frames[self.root] = replace(self.frames[self.root], journey=journey)

    def step(self) -> FlowStep:
        """Return the step that the uppermost frame stands at."""
        frame = self.frames[-1]
        return self.catalog.flows[frame.flow].steps[frame.step]

    def path(self) -> tuple[PathPart, ...]:
        """Return where the running service stands, from its own flow down through the called ones."""
        return tuple((frame.flow, frame.step) for frame in self.frames[self.root :])

    def is_form(self) -> bool:
        """Say whether the running service is a form that is still being filled in, which is not given up lightly."""
        return self.service.keeps_draft and not self.is_handed_in()

    def is_handed_in(self) -> bool:
        """Say whether the running service has its last review screen behind it."""
        flow_id, step_id = self.path()[0] if self.frames else ("", "")
        flow = self.catalog.flows.get(flow_id)
        if flow is None or step_id not in flow.steps:
            return False
        reviews = [step.index for step in flow.steps.values() if isinstance(step, Review)]
        return bool(reviews) and flow.steps[step_id].index > max(reviews)

    def open_slot(self) -> Slot | None:
        """Return the slot whose question is open."""
        return None if self.asking is None else self.catalog.slots.get(self.asking)

    def open_collect(self) -> Collect | None:
        """Return the question that is open, when the uppermost frame stands at it."""
        if not self.frames:
            return None
        step = self.step()
        return step if isinstance(step, Collect) and step.slot == self.asking else None

    def push(self, flow: Flow, step: str, kind: FrameKind, journey: Journey | None = None) -> None:
        """Put ``flow`` on top of the stack, standing at ``step``."""
        self.serial += 1
        self.frames.append(Frame(self.serial, flow.id, step, flow.version, kind, journey or Journey()))

    def move(self, step: str) -> None:
        """Let the uppermost frame stand at ``step``."""
        self.frames[-1] = replace(self.frames[-1], step=step)

    # --- Slots --------------------------------------------------------------------------------------------------

    def set_slot(self, name: str, value: SlotValue, label: str | None = None) -> None:
        """Fill a declared slot, or empty it with ``None``; what depends on it is emptied when it changed."""
        if name not in self.catalog.slots:
            self.note("slot refused", name)
            return
        old = self.slots.get(name)
        value = self._clipped(value)
        if value is None:
            self.slots.pop(name, None)
            self._forget_answers((name,), confirmed=False)
        else:
            self.slots[name] = value
        if old != value or label is not None:
            self.labels.pop(name, None)
        if label is not None:
            self.labels[name] = label
        if self.frames and name not in self.journey.touched:
            self.remember(replace(self.journey, touched=(*self.journey.touched, name)))
        if old is not None and old != value:
            self._empty_dependents(name)

    def forget(self) -> None:
        """Empty every slot and draft, and leave the services below the running one."""
        if self.frames:
            del self.frames[: self.root]
            self.frames[0] = replace(self.frames[0], kind="base", journey=Journey())
        self.slots.clear()
        self.labels.clear()
        self.drafts.clear()
        self.offered, self.pending, self.revisit, self.last_said = (), None, None, ()
        self.opening = None
        self.later.clear()
        self.note("everything forgotten")

    def put_back(self, name: str, value: SlotValue) -> None:
        """Give a slot a value that it had before, without consequences."""
        if value is None:
            self.slots.pop(name, None)
        else:
            self.slots[name] = value

    def _clipped(self, value: SlotValue) -> SlotValue:
        return value[: self.settings.max_text_chars] if isinstance(value, str) else value

    def _empty_dependents(self, name: str) -> None:
        emptied = [slot for slot in self.catalog.dependents.get(name, ()) if self.slots.pop(slot, None) is not None]
        for slot in emptied:
            self.labels.pop(slot, None)
            self.note("emptied with what it depends on", slot)
        self._forget_answers(emptied, confirmed=True)

    def _forget_answers(self, names: Iterable[str], *, confirmed: bool) -> None:
        """Take ``names`` from the way; ``confirmed`` also forgets that they were ever answered, so they are asked."""
        gone = set(names)
        if not gone or not self.frames:
            return
        journey = self.journey
        if confirmed:
            self.lost.extend(one for one in journey.answered if one.slot in gone)
            journey = replace(
                journey,
                confirmed=tuple(slot for slot in journey.confirmed if slot not in gone),
                skipped=tuple(slot for slot in journey.skipped if slot not in gone),
            )
        self.remember(replace(journey, answered=tuple(one for one in journey.answered if one.slot not in gone)))

    # --- Texts --------------------------------------------------------------------------------------------------

    def text_of(self, key: str) -> str:
        """Return the wording of a response without placeholders."""
        response = self.catalog.responses.get(key)
        return response.variants[0].text if response is not None else ""

    def shown(self, name: str, value: SlotValue) -> str:
        """Return ``value`` of slot ``name`` as people read it, masked when the slot is sensitive."""
        slot = self.catalog.slots[name]
        if value is None:
            return ""
        validator = self.world.validators.get(slot.validator)
        if slot.sensitive:
            chosen = validator is None or slot.validator == "options" or bool(slot.options)
            masked = "" if validator is None or chosen else validator.mask(value)
            return masked or self.text_of(pattern_texts.VALUE_FILLED)
        if name in self.labels and value == self._labelled(name):
            return self.labels[name]
        labels = _labels(slot.options, value)
        if labels:
            return labels
        if isinstance(value, bool):
            return self.text_of(pattern_texts.VALUE_YES if value else pattern_texts.VALUE_NO)
        return validator.show(value, self.today) if validator is not None else ""

    def _labelled(self, name: str) -> SlotValue:
        """Return the value that the label of slot ``name`` belongs to; it is set aside while it is asked again."""
        if self.revisit is not None and self.revisit.slot == name:
            return self.revisit.old
        return self.slots.get(name)

    def spoken(
        self, key: str, fields: Mapping[str, FieldValue] | None = None, options: tuple[Option, ...] = ()
    ) -> Spoken:
        """Return the response ``key`` with its wording chosen and its placeholders filled."""
        response = self.catalog.responses.get(key)
        if response is None:
            self.note("no such response", key)
            return Spoken(key, fields or {}, options)
        variant = response.choose(self.slots, self.turn)
        filled: dict[str, FieldValue] = {}
        for name in response.variants[variant].placeholders:
            if fields is not None and name in fields:
                filled[name] = fields[name]
            elif name in self.catalog.slots:
                filled[name] = self.shown(name, self.slots.get(name))
        return Spoken(key, filled, options, variant)

    def buttons(self, spoken: Spoken) -> tuple[Option, ...]:
        """Return the buttons of the wording that was chosen."""
        response = self.catalog.responses.get(spoken.response)
        return response.variants[spoken.variant].buttons if response is not None else ()

    def say(self, key: str, fields: Mapping[str, FieldValue] | None = None, options: tuple[Option, ...] = ()) -> None:
        """Say a response now; its choices can be answered by number until the next question."""
        spoken = self.spoken(key, fields, options)
        self.emit(spoken)
        shown = (*options, *self.buttons(spoken))
        if shown:
            self.offered = shown[: self.settings.max_options]

    def lead(self, key: str, fields: Mapping[str, FieldValue] | None = None) -> None:
        """Say a response together with the next question, or alone if none follows."""
        self.leads.append(self.spoken(key, fields))

    def lead_problem(self, problem: Problem) -> None:
        """Say why an answer was not taken; what was probably meant is offered with the next question."""
        self.lead(problem.code, problem.fields)
        self.suggestions = problem.suggestions

    def take_leads(self) -> tuple[Spoken, ...]:
        """Return what is to be said before the question that is asked now."""
        leads = tuple(self.leads)
        self.leads.clear()
        return leads

    def emit(self, outcome: Outcome) -> None:
        """Add an outcome, after what still waits to be said."""
        self.outcomes.extend(self.take_leads())
        self.outcomes.append(outcome)

    def note(self, what: str, detail: str = "") -> None:
        """Write one decision into the trace; names only."""
        self.trace.append(TraceEntry(what, detail))

    # --- The end ------------------------------------------------------------------------------------------------

    def close_question(self) -> None:
        """Forget the open question; the next one may be asked."""
        self.asking = None
        self.choices = ()
        self.gathered = ()

    def frozen(self) -> DialogueState:
        """Return the state as it is now."""
        return DialogueState(
            frames=tuple(self.frames),
            slots=self.slots,
            labels=self.labels,
            drafts=tuple(self.drafts),
            asking=self.asking,
            choices=self.choices,
            offered=self.offered,
            gathered=self.gathered,
            pending=self.pending,
            revisit=self.revisit,
            misses=self.misses,
            rejections=self.rejections,
            turn=self.turn,
            serial=self.serial,
            at_s=self.now_s,
            away=self.away and bool(self.frames),
            last=self._last(),
            later=tuple(self.later),
            opening=self.opening if self.frames else None,
            aside=self.aside if self.frames else None,
            waiting=self.waiting,
        )

    def _last(self) -> tuple[Spoken, ...]:
        if self.frames:
            return ()
        said = tuple(outcome for outcome in self.outcomes if isinstance(outcome, Spoken))
        return said[-3:] or self.last_said


def _labels(options: Iterable[Option], value: SlotValue) -> str:
    """Return the labels of a value, or of each of several, when all are known options."""
    names = {option.value: option.label for option in options}
    if not names:
        return ""
    values = value if isinstance(value, list) else [value]
    keys = [("true" if one else "false") if isinstance(one, bool) else str(one) for one in values]
    return "、".join(names[key] for key in keys) if all(key in names for key in keys) else ""
