"""Handlers that are built when the first task comes: workbooks and reports are no part of a worker at rest."""

from collections.abc import Callable, Iterator, Mapping

from bot.staff.tasks.running import TaskHandler


class LateHandlers(Mapping[str, TaskHandler]):
    """The handlers that ``build`` returns; it is called once, at the first look."""

    def __init__(self, build: Callable[[], Mapping[str, TaskHandler]]) -> None:
        self._build = build
        self._built: Mapping[str, TaskHandler] | None = None

    def __getitem__(self, kind: str) -> TaskHandler:
        return self._handlers()[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._handlers())

    def __len__(self) -> int:
        return len(self._handlers())

    def _handlers(self) -> Mapping[str, TaskHandler]:
        if self._built is None:
            self._built = self._build()
        return self._built
