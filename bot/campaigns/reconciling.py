"""What the platform reports of messages, and asking it where a report never came."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias, assert_never

import structlog
from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns.batch_rows import recount
from bot.campaigns.models import BatchState, Campaign, CampaignBatch, JobReport, Outcome, Recipient, SendChannel
from bot.campaigns.publish_reports import note_report
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.wechat.errors import ApiCallFailed
from bot.wechat.inbound import MassJobFinished, PublishJobFinished, SubscribeSent, TemplateJobFinished
from bot.wechat.mass import MassApi, MassStatus

log = structlog.get_logger(__name__)

SUCCESS = "send success"
TEMPLATE_SUCCESS = "success"
APPLY_BATCH = 200
REPORT_EXPECTED_AFTER = timedelta(minutes=10)
NUMBER_DIGITS_MAX = 18
EMPTY_REPORT = {"sent_count": None, "error_count": None, "openid": None, "template_id": None, "code": None}
STRANGERS_KEPT_FOR = timedelta(days=7)
"""How long a report waits for its message; reports of messages that others sent never find one."""


MessageEvent: TypeAlias = MassJobFinished | TemplateJobFinished | SubscribeSent
JobEvent: TypeAlias = MessageEvent | PublishJobFinished


class JobReports:
    """Takes down what the platform reports. The same event twice is one row."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def note(self, event: JobEvent) -> None:
        """Keep a report until the worker applies it."""
        if isinstance(event, PublishJobFinished):
            await note_report(self._database, self._clock, event)
            return
        insert = sqlite_insert if self._database.is_sqlite else postgresql_insert
        rows = [{**EMPTY_REPORT, **row, "at": self._clock.now()} for row in _rows_of(event)]
        if not rows:
            return
        statement = insert(JobReport).values(rows).on_conflict_do_nothing(index_elements=["key"])
        async with self._database.transaction() as session:
            await session.execute(statement)


def _rows_of(event: MessageEvent) -> list[dict[str, Any]]:
    match event:
        case MassJobFinished():
            counts = {"sent_count": event.sent_count, "error_count": event.error_count}
            return [_row(event.delivery_key, event.msg_id, event.status, is_mass=True, **counts)]
        case TemplateJobFinished():
            return [_row(event.delivery_key, event.msg_id, event.status)]
        case SubscribeSent():
            return [
                _row(
                    # One event holds several, and may come again with others in it.
                    f"subscribe:{one.msg_id}" if one.msg_id else f"{event.delivery_key}:{place}",
                    _whole(one.msg_id),
                    TEMPLATE_SUCCESS if one.error_code == 0 else one.error_status,
                    openid=event.openid,
                    template_id=one.template_id[:64],
                    code=one.error_code or None,
                )
                for place, one in enumerate(event.items)
            ]
        case _:
            assert_never(event)


def _row(key: str, msg_id: int, status: str, *, is_mass: bool = False, **more: Any) -> dict[str, Any]:
    return {"key": key[:128], "msg_id": msg_id, "status": status[:40], "is_mass": is_mass, **more}


