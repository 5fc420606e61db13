"""How far a form is: the questions still ahead, following the branches as far as the answers decide them."""

from collections.abc import Iterator, Mapping

from bot.dialogue.catalog import Call, Collect, FlowCatalog, FlowStep, Review, SetValues
from bot.dialogue.conditions import Condition
from bot.dialogue.events import SlotValue
from bot.dialogue.models import PathPart
from bot.dialogue.outcomes import Progress

FEWEST_SHOWN = 3
"""A form with fewer questions shows no progress."""
_MAX_WALKED = 200
_MAX_KEPT = 2_000
"""How many ways ahead are kept; a worker's answers lead along a few dozen of them."""


class Route:
    """The ways through the flows of one catalogue."""

    def __init__(self, catalog: FlowCatalog) -> None:
        self._catalog = catalog
        self._longest: dict[tuple[str, str], int] = {}
        self._ways: dict[tuple[str, str, int], str | None] = {}
        self._ahead: dict[tuple[tuple[PathPart, ...], tuple[object, ...]], frozenset[str]] = {}
        branches = (branch for flow in catalog.flows.values() for step in flow.steps.values() for branch in step.next)
        names = {name for branch in branches if branch.condition is not None for name in branch.condition.names}
        self._deciding = tuple(sorted(names))

    def ahead(self, places: tuple[PathPart, ...], slots: Mapping[str, SlotValue]) -> Iterator[Collect]:
        """Yield the questions after ``places``, which lead from the service's own flow down to the running one.

        The last place is the step that runs now, the others the calls that led to it; none of them is yielded. Where
        a branch looks at a slot that is still empty, the longer way is taken, so that a total rather shrinks than
        grows.
        """
        scratch = dict(slots)
        visited: set[PathPart] = set()
        for flow_id, step_id in reversed(places):
            flow = self._catalog.flows.get(flow_id)
            step = flow.steps.get(step_id) if flow is not None else None
            if step is not None:
                start = self._onward(flow_id, step, scratch)
                for _, found in self._walk(flow_id, start, scratch, visited, ()):
                    if isinstance(found, Collect):
                        yield found

    def counted_ahead(self, places: tuple[PathPart, ...], slots: Mapping[str, SlotValue]) -> frozenset[str]:
        """Return the slots of the questions after ``places`` that count as steps of the form.

        Only the slots that branches look at decide it, so the answer is kept for the same ones.
        """
        decided = tuple(_comparable(slots.get(name)) for name in self._deciding)
        known = self._ahead.get((places, decided))
        if known is None:
            known = frozenset(step.slot for step in self.ahead(places, slots) if step.counts)
            if len(self._ahead) >= _MAX_KEPT:
                self._ahead.clear()
            self._ahead[places, decided] = known
        return known

    def from_start(
        self, flow_id: str, slots: Mapping[str, SlotValue]
    ) -> Iterator[tuple[tuple[PathPart, ...], Collect | Review]]:
        """Yield the questions and review screens of a flow from its beginning, each with the way to it."""
        return self._walk(flow_id, self._catalog.flows[flow_id].first, dict(slots), set(), ())

    def _walk(
        self,
        flow_id: str,
        start: str | None,
        slots: dict[str, SlotValue],
        visited: set[PathPart],
        above: tuple[PathPart, ...],
    ) -> Iterator[tuple[tuple[PathPart, ...], Collect | Review]]:
        steps = self._catalog.flows[flow_id].steps
        step_id = start
        while step_id is not None and (flow_id, step_id) not in visited and len(visited) < _MAX_WALKED:
            here = (flow_id, step_id)
            visited.add(here)
            step = steps[step_id]
            if isinstance(step, Collect | Review):
                yield (*above, here), step
            elif isinstance(step, Call) and step.flow in self._catalog.flows:
                first = self._catalog.flows[step.flow].first
                yield from self._walk(step.flow, first, slots, visited, (*above, here))
            elif isinstance(step, SetValues):
                slots.update(step.values)
            step_id = self._onward(flow_id, step, slots)

    def _onward(self, flow_id: str, step: FlowStep, slots: Mapping[str, SlotValue]) -> str | None:
        for place, branch in enumerate(step.next):
            if branch.condition is None:
                return branch.target
            if _is_undecided(branch.condition, slots):
                return self._longest_way(flow_id, step, place)
            if branch.condition.holds(slots):
                return branch.target
        return None

    def _longest_way(self, flow_id: str, step: FlowStep, place: int) -> str | None:
        """Return the target, from the branch at ``place`` on, after which most questions follow."""
        key = (flow_id, step.id, place)
        if key not in self._ways:
            targets = [branch.target for branch in step.next[place:]]
            self._ways[key] = max(targets, key=lambda target: self._length(flow_id, target))
        return self._ways[key]

    def _length(self, flow_id: str, step_id: str | None) -> int:
        """Return the number of questions on the longest way from a step to the end."""
        if step_id is None:
            return 0
        key = (flow_id, step_id)
        if key not in self._longest:
            self._longest[key] = 0  # A flow that calls itself adds nothing.
            steps = self._catalog.flows[flow_id].steps
            step = steps[step_id]
            own = 1 if isinstance(step, Collect) else 0
            if isinstance(step, Call) and step.flow in self._catalog.flows:
                own = self._length(step.flow, self._catalog.flows[step.flow].first)
            # A way back asks again what is counted already, so it leads no further.
            onward = [way.target for way in step.next if way.target and steps[way.target].index > step.index]
            self._longest[key] = own + max((self._length(flow_id, target) for target in onward), default=0)
        return self._longest[key]


def _is_undecided(condition: Condition, slots: Mapping[str, SlotValue]) -> bool:
    # A plain loop: this runs for every branch of every question that is still ahead.
    for name in condition.names:  # noqa: SIM110
        if slots.get(name) is None:
            return True
    return False


def _comparable(value: SlotValue) -> object:
    """Return ``value`` as something that can be looked up by; lists and mappings by their text."""
    return value if value is None or isinstance(value, str | int | float) else repr(value)


def progress_of(slot: str, passed: tuple[str, ...], ahead: frozenset[str]) -> Progress | None:
    """Return where the question of ``slot`` stands between those passed and those ahead."""
    before = [name for name in dict.fromkeys(passed) if name != slot]
    after = ahead - {slot, *before}
    total = len(before) + 1 + len(after)
    return Progress(len(before) + 1, total) if total >= FEWEST_SHOWN else None
