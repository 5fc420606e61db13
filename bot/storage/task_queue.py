"""Tells workers that a task waits: a Redis stream by taskiq, each entry acknowledged when its task is over."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from taskiq import AsyncBroker
from taskiq.acks import AcknowledgeType
from taskiq.exceptions import SendTaskError
from taskiq.kicker import AsyncKicker
from taskiq.receiver import Receiver
from taskiq_redis import RedisStreamBroker

log = structlog.get_logger(__name__)

STREAM = "staff-tasks"
GROUP = "workers"
ENTRY = "run"
MAX_ENTRIES = 10_000
PUT_TIMEOUT_S = 2.0
BLOCK_MS = 1_000
RECLAIM_MS = 60_000
"""After how long without an acknowledgement a worker looks at another's entry; the task's own lease decides."""
AT_A_TIME = 2
"""How many tasks one worker process runs at once."""


class TaskStream:
    """The stream, from both ends. Entries hold ids alone; what a task is stands in its table.

    An entry may be lost (the stream is cut at ``MAX_ENTRIES``) or read twice: who listens asks the table. Another
    kind of work has a stream of its own by ``name``, of which one process runs ``at_a_time``.
    """

    def __init__(self, url: str, *, name: str = STREAM, at_a_time: int = AT_A_TIME) -> None:
        self._at_a_time = at_a_time
        # From the beginning of the stream, not its end: what is put before the first worker starts counts as well.
        # One entry at a time, because what a worker has read waits for this worker, however long it is busy.
        self._broker = RedisStreamBroker(
            url,
            queue_name=name,
            consumer_group_name=GROUP,
            consumer_id="0",
            maxlen=MAX_ENTRIES,
            xread_block=BLOCK_MS,
            xread_count=1,
            idle_timeout=RECLAIM_MS,
            unacknowledged_lock_timeout=10.0,
        )

    async def put(self, task_id: int) -> bool:
        """Tell the workers; say whether that worked."""
        entry: AsyncKicker[[int], None] = AsyncKicker(ENTRY, self._broker, {})
        try:
            async with asyncio.timeout(PUT_TIMEOUT_S):
                await entry.kiq(task_id)
        except (SendTaskError, TimeoutError) as error:
            log.warning(
                "workers were not told of a task", task=task_id, error=type(error.__cause__ or error).__name__
            )
            return False
        return True

    async def listen(self, run: Callable[[int], Awaitable[bool]], stop: Callable[[], Awaitable[None]]) -> None:
        """Call ``run`` for each entry until cancelled; then call ``stop``, which ends what runs, and wait for that.

        Raises RedisError, alone or in a group, when Redis is away.
        """
        finish = asyncio.Event()
        listening = asyncio.create_task(self._receiver(run).listen(finish), name="task stream")
        try:
            await asyncio.shield(listening)
        except asyncio.CancelledError:
            finish.set()
            await stop()
            await asyncio.gather(listening, return_exceptions=True)
            raise

    def _receiver(self, run: Callable[[int], Awaitable[bool]]) -> Receiver:
        async def run_one(task_id: int) -> None:
            await run(task_id)

        broker: AsyncBroker = self._broker
        broker.is_worker_process = True
        broker.register_task(run_one, task_name=ENTRY)
        return Receiver(broker, max_async_tasks=self._at_a_time, ack_type=AcknowledgeType.WHEN_EXECUTED)

    async def close(self) -> None:
        """Close the connections."""
        await self._broker.shutdown()
