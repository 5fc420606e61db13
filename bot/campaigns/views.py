"""What pages and commands see of campaigns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.campaigns import audience as audiences
from bot.campaigns import content as contents
from bot.campaigns.audience import Audience
from bot.campaigns.content import Content
from bot.campaigns.models import Campaign, CampaignState, Outcome, SendChannel
from bot.campaigns.rules import SendingHours


@dataclass(frozen=True, slots=True)
class CampaignView:
    """One campaign as it stands."""

    id: int
    title: str
    author: str
    edited_by: str
    version: int
    state: CampaignState
    channel: SendChannel
    content: Content
    audience: Audience
    purpose: str
    programme_id: str | None
    tag_id: int | None
    tag_name: str
    starts_at: datetime | None
    per_minute: int
    hours: SendingHours
    max_failed_percent: int
    attribution_days: int
    checked_total: int | None
    approved_by: str | None
    approved_at: datetime | None
    rejected_by: str | None
    rejected_reason: str | None
    pause_reason: str | None
    total: int
    skipped: Mapping[str, int]
    frozen_at: datetime | None
    finished_at: datetime | None
    created_at: datetime

    def begins_at(self, now: datetime) -> datetime:
        """Return when sending begins at the earliest, by its time and its hours; ``now`` for at once."""
        wanted = now if self.starts_at is None else max(now, self.starts_at.astimezone(now.tzinfo))
        return self.hours.next_opening(wanted) if self.hours.is_possible else wanted


@dataclass(frozen=True, slots=True)
class Progress:
    """How far sending is. ``counts`` are recipients by outcome, those left out before the start among the skipped.

    ``per_minute`` is the rate so far and ``left`` the time still needed at that rate; both ``None`` before the first.
    ``waits_until`` is set while the allowed hours are over.
    """

    state: CampaignState
    counts: Mapping[Outcome, int]
    total: int
    done: int
    batches: int
    batches_done: int
    per_minute: float | None = None
    left: timedelta | None = None
    waits_until: datetime | None = None
    sent_by_platform: int | None = None
    errors_by_platform: int | None = None

    @property
    def percent(self) -> int:
        """How much is done, 0 to 100."""
        return 0 if not self.total else self.done * 100 // self.total


@dataclass(frozen=True, slots=True)
class CampaignPage:
    """Campaigns, newest first; ``before`` goes on from here and is ``None`` at the end."""

    campaigns: tuple[CampaignView, ...]
    progress: Mapping[int, Progress] = field(default_factory=dict)
    before: int | None = None


def view_of(row: Campaign) -> CampaignView:
    """Return a row as others see it."""
    return CampaignView(
        id=row.id,
        title=row.title,
        author=row.author,
        edited_by=row.edited_by,
        version=row.version,
        state=CampaignState(row.state),
        channel=SendChannel(row.channel),
        content=contents.from_json(row.content),
        audience=audiences.from_json(row.audience),
        purpose=row.purpose,
        programme_id=row.programme_id,
        tag_id=row.tag_id,
        tag_name=row.tag_name,
        starts_at=row.starts_at,
        per_minute=row.per_minute,
        hours=SendingHours(row.open_minute, row.close_minute, row.weekdays),
        max_failed_percent=row.max_failed_percent,
        attribution_days=row.attribution_days,
        checked_total=row.checked_total,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        rejected_by=row.rejected_by,
        rejected_reason=row.rejected_reason,
        pause_reason=row.pause_reason,
        total=row.total,
        skipped=row.skipped,
        frozen_at=row.frozen_at,
        finished_at=row.finished_at,
        created_at=row.created_at,
    )
