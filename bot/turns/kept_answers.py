"""A message is answered once: the answer of a turn that wrote something is kept in the same transaction.

When the answer is lost on its way – the process dies, the lock runs out, Redis forgets – the next delivery of the
message gets what is kept, and nothing is done a second time. Source of the pattern: the idempotent consumer with its
inbox table.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

import structlog
from sqlalchemy import CursorResult, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.followers.privacy import JsonValue
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.turns.answers import Answer, pack_answer, packed_texts, unpack_answer
from bot.turns.models import KeptAnswer
from bot.values.clock import Clock
from bot.wechat.models import Inbound

log = structlog.get_logger(__name__)

KEPT_FOR = timedelta(days=7)
"""The platform repeats within seconds; a message that is still pending may wait for a stopped worker for days."""
KEY_CONTEXT, CONTENT_CONTEXT = "turn_answers.key", "turn_answers.content"

Work = Callable[[], Awaitable[Answer]]


class Answers(Protocol):
    """Who sees to it that a message is answered once."""

    async def once(self, message: Inbound, stored: bytes, work: Work, *, repeated: bool) -> Answer:
        """Return what ``work`` answers, or what it answered when the same message was worked on before.

        ``stored`` is the dialogue as it is now; ``repeated``: the message is known to have been begun before.
        """
        ...


class NothingKept:
    """The null guard: every delivery is answered anew."""

    async def once(self, message: Inbound, stored: bytes, work: Work, *, repeated: bool) -> Answer:  # noqa: ARG002
        """Return what ``work`` answers."""
        return await work()


class _AnsweredBefore(Exception):
    """Ends the work on a message that turns out to be answered already."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("answered before")
        self.answer = answer


class KeptAnswers:
    """Implements ``Answers`` over SQL. Messages that write nothing cost no statement of their own."""

    def __init__(self, database: Database, cipher: FieldCipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    async def once(self, message: Inbound, stored: bytes, work: Work, *, repeated: bool) -> Answer:
        """Return what ``work`` answers, or what it answered before.

        What is known of the message is looked up when its work first touches the records, since Redis may have lost
        that it was begun. A repeated message is looked up in any case: on its second way it need not come so far.
        """
        if repeated and (before := await self._kept(message, stored)) is not None:
            return before

        async def look(session: AsyncSession) -> None:
            if (answer := await self._find(session, message, stored)) is not None:
                raise _AnsweredBefore(answer)

        try:
            async with self._database.unit(look) as unit:
                answer = await work()
                if unit.has_written:
                    await self._keep(message, stored, answer)
                return answer
        except _AnsweredBefore as known:
            log.info("a message was answered before its answer was lost", kind=type(message).__name__)
            return known.answer

    async def _kept(self, message: Inbound, stored: bytes) -> Answer | None:
        async with self._database.reading() as session:
            return await self._find(session, message, stored)

    async def _find(self, session: AsyncSession, message: Inbound, stored: bytes) -> Answer | None:
        content = await session.scalar(select(KeptAnswer.content).where(KeptAnswer.key_hash == self._key(message)))
        if content is None:
            return None
        return unpack_answer(self._cipher.open_bytes(content, CONTENT_CONTEXT), message, stored)

    async def _keep(self, message: Inbound, stored: bytes, answer: Answer) -> None:
        content = self._cipher.seal_bytes(pack_answer(answer, stored), CONTENT_CONTEXT)
        # Whoever is forgotten is not named here either.
        openid = message.openid if answer.state else ""
        row = KeptAnswer(key_hash=self._key(message), openid=openid, content=content, at=self._clock.now())
        try:
            async with self._database.transaction() as session:
                session.add(row)
        except IntegrityError:
            # Another process took the message over meanwhile and has finished it: its answer counts, ours is undone.
            before = await self._kept(message, stored)
            if before is None:
                raise
            raise _AnsweredBefore(before) from None

    def _key(self, message: Inbound) -> str:
        return self._cipher.lookup_hash(message.delivery_key, KEY_CONTEXT)

    async def forget_old(self) -> int:
        """Delete the answers that no delivery asks for any more; return how many."""
        async with self._database.transaction() as session:
            old = delete(KeptAnswer).where(KeptAnswer.at < self._clock.now() - KEPT_FOR)
            gone = await session.execute(old)
        return gone.rowcount if isinstance(gone, CursorResult) else 0


class KeptAnswerData:
    """Implements ``PersonalData`` for the kept answers."""

    subject = "turn_answers"

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher

    async def export(self, openid: str) -> JsonValue:
        """Return when something was answered, and the texts, oldest first."""
        query = select(KeptAnswer).where(KeptAnswer.openid == openid).order_by(KeptAnswer.at)
        async with self._database.reading() as session:
            rows = (await session.scalars(query)).all()
        return [{"at": row.at.isoformat(), "answered": self._texts(row)} for row in rows]

    def _texts(self, row: KeptAnswer) -> list[str]:
        return packed_texts(self._cipher.open_bytes(row.content, CONTENT_CONTEXT))

    async def erase(self, openid: str) -> int:
        """Delete the follower's kept answers; return how many."""
        async with self._database.transaction() as session:
            gone = await session.execute(delete(KeptAnswer).where(KeptAnswer.openid == openid))
        return gone.rowcount if isinstance(gone, CursorResult) else 0
