"""What staff write of a campaign, and what is wrong with it whoever its audience is."""

from dataclasses import dataclass, field
from datetime import datetime

from bot.campaigns import audience as audiences
from bot.campaigns import content as contents
from bot.campaigns.audience import Audience
from bot.campaigns.content import Content
from bot.campaigns.models import Campaign, SendChannel
from bot.campaigns.rules import MASS_CALLS_PER_MINUTE, SINGLES_PER_MINUTE_MAX, SendingHours
from bot.campaigns.views import CampaignView
from bot.values.problem import Problem

TITLE_CHARS = 80


@dataclass(frozen=True, slots=True)
class CampaignDraft:
    """What staff write. ``per_minute`` counts calls, which for single messages are people."""

    title: str
    channel: SendChannel
    content: Content
    audience: Audience
    purpose: str = ""
    programme_id: str | None = None
    tag_id: int | None = None
    starts_at: datetime | None = None
    per_minute: int = MASS_CALLS_PER_MINUTE
    hours: SendingHours = field(default_factory=SendingHours)
    max_failed_percent: int = 10
    attribution_days: int = 7
    tag_name: str = ""


def check_draft(draft: CampaignDraft) -> tuple[Problem, ...]:
    """Return what is wrong with a draft, whoever its audience is."""
    problems = [*contents.check(draft.content, draft.channel)]
    if not 1 <= len(draft.title.strip()) <= TITLE_CHARS:
        problems.append(Problem("campaign.title_length", {"max_chars": TITLE_CHARS}))
    fastest = MASS_CALLS_PER_MINUTE if draft.channel.is_mass else SINGLES_PER_MINUTE_MAX
    if not 1 <= draft.per_minute <= fastest:
        problems.append(Problem("campaign.rate", {"max": fastest}))
    if not draft.hours.is_possible:
        problems.append(Problem("campaign.hours"))
    if not 1 <= draft.max_failed_percent <= 100:
        problems.append(Problem("campaign.failed_percent"))
    return tuple(problems)


def draft_of(view: CampaignView) -> CampaignDraft:
    """Return what staff wrote of a stored campaign."""
    return CampaignDraft(
        title=view.title,
        channel=view.channel,
        content=view.content,
        audience=view.audience,
        purpose=view.purpose,
        programme_id=view.programme_id,
        tag_id=view.tag_id,
        tag_name=view.tag_name,
        starts_at=view.starts_at,
        per_minute=view.per_minute,
        hours=view.hours,
        max_failed_percent=view.max_failed_percent,
        attribution_days=view.attribution_days,
    )


def fill(row: Campaign, draft: CampaignDraft) -> None:
    """Write a draft into its row."""
    row.title, row.channel = draft.title.strip()[:TITLE_CHARS], draft.channel.value
    row.content, row.audience = contents.to_json(draft.content), audiences.to_json(draft.audience)
    row.purpose, row.programme_id, row.tag_id = draft.purpose, draft.programme_id, draft.tag_id
    row.tag_name = draft.tag_name
    row.starts_at, row.per_minute = draft.starts_at, draft.per_minute
    row.open_minute, row.close_minute = draft.hours.open_minute, draft.hours.close_minute
    row.weekdays, row.max_failed_percent = draft.hours.weekdays, draft.max_failed_percent
    row.attribution_days = draft.attribution_days
