"""Requests that arrive together are worked on together."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Batcher(Generic[Question, Answer]):
    """Answers questions by ``work``, which takes several at once for less than the sum of their costs.

    Nobody waits for company: a batch is what the event loop has read when it comes to the work. ``largest`` bounds
    it, so that new connections are looked after in between.
    """

    def __init__(self, work: Callable[[Sequence[Question]], Sequence[Answer]], largest: int) -> None:
        self._work = work
        self._largest = largest
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []

    async def ask(self, question: Question) -> Answer:
        """Return the answer; raises what ``work`` raised for this question."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((question, answer))
        if len(self._waiting) == 1:
            loop.call_soon(self._run, loop)
        return await answer

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
        if self._waiting:
            loop.call_soon(self._run, loop)
        asked = [(question, answer) for question, answer in batch if not answer.done()]
        if asked:
            self._answer(asked)

    def _answer(self, asked: Sequence[tuple[Question, "asyncio.Future[Answer]"]]) -> None:
        try:
            found = self._work([question for question, _ in asked])
        except Exception as fault:  # noqa: BLE001 - One bad question must not take the others of its batch with it.
            if len(asked) == 1:
                asked[0][1].set_exception(fault)
                return
            for one in asked:
                self._answer([one])
            return
        for (_, answer), value in zip(asked, found, strict=True):
            answer.set_result(value)
