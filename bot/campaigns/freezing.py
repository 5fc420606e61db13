"""Freezes the audience of a campaign: a row a recipient and a row a call, in one statement each."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, insert, literal, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns.errors import NothingToDo, OnlyTestAccount, PublicWhileTesting
from bot.campaigns.models import BatchState, Campaign, CampaignBatch, Outcome, Recipient, SendChannel
from bot.campaigns.publication_models import Publication, PublicationState
from bot.campaigns.reach import Reach, reach_of, wanted_of
from bot.campaigns.rules import MASS_LIST_MIN, batch_max, chunk_size, month_of
from bot.followers.models import Follower

_FREEZE_LOCK = 0x63616D70


async def freeze(
    session: AsyncSession, campaign: Campaign, now: datetime, testers: frozenset[str], *, is_sqlite: bool
) -> None:
    """Write one row for each follower of the audience and one for each batch, in the caller's transaction.

    Sets what the campaign counts; where articles are published that waits from now on. Raises NothingToDo,
    OnlyTestAccount, PublicWhileTesting.
    """
    channel = SendChannel(campaign.channel)
    if channel.publishes:
        if testers:
            raise PublicWhileTesting
        session.add(Publication(campaign_id=campaign.id, state=PublicationState.WAITING.value))
    if not channel.notifies:
        campaign.total, campaign.skipped, campaign.frozen_at = 0, {}, now
        return
    if not is_sqlite:
        # Two campaigns that start together would both take the last of somebody's four.
        await session.execute(text(f"SELECT pg_advisory_xact_lock({_FREEZE_LOCK})"))
    wanted = wanted_of(campaign)
    reach = await reach_of(session, wanted, now, testers)
    if outsiders := await reach.outsiders(session):
        raise OnlyTestAccount(others=outsiders)
    tally = await reach.tally(session)
    total = tally.pop(None, 0)
    if not total or (wanted.channel is SendChannel.MASS_LIST and total < MASS_LIST_MIN):
        raise NothingToDo(reachable=total)
    await session.execute(_insertion(campaign.id, reach, total))
    campaign.total, campaign.skipped = total, {str(name): count for name, count in tally.items()}
    campaign.quota_month = month_of(now) if wanted.channel.is_mass else None
    campaign.frozen_at = now
    await add_batches(session, campaign.id, after_chunk=0)


def _insertion(campaign_id: int, reach: Reach, total: int) -> Any:
    size = chunk_size(total, batch_max(reach.wanted.channel, total))
    query = select(Follower.openid.label("openid"), reach.reason().label("reason"))
    chosen = reach.joined(query).where(reach.base()).subquery()
    is_kept = chosen.c.reason.is_(None)
    place = func.row_number().over(partition_by=case((is_kept, 0), else_=1), order_by=chosen.c.openid)
    numbered = select(chosen.c.openid, chosen.c.reason, place.label("place")).subquery()
    kept = numbered.c.reason.is_(None)
    rows = select(
        literal(campaign_id),
        numbered.c.openid,
        case((kept, (numbered.c.place - 1) // size + 1), else_=0),
        case((kept, Outcome.QUEUED.value), else_=Outcome.SKIPPED.value),
        numbered.c.reason,
    )
    return insert(Recipient).from_select(["campaign_id", "openid", "chunk", "outcome", "reason"], rows)


async def add_batches(session: AsyncSession, campaign_id: int, *, after_chunk: int) -> int:
    """Add a batch for each chunk behind ``after_chunk``, with its client id; return how many."""
    chunks = select(Recipient.chunk, func.count()).where(
        Recipient.campaign_id == campaign_id,
        Recipient.chunk > after_chunk,
        Recipient.outcome == Outcome.QUEUED.value,
    )
    rows = (await session.execute(chunks.group_by(Recipient.chunk).order_by(Recipient.chunk))).all()
    # The random part keeps two systems that share one account apart.
    await session.execute(
        insert(CampaignBatch),
        [
            {
                "campaign_id": campaign_id,
                "chunk": chunk,
                "client_id": f"c{campaign_id}-{chunk}-{secrets.token_hex(6)}",
                "size": count,
                "state": BatchState.WAITING.value,
                "queued": count,
            }
            for chunk, count in rows
        ],
    )
    return len(rows)
