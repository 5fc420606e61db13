"""From the log of turns to the review list: in order, once, and across batches."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from bot.storage.encryption import FieldCipher
from bot.storage.shards import SHARDS
from bot.storage.sql import Database
from bot.turns.log import TurnLog, TurnRecord
from bot.turns.models import FollowerKeys
from bot.turns.store import LOG
from bot.understanding.review.models import Filter, Outcome, Reason, ReviewItem
from bot.understanding.review.service import ReviewList
from bot.values.clock import MovedClock
from bot.worker.log import LogMover
from bot.worker.review import ReviewCollector

GUESSES = (("check_status", 0.41), ("register_work_study", 0.33))
ASKED = (("message is", "Unread"), ("clarified", "check_status,register_work_study"))
CHOSEN = (("message is", "StartsFlow"), ("clarified as", "register_work_study"))


class Log:
    """The stream that turns are written to, and the worker that moves it."""

    def __init__(self, redis: Redis, database: Database, cipher: FieldCipher, clock: MovedClock) -> None:
        self._redis, self._cipher, self._clock = redis, cipher, clock
        turn_log = TurnLog(database, cipher)
        self.reviews = ReviewList(database, cipher, clock)
        self.mover = LogMover(redis, turn_log, cipher, ReviewCollector(turn_log, self.reviews))
        self._count = 0

    def record(self, said: str, trace: Sequence[tuple[str, str]], *, asked_model: bool) -> TurnRecord:
        """Return the record of a turn, ten seconds after the last one."""
        self._count += 1
        self._clock.move(timedelta(seconds=10))
        return TurnRecord(
            key=f"key-{self._count}",
            openid="o-1",
            received_at=self._clock.now(),
            kind="TextMessage",
            said=said,
            answered=["…"],
            intent="check_status" if asked_model else None,
            confidence=0.41 if asked_model else None,
            certainty="unsure" if asked_model else None,
            flow=None,
            trace=[{"what": what, "detail": detail} for what, detail in trace],
            took_ms=3,
            late=False,
            guesses=GUESSES if asked_model else (),
            model_id="m1" if asked_model else "",
        )

    async def write(self, *records: TurnRecord) -> None:
        """Write entries as a commit does."""
        for record in records:
            sealed = self._cipher.seal_bytes(record.to_json(), LOG)
            await self._redis.xadd(FollowerKeys.of(record.openid).log, {"entry": sealed})

    async def move(self) -> int:
        """Move one batch of every shard."""
        return await self.mover.move(range(SHARDS))

    async def listed(self) -> list[ReviewItem]:
        """Return the list, oldest first."""
        return list(reversed((await self.reviews.page(Filter())).items))


@pytest.fixture
def turns(redis: Redis, database: Database, cipher: FieldCipher, clock: MovedClock) -> Log:
    return Log(redis, database, cipher, clock)


@pytest.mark.parametrize("in_one_batch", [True, False], ids=["one batch", "two batches"])
async def test_an_unclear_message_lands_with_what_was_chosen(turns: Log, *, in_one_batch: bool) -> None:
    await turns.write(turns.record("那个表", ASKED, asked_model=True))
    if not in_one_batch:
        assert await turns.move() == 1
        assert [item.outcome for item in await turns.listed()] == [None]
    await turns.write(turns.record("报名勤工俭学", CHOSEN, asked_model=False))
    await turns.move()
    (item,) = await turns.listed()
    assert (item.said, item.reason) == ("那个表", Reason.ASKED_BACK)
    assert (item.outcome, item.suggested) == (Outcome.CHOSE, "register_work_study")
    assert [(guess.intent, guess.confidence) for guess in item.guesses] == list(GUESSES)
    assert item.model_id == "m1"


async def test_a_batch_that_is_moved_twice_lists_once(turns: Log) -> None:
    records = [turns.record("那个表", ASKED, asked_model=True), turns.record("报名", CHOSEN, asked_model=False)]
    for _ in range(2):  # The worker died after SQL and before it deleted the entries.
        await turns.write(*records)
        assert await turns.move() == 2
    assert len(await turns.listed()) == 1


async def test_a_corrected_turn_comes_from_the_log_with_its_guesses(turns: Log) -> None:
    sure = (("message is", "Unread"), ("understood", "check_status"), ("flow started", "check_status"))
    await turns.write(turns.record("娃儿那个事", sure, asked_model=True))
    await turns.move()
    assert await turns.listed() == []
    now = (("message is", "Unread"), ("understood", "register_work_study"))
    await turns.write(turns.record("不对，我是想给他报名", now, asked_model=True))
    await turns.move()
    (item,) = await turns.listed()
    assert (item.said, item.reason, item.outcome) == ("娃儿那个事", Reason.CORRECTED, Outcome.CONTRADICTED)
    assert item.suggested == "register_work_study"
    assert item.guesses[0].intent == "check_status"


async def test_an_entry_of_an_older_version_is_moved_too(turns: Log, redis: Redis, cipher: FieldCipher) -> None:
    record = turns.record("那个表", ASKED, asked_model=False)
    old = record.to_json().replace(b', "guesses": [], "model_id": ""', b"")
    assert b"model_id" not in old
    await redis.xadd(FollowerKeys.of("o-1").log, {"entry": cipher.seal_bytes(old, LOG)})
    assert await turns.move() == 1
    assert await turns.listed() == []
