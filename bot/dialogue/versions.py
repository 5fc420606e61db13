"""Followers inside an old version of a flow file: they go on, or are moved, and keep every answer."""

from dataclasses import replace

from bot.dialogue import pattern_texts
from bot.dialogue.catalog import Collect, Flow
from bot.dialogue.models import Answered, Frame, FrameKind, Journey, PathPart
from bot.dialogue.progress import Route
from bot.dialogue.work import Work


class Migration:
    """Brings the frames of a state up to the flow files as they are now."""

    def __init__(self, route: Route) -> None:
        self._route = route

    def run(self, work: Work) -> None:
        """Check every frame; a state of the present version costs one comparison for each."""
        if all(self._is_present(work, index) for index in range(len(work.frames))):
            return
        for root in [index for index, frame in enumerate(work.frames) if frame.kind != "call"][::-1]:
            self._migrate(work, root)
        work.frames = [frame for frame in work.frames if frame.flow in work.catalog.flows]
        for index, frame in enumerate(work.frames):
            if index == 0 and frame.kind == "digression":
                work.frames[0] = replace(frame, kind="base")

    def _is_present(self, work: Work, index: int) -> bool:
        frame = work.frames[index]
        flow = work.catalog.flows.get(frame.flow)
        return flow is not None and flow.version == frame.version

    def _migrate(self, work: Work, root: int) -> None:
        """Bring one service with the flows it calls up to date."""
        end = root + 1
        while end < len(work.frames) and work.frames[end].kind == "call":
            end += 1
        frames = work.frames[root:end]
        if all(self._is_present(work, index) for index in range(root, end)):
            return
        flow = work.catalog.flows.get(frames[0].flow)
        if flow is None or flow.first is None:
            work.note("flow is gone", frames[0].flow)
            del work.frames[root:end]
            if root == len(work.frames):
                self._lose_question(work)
                work.lead(pattern_texts.FLOW_GONE)
            return
        path = tuple((frame.flow, frame.step) for frame in frames)
        is_running = end == len(work.frames)
        stays = all(self._exists(work, part) for part in path) and self._is_same_question(work, path, is_running)
        if not stays:
            path = self._new_place(work, flow, frames[0].journey.confirmed, is_running)
        self._put(work, root, end, path)
        work.note("flow migrated", flow.id)

    def _put(self, work: Work, root: int, end: int, path: tuple[PathPart, ...]) -> None:
        old = work.frames[root]
        journey = replace(old.journey, answered=tuple(one for one in old.journey.answered if self._holds(work, one)))
        rebuilt = []
        for depth, (flow_id, step) in enumerate(path):
            work.serial += 1
            flow = work.catalog.flows[flow_id]
            own = depth == 0
            kind: FrameKind = old.kind if own else "call"
            rebuilt.append(Frame(work.serial, flow_id, step, flow.version, kind, journey if own else Journey()))
        work.frames[root:end] = rebuilt

    def _holds(self, work: Work, entry: Answered) -> bool:
        return all(self._exists(work, part) for part in entry.path)

    def _exists(self, work: Work, part: PathPart) -> bool:
        flow = work.catalog.flows.get(part[0])
        return flow is not None and part[1] in flow.steps

    def _is_same_question(self, work: Work, path: tuple[PathPart, ...], is_running: bool) -> bool:
        """Say whether the step asks what was asked; only the running service has a question open."""
        flow_id, step_id = path[-1]
        step = work.catalog.flows[flow_id].steps[step_id]
        return not is_running or not isinstance(step, Collect) or work.asking in {None, step.slot}

    def _new_place(
        self, work: Work, flow: Flow, confirmed: tuple[str, ...], is_running: bool
    ) -> tuple[PathPart, ...]:
        """Return the place of the open question in the new version, else of the first one without an answer."""
        places = list(self._route.from_start(flow.id, work.slots))
        if is_running:
            for path, step in places:
                if isinstance(step, Collect) and step.slot == work.asking:
                    return path
            self._lose_question(work)
            work.lead(pattern_texts.UPDATED, {"flow": flow.name})
        for path, step in places:
            if not isinstance(step, Collect) or (work.slots.get(step.slot) is None and step.slot not in confirmed):
                return path
        return ((flow.id, str(flow.first)),)

    def _lose_question(self, work: Work) -> None:
        """The question the worker saw no longer exists, so the message cannot be its answer."""
        work.moved = work.asking is not None
        work.close_question()
