"""Campaigns in this worker: started when they are due, sent batch by batch as the stream tells, reconciled."""

import asyncio

from bot.campaigns.batches import Batches
from bot.campaigns.publish_reports import PublishReports
from bot.campaigns.publishing import Publisher
from bot.campaigns.reconciling import Reconciler
from bot.campaigns.sending import BatchSender
from bot.campaigns.service import CampaignService
from bot.campaigns.stopping import Stops
from bot.storage.task_queue import TaskStream

BATCH_STREAM = "campaign-batches"
BATCHES_AT_A_TIME = 2


class CampaignWorker:
    """The parts of sending, as jobs and one listener."""

    def __init__(
        self,
        stream: TaskStream,
        service: CampaignService,
        batches: Batches,
        sender: BatchSender,
        stops: Stops,
        reconciler: Reconciler,
        publisher: Publisher,
        publish_reports: PublishReports,
    ) -> None:
        self._stream = stream
        self._service = service
        self._batches = batches
        self._sender = sender
        self._stops = stops
        self._reconciler = reconciler
        self._publisher = publisher
        self._publish_reports = publish_reports
        self._at_work: set[asyncio.Task[bool]] = set()
        self._is_stopping = False

    async def listen(self) -> None:
        """Send the batches that the stream names, until cancelled."""
        await self._stream.listen(self._run, self._stop)

    async def start_due(self) -> int:
        """Start what is due and tell the workers of every batch that waits; return how many were told."""
        await self._service.start_due()
        due = await self._batches.due()
        for batch_id in due:
            await self._stream.put(batch_id)
        return 0

    async def reconcile(self) -> int:
        """Apply reports; return how many."""
        return await self._reconciler.apply() + await self._publish_reports.apply()

    async def publish(self) -> int:
        """Begin the publications that wait. Returns 0, so that the worker rests."""
        await self._publisher.run_due()
        return 0

    async def sweep(self) -> int:
        """Ask about what was not reported, end what is done. Returns 0, so that the worker rests."""
        await self._reconciler.ask()
        await self._publish_reports.ask()
        await self._stops.sweep()
        return 0

    async def _run(self, batch_id: int) -> bool:
        if self._is_stopping:
            return False
        work = asyncio.create_task(self._sender.run(batch_id), name=f"campaign batch {batch_id}")
        self._at_work.add(work)
        work.add_done_callback(self._at_work.discard)
        return await work

    async def _stop(self) -> None:
        """Interrupt what is sent; the batch's lease runs out and another worker goes on with the same id."""
        self._is_stopping = True
        for work in self._at_work:
            work.cancel()
        if self._at_work:
            await asyncio.wait(self._at_work)
