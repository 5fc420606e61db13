"""Checks how the steps of flows hang together: steps nobody reaches, loops without a question, calls in a circle."""

from collections.abc import Callable, Iterable, Mapping

from bot.dialogue.catalog import Call, Collect, Flow, FlowCatalog, FlowStep, Link, Review
from bot.dialogue.faults import Faults


def check_graph(catalog: FlowCatalog, faults: Faults) -> None:
    """Add the faults of every flow's graph to ``faults``."""
    asking = {flow.id for flow in catalog.flows.values() if _asks(catalog, flow.id, set())}
    for flow in catalog.flows.values():
        for step_id in _unreached(flow):
            faults.add(flow.file, f"flows.{flow.id}.steps.{step_id}", "no path leads to this step")
        for step_id in _loops(flow, asking):
            faults.add(flow.file, f"flows.{flow.id}.steps.{step_id}", "is in a loop without a question in it")
        if flow.id in _called(catalog, flow.id):
            faults.add(flow.file, f"flows.{flow.id}", "calls itself, directly or through other flows")
        _check_links(catalog, flow, faults)


def _targets(step: FlowStep) -> tuple[str, ...]:
    return tuple(branch.target for branch in step.next if branch.target is not None)


def _reachable(starts: Iterable[str], onward: Callable[[str], Iterable[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(onward(name))
    return found


def _unreached(flow: Flow) -> list[str]:
    if flow.first is None:
        return []
    reached = _reachable([flow.first], lambda name: _targets(flow.steps[name]) if name in flow.steps else ())
    return [name for name in flow.steps if name not in reached]


def _loops(flow: Flow, asking: set[str]) -> list[str]:
    """Return the steps from which one can come back without passing a question."""
    silent: Mapping[str, tuple[str, ...]] = {
        step.id: _targets(step)
        for step in flow.steps.values()
        if not isinstance(step, Collect | Review) and not (isinstance(step, Call) and step.flow in asking)
    }
    return [name for name in silent if name in _reachable(silent[name], lambda other: silent.get(other, ()))]


def _asks(catalog: FlowCatalog, flow_id: str, seen: set[str]) -> bool:
    if flow_id in seen or flow_id not in catalog.flows:
        return False
    seen.add(flow_id)
    return any(
        isinstance(step, Collect | Review) or (isinstance(step, Call) and _asks(catalog, step.flow, seen))
        for step in catalog.flows[flow_id].steps.values()
    )


def _called(catalog: FlowCatalog, flow_id: str) -> set[str]:
    """Return the flows that ``flow_id`` calls, directly or through others."""

    def calls(name: str) -> list[str]:
        flow = catalog.flows.get(name)
        return [step.flow for step in flow.steps.values() if isinstance(step, Call)] if flow is not None else []

    return _reachable(calls(flow_id), calls)


def _check_links(catalog: FlowCatalog, flow: Flow, faults: Faults) -> None:
    """Note flows that only link to each other: nobody would ever be asked anything."""

    def links(name: str) -> list[str]:
        linked = catalog.flows.get(name)
        if linked is None or _asks(catalog, name, set()):
            return []
        return [step.flow for step in linked.steps.values() if isinstance(step, Link)]

    if flow.id in _reachable(links(flow.id), links):
        faults.add(flow.file, f"flows.{flow.id}", "links back to itself without a question on the way")