class Reconciler:
    """Applies reports to batches and recipients."""

    def __init__(self, database: Database, clock: Clock, mass: MassApi) -> None:
        self._database = database
        self._clock = clock
        self._mass = mass

    async def apply(self) -> int:
        """Apply reports whose message is known by now; return how many."""
        known = or_(
            exists().where(CampaignBatch.msg_id == JobReport.msg_id),
            exists().where(Recipient.msg_id == JobReport.msg_id),
            exists().where(*_notified(JobReport.openid, JobReport.template_id)),
        )
        now = self._clock.now()
        is_old = JobReport.at < now - STRANGERS_KEPT_FOR
        wanted = (
            select(JobReport.key, JobReport.is_mass)
            .where(JobReport.applied_at.is_(None), or_(known, is_old))
            .limit(APPLY_BATCH)
        )
        async with self._database.reading() as session:
            found = [(key, is_mass) for key, is_mass in await session.execute(wanted)]
        # A mass send changes ten thousand rows: each in a transaction of its own, so that nobody waits for all.
        pieces = [[key] for key, is_mass in found if is_mass]
        pieces.append([key for key, is_mass in found if not is_mass])
        return sum([await self._apply(piece, now) for piece in pieces if piece])

    async def _apply(self, keys: Sequence[str], now: datetime) -> int:
        wanted = select(JobReport).where(JobReport.key.in_(keys), JobReport.applied_at.is_(None))
        async with self._database.transaction() as session:
            rows = list(await session.scalars(wanted.with_for_update(skip_locked=True)))
            for row in rows:
                row.applied_at = now
                if row.is_mass:
                    await self._apply_mass(session, row)
                elif row.template_id is None:
                    await self._apply_template(session, row)
                else:
                    await self._apply_subscribe(session, row)
        return len(rows)

    async def _apply_mass(self, session: AsyncSession, report: JobReport) -> None:
        wanted = select(CampaignBatch).where(CampaignBatch.msg_id == report.msg_id).with_for_update()
        for batch in await session.scalars(wanted):
            batch.sent_count, batch.error_count = report.sent_count, report.error_count
            await self._end(session, batch, report.status)

    async def _end(self, session: AsyncSession, batch: CampaignBatch, status: str) -> None:
        batch.status = status[:40]
        if status == SUCCESS:
            batch.state = BatchState.FINISHED.value
            # The platform counts who did not get it and does not say who: unless all did, each stays submitted.
            if batch.error_count == 0 and (batch.sent_count or 0) >= batch.submitted:
                await self._write(session, batch, Outcome.DELIVERED)
            return
        batch.state, batch.code = BatchState.FAILED.value, _number(status)
        await self._write(session, batch, Outcome.FAILED, code=batch.code)

    async def _write(
        self, session: AsyncSession, batch: CampaignBatch, outcome: Outcome, *, code: int | None = None
    ) -> None:
        sent = and_(
            Recipient.campaign_id == batch.campaign_id,
            Recipient.chunk == batch.chunk,
            Recipient.outcome == Outcome.SUBMITTED.value,
        )
        await session.execute(
            update(Recipient).where(sent).values(outcome=outcome.value, code=code, at=self._clock.now())
        )
        await recount(session, batch)

    async def _apply_template(self, session: AsyncSession, report: JobReport) -> None:
        wanted = select(Recipient).where(Recipient.msg_id == report.msg_id).with_for_update()
        for row in await session.scalars(wanted):
            await self._settle(session, row, report)

    async def _apply_subscribe(self, session: AsyncSession, report: JobReport) -> None:
        """Settle the oldest notification of this template that the follower was sent and nothing is known of."""
        wanted = (
            select(Recipient)
            .where(*_notified(report.openid, report.template_id))
            .order_by(Recipient.at, Recipient.campaign_id)
            .limit(1)
        )
        row = (await session.scalars(wanted.with_for_update(of=Recipient))).first()
        report.openid = None
        if row is not None:
            row.msg_id, row.code = report.msg_id or None, report.code
            await self._settle(session, row, report)

    async def _settle(self, session: AsyncSession, row: Recipient, report: JobReport) -> None:
        is_delivered = report.status == TEMPLATE_SUCCESS
        row.outcome = (Outcome.DELIVERED if is_delivered else Outcome.FAILED).value
        row.reason, row.at = None if is_delivered else report.status[:24], self._clock.now()
        await session.flush()
        batch = select(CampaignBatch).where(
            CampaignBatch.campaign_id == row.campaign_id, CampaignBatch.chunk == row.chunk
        )
        for one in await session.scalars(batch.with_for_update()):
            await recount(session, one)

    async def ask(self, limit: int = 10) -> int:
        """Ask the platform about mass sends whose report has not come in ten minutes; return how many ended."""
        before = self._clock.now() - REPORT_EXPECTED_AFTER
        wanted = (
            select(CampaignBatch.id, CampaignBatch.msg_id)
            .join(Campaign, Campaign.id == CampaignBatch.campaign_id)
            .where(
                CampaignBatch.state == BatchState.SUBMITTED.value,
                CampaignBatch.submitted_at <= before,
                CampaignBatch.msg_id.is_not(None),
                or_(CampaignBatch.checked_at.is_(None), CampaignBatch.checked_at <= before),
                Campaign.channel.in_([channel.value for channel in SendChannel if channel.is_mass]),
            )
            .order_by(CampaignBatch.submitted_at)
            .limit(limit)
        )
        async with self._database.reading() as session:
            rows = list(await session.execute(wanted))
        return sum([await self._ask_of(row.id, row.msg_id, self._clock.now()) for row in rows])

    async def _ask_of(self, batch_id: int, msg_id: int, now: datetime) -> bool:
        try:
            status = await self._mass.status(msg_id)
        except ApiCallFailed as error:
            log.warning("the state of a mass send is not known", batch=batch_id, error=error.code)
            status = None
        async with self._database.transaction() as session:
            batch = await session.get_one(CampaignBatch, batch_id, with_for_update=True)
            batch.checked_at = now
            if batch.state != BatchState.SUBMITTED.value or status is None or status is MassStatus.SENDING:
                return False
            await self._end(session, batch, "send fail" if status is MassStatus.FAILED else SUCCESS)
        return True


def _notified(openid: Any, template_id: Any) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a recipient who was sent a subscribe notification of which nothing is reported yet.

    One whose answer was lost is among them: that it is reported shows that it went out.
    """
    return (
        Campaign.id == Recipient.campaign_id,
        Campaign.channel == SendChannel.SUBSCRIBE.value,
        Campaign.content["template_id"].as_string() == template_id,
        Recipient.openid == openid,
        Recipient.outcome.in_((Outcome.SUBMITTED.value, Outcome.UNKNOWN.value)),
    )


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= NUMBER_DIGITS_MAX else 0


def _number(status: str) -> int | None:
    number = status.removeprefix("err(").removesuffix(")")
    return int(number) if status.startswith("err(") and number.isascii() and number.isdigit() else None
