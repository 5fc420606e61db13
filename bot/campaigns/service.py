"""A campaign's way from draft to sending: written, checked, approved by a second person, started, stopped.

Each step writes the trail in its own transaction and may be pressed twice. Sending itself is ``sending.py``'s.
"""

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns.batch_rows import hours_of
from bot.campaigns.campaign_rows import campaign_row, move, name_tag, same_count, same_version
from bot.campaigns.content import to_confirm
from bot.campaigns.drafts import CampaignDraft, check_draft, draft_of, fill
from bot.campaigns.errors import (
    CampaignError,
    CountNotConfirmed,
    NothingToDo,
    NotInThisState,
    NotPublished,
    SecondPersonNeeded,
)
from bot.campaigns.models import Campaign, CampaignState, SendChannel
from bot.campaigns.planning import Plan, Planner, SampleRow
from bot.campaigns.publication_models import Publication, PublicationState
from bot.campaigns.publication_rows import publication_of
from bot.campaigns.reach import wanted_of
from bot.campaigns.requeueing import drop_waiting, forget_old_ids, requeue, tell_afresh
from bot.campaigns.rules import may_become
from bot.campaigns.unused_pictures import use_pictures
from bot.campaigns.views import CampaignView, view_of
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.problem import Problem


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found; with ``problems`` the campaign stays a draft."""

    campaign: CampaignView
    plan: Plan
    problems: tuple[Problem, ...]


class CampaignService:
    """Steps of campaigns. ``by`` is the account's username, ``source`` the address for the trail."""

    def __init__(self, database: Database, clock: Clock, *, planner: Planner, trail: AuditWriter) -> None:
        self._database = database
        self._clock = clock
        self._planner = planner
        self._trail = trail

    # Reading and writing ----------------------------------------------------------------------------------------

    async def get(self, campaign_id: int) -> CampaignView:
        """Return a campaign; raises NoSuchCampaign."""
        async with self._database.reading() as session:
            return view_of(await campaign_row(session, campaign_id))

    async def create(self, draft: CampaignDraft, *, by: str, key: str, source: str = "") -> CampaignView:
        """Store a draft; the same ``key`` gives the campaign that was made the first time. Raises PictureGone."""
        now = self._clock.now()
        row = Campaign(
            key=key, author=by, edited_by=by, state=CampaignState.DRAFT.value, created_at=now, updated_at=now
        )
        fill(row, draft)
        try:
            async with self._database.transaction() as session:
                session.add(row)
                await name_tag(session, row)
                await use_pictures(session, now, draft.content)
                await session.flush()
                await self._note(session, row.id, "create", by, source)
        except IntegrityError:
            async with self._database.reading() as session:
                return view_of((await session.scalars(select(Campaign).where(Campaign.key == key))).one())
        return view_of(row)

    async def edit(
        self, campaign_id: int, draft: CampaignDraft, *, by: str, version: int, source: str = ""
    ) -> CampaignView:
        """Replace what is written; a check or an approval that it had is gone.

        Raises CampaignChanged, NotInThisState, PictureGone.
        """
        async with self._database.transaction() as session:
            row = await campaign_row(session, campaign_id, lock=True)
            if not CampaignState(row.state).is_editable:
                raise NotInThisState(state=row.state, step="edit")
            same_version(row, version)
            before = view_of(row).content
            fill(row, draft)
            await name_tag(session, row)
            await use_pictures(session, self._clock.now(), draft.content, before)
            row.edited_by, row.version = by, row.version + 1
            row.state, row.updated_at = CampaignState.DRAFT.value, self._clock.now()
            row.checked_total, row.checked_at, row.approved_by, row.approved_at = None, None, None, None
            await self._note(session, row.id, "edit", by, source)
            return view_of(row)

    async def copy(self, campaign_id: int, *, by: str, key: str, source: str = "") -> CampaignView:
        """Make a new draft of an earlier campaign."""
        earlier = await self.get(campaign_id)
        return await self.create(draft_of(earlier), by=by, key=key, source=source)

    # Before sending ---------------------------------------------------------------------------------------------

    async def plan(self, campaign_id: int) -> Plan:
        """Return what sending would mean now, without changing anything: the dry run."""
        async with self._database.reading() as session:
            wanted = wanted_of(await campaign_row(session, campaign_id))
        return await self._planner.plan(wanted)

    async def sample(self, campaign_id: int, limit: int = 20) -> list[SampleRow]:
        """Return some of those who would be reached, masked."""
        async with self._database.reading() as session:
            wanted = wanted_of(await campaign_row(session, campaign_id))
        return await self._planner.sample(wanted, limit)

    async def check(self, campaign_id: int, *, by: str, version: int, source: str = "") -> Checked:
        """Check content and audience; without problems the campaign waits for approval afterwards."""
        plan = await self.plan(campaign_id)
        async with self._database.transaction() as session:
            row = await campaign_row(session, campaign_id, lock=True)
            same_version(row, version)
            if not CampaignState(row.state).is_editable:
                raise NotInThisState(state=row.state, step="check")
            problems = (*check_draft(draft_of(view_of(row))), *plan.problems)
            if not problems and row.state != CampaignState.APPROVED.value:
                view = view_of(row)
                row.checked_total = to_confirm(view.content, view.channel, plan.reachable)
                row.state, row.checked_at = "checked", self._clock.now()
                row.rejected_by, row.rejected_reason = None, None
                await self._note(session, row.id, "check", by, source, reason=str(row.checked_total))
            return Checked(view_of(row), plan, problems)

    async def approve(
        self, campaign_id: int, *, by: str, version: int, confirmed: int, source: str = ""
    ) -> CampaignView:
        """Approve what was read. ``confirmed`` is the typed number of people.

        Raises SecondPersonNeeded, CountNotConfirmed, CampaignChanged, NotInThisState.
        """
        async with self._database.transaction() as session:
            row = await campaign_row(session, campaign_id, lock=True)
            same_version(row, version)
            if row.state == CampaignState.APPROVED.value and row.approved_by == by:
                return view_of(row)
            if by in (row.author, row.edited_by):
                raise SecondPersonNeeded(campaign_id=campaign_id)
            move(row, CampaignState.APPROVED, "approve")
            same_count(row, confirmed)
            row.approved_by, row.approved_at = by, self._clock.now()
            await self._note(session, row.id, "approve", by, source, reason=str(confirmed))
            return view_of(row)

    async def reject(self, campaign_id: int, *, by: str, reason: str, source: str = "") -> CampaignView:
        """Give a checked or approved campaign back to its author, saying why."""
        async with self._database.transaction() as session:
            row = await campaign_row(session, campaign_id, lock=True)
            move(row, CampaignState.DRAFT, "reject")
            row.checked_total, row.approved_by, row.approved_at = None, None, None
            row.rejected_by, row.rejected_reason = by, reason[:200]
            await self._note(session, row.id, "reject", by, source, reason=reason)
            return view_of(row)

    # Sending ----------------------------------------------------------------------------------------------------

    async def send(
        self, campaign_id: int, *, by: str, version: int, confirmed: int, source: str = ""
    ) -> CampaignView:
        """Let an approved campaign start at its time, or at once; the worker does the rest.

        ``confirmed`` is the typed number of people. Pressed again it changes nothing.
        """
        async with self._database.transaction() as session:
            row = await campaign_row(session, campaign_id, lock=True)
            same_version(row, version)
            if row.state in (CampaignState.SCHEDULED.value, CampaignState.SENDING.value):
                return view_of(row)
            move(row, CampaignState.SCHEDULED, "send")
            same_count(row, confirmed)
            row.starts_at = row.starts_at or self._clock.now()
            await self._note(session, row.id, "send", by, source, reason=str(confirmed))
            return view_of(row)

    async def start_due(self, limit: int = 5) -> list[int]:
        """Freeze the audience of each campaign whose time has come; return the ids of those that go out now.

        One whose audience cannot be frozen, or has grown by more than a tenth since it was approved, is paused.
        """
        now = self._clock.now()
        due = select(Campaign.id).where(Campaign.state == CampaignState.SCHEDULED.value, Campaign.starts_at <= now)
        async with self._database.reading() as session:
            ids = list(await session.scalars(due.order_by(Campaign.starts_at).limit(limit)))
        return [campaign_id for campaign_id in ids if await self._start(campaign_id)]

    async def _start(self, campaign_id: int) -> bool:
        try:
            async with self._database.transaction() as session:
                row = await campaign_row(session, campaign_id, lock=True)
                if row.state != CampaignState.SCHEDULED.value:
                    return False
                if not hours_of(row).is_open(self._clock.now()):
                    return False
                await self._planner.freeze(session, row)
                if row.checked_total is not None and row.total > row.checked_total * 1.1 + 10:
                    raise CountNotConfirmed(confirmed=row.checked_total, count=row.total)
                move(row, CampaignState.SENDING, "start")
                await self._note(session, row.id, "start", "system", "", reason=str(row.total))
        except CampaignError as error:
            await self.pause(campaign_id, by="system", reason=error.code.rpartition(".")[2])
            return False
        return True

    async def pause(self, campaign_id: int, *, by: str, reason: str, source: str = "") -> CampaignView:
        """Stop sending; what a worker has in hand is finished. Pressed again it changes nothing."""
        async with self._database.transaction() as session:
            row = await campaign_row(session, campaign_id, lock=True)
            if row.state == CampaignState.PAUSED.value:
                return view_of(row)
            await self.pause_in(session, row, by=by, reason=reason, source=source)
            return view_of(row)

    async def pause_in(self, session: AsyncSession, row: Campaign, *, by: str, reason: str, source: str = "") -> None:
        """Pause a locked campaign in the caller's transaction."""
        move(row, CampaignState.PAUSED, "pause")
        row.pause_reason = reason[:40]
        await self._note(session, row.id, "pause", by, source, reason=reason)

    async def resume(self, campaign_id: int, *, by: str, source: str = "") -> CampaignView:
        """Go on with a paused campaign; one that never froze its audience starts afresh."""
        async with self._database.transaction() as session:
            row = await campaign_row(session, campaign_id, lock=True)
            if row.state in (CampaignState.SENDING.value, CampaignState.SCHEDULED.value):
                return view_of(row)
            move(row, CampaignState.SENDING if row.frozen_at else CampaignState.SCHEDULED, "resume")
            row.pause_reason = None
            await forget_old_ids(session, row, self._clock.now())
            await tell_afresh(session, row.id)
            await self._note(session, row.id, "resume", by, source)
            return view_of(row)

    async def cancel(self, campaign_id: int, *, by: str, source: str = "") -> CampaignView:
        """End a campaign for good: what has not been handed over stays unsent. What was sent stays sent, and a
        publication that the platform has in hand goes on."""
        async with self._database.transaction() as session:
            row = await campaign_row(session, campaign_id, lock=True)
            if row.state == CampaignState.CANCELLED.value:
                return view_of(row)
            move(row, CampaignState.CANCELLED, "cancel")
            row.finished_at = self._clock.now()
            await drop_waiting(session, row.id)
            waits = Publication.campaign_id == row.id, Publication.state == PublicationState.WAITING.value
            await session.execute(update(Publication).where(*waits).values(state=PublicationState.CANCELLED.value))
            await self._note(session, row.id, "cancel", by, source)
            return view_of(row)

    async def retry_failed(self, campaign_id: int, *, by: str, source: str = "") -> CampaignView:
        """Queue those that failed once more, in new batches with new ids. Nobody whose outcome is unknown is among
        them. Raises NothingToDo when nobody failed, NotPublished where the articles cannot be read any more."""
        async with self._database.transaction() as session:
            row = await campaign_row(session, campaign_id, lock=True)
            state = CampaignState(row.state)
            if state is not CampaignState.PAUSED and not may_become(state, CampaignState.SENDING):
                raise NotInThisState(state=row.state, step="retry")
            if SendChannel(row.channel).publishes:
                publication = await publication_of(session, row.id)
                if publication is None or publication.state != PublicationState.PUBLISHED.value:
                    raise NotPublished(campaign_id=row.id)
            count = await requeue(session, row)
            if not count:
                raise NothingToDo(reachable=0)
            await tell_afresh(session, row.id)
            row.state, row.round, row.finished_at, row.pause_reason = "sending", row.round + 1, None, None
            await self._note(session, row.id, "retry", by, source, reason=str(count))
            return view_of(row)

    async def _note(
        self, session: AsyncSession, campaign_id: int, step: str, by: str, source: str, *, reason: str = ""
    ) -> None:
        await self._trail.append(
            session,
            AuditRecord(by, f"campaigns:campaign:{step}", "campaign", str(campaign_id), reason=reason, source=source),
        )
