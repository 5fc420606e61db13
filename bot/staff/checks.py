"""Checks of the whole chain: each day by itself and when somebody asks, with the result kept and told."""

from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import select

from bot.staff.audit import AuditTrail, ChainBroken, ChainIntact
from bot.staff.models import AuditCheck, AuditRecord, CheckView
from bot.staff.tasks.running import RunningTask, TaskResult
from bot.storage.sql import Database
from bot.values.clock import Clock

log = structlog.get_logger(__name__)

TRAIL_CHECK: Final = "staff.trail.check"
CHECK_EVERY = timedelta(days=1)
SYSTEM = "system"


class TrailChecks:
    """Follows the chain and keeps what came of it. A broken chain is told at the log's highest level, each time."""

    def __init__(self, database: Database, clock: Clock, trail: AuditTrail) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail

    async def latest(self) -> CheckView | None:
        """Return the last check; ``None`` when there was none yet."""
        wanted = select(AuditCheck).order_by(AuditCheck.id.desc()).limit(1)
        async with self._database.reading() as session:
            row = await session.scalar(wanted)
        return None if row is None else CheckView(row.at, row.asked_by, row.rows, row.broken_at)

    async def check_if_due(self) -> int:
        """Check when the last time is a day ago; return how many checks were made."""
        latest = await self.latest()
        if latest is not None and latest.at + CHECK_EVERY > self._clock.now():
            return 0
        await self._keep(await self._trail.verify(), SYSTEM)
        return 1

    async def __call__(self, task: RunningTask, /) -> TaskResult:
        """Check because somebody asked, as a task with progress."""
        check = await self._keep(await self._trail.verify(task.progress), task.owner)
        return TaskResult({"rows": check.rows, "broken_at": check.broken_at or 0})

    async def _keep(self, outcome: ChainIntact | ChainBroken, asked_by: str) -> CheckView:
        match outcome:
            case ChainIntact():
                rows, broken_at = outcome.rows, None
            case ChainBroken():
                rows, broken_at = outcome.position - 1, outcome.position
                log.critical("audit chain broken", position=outcome.position)
        now = self._clock.now()
        async with self._database.transaction() as session:
            session.add(AuditCheck(at=now, asked_by=asked_by, rows=rows, broken_at=broken_at))
            reason = f"{rows} 条完好" if broken_at is None else f"第 {broken_at} 条起对不上"
            await self._trail.append(session, AuditRecord(asked_by, "staff:trail:verify", "audit_trail", "", reason))
        return CheckView(now, asked_by, rows, broken_at)
