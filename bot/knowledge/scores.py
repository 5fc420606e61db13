"""Scores for entries: what a retriever promises, and one that is built when the first question comes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Scores:
    """How well each entry fits a text: about 1 is a clear yes, 0 a no.

    ``with_meaning`` is False when only the written form and the sound were compared; such scores have thresholds of
    their own.
    """

    by_code: Mapping[str, float]
    with_meaning: bool


class Retriever(Protocol):
    """Scores entries by the questions they answer."""

    @property
    def is_complete(self) -> bool:
        """Whether the index has all it could have; if not, it is worth calling ``rebuild`` again after a while."""
        ...

    async def rebuild(self, questions: Mapping[str, Sequence[str]]) -> None:
        """Index every way each entry's question is put, by entry code. Until it is done the old index answers."""
        ...

    async def scores(self, text: str) -> Scores:
        """Return the scores for ``text``; no codes when nothing in it can be compared."""
        ...


class LateRetriever:
    """Builds its retriever when it is first asked for something: a process without questions needs no numpy."""

    def __init__(self, build: Callable[[], Retriever]) -> None:
        self._build = build
        self._built: Retriever | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the index has all it could have."""
        return self._built is not None and self._built.is_complete

    async def rebuild(self, questions: Mapping[str, Sequence[str]]) -> None:
        """Index the questions."""
        await self._retriever().rebuild(questions)

    async def scores(self, text: str) -> Scores:
        """Return the scores for ``text``."""
        return await self._retriever().scores(text)

    def _retriever(self) -> Retriever:
        if self._built is None:
            self._built = self._build()
        return self._built
