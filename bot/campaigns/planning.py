"""What sending would mean: who is reached by which channel, who is left out and why, what the quota is afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns import freezing
from bot.campaigns.audience import Everyone, Tagged
from bot.campaigns.counting import EXACT_BELOW, AudienceCounter, Count
from bot.campaigns.models import Campaign, SendChannel
from bot.campaigns.reach import TAG_PREFIX, Facts, Wanted, reach_of
from bot.campaigns.rules import MASS_CALLS_PER_DAY, MASS_PER_MONTH, AccountKind, batch_max, channels_of
from bot.followers.models import Follower
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.problem import Problem

SAMPLE_ROWS = 20
CALLS_TO_PUBLISH = 2
"""A draft is made and submitted."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What sending would mean. ``by_channel`` counts who could be reached by each channel the account has.

    ``quota_after`` says how many of those reached will have 3, 2, 1 or no mass messages left this month; it is empty
    for channels that do not count. ``problems`` keep it from being sent, ``notes`` do not.
    """

    channel: SendChannel
    matched: int
    reachable: int
    skipped: Mapping[str, int]
    by_channel: Mapping[SendChannel, int]
    quota_after: Mapping[int, int]
    calls: int
    takes: timedelta
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One follower of the audience, masked."""

    openid_masked: str
    county: str | None
    category: str | None
    last_seen_at: datetime


class Planner:
    """Counts and freezes. ``testers`` not empty: campaigns reach those OpenIDs alone, whatever is asked for."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        account: AccountKind = "service",
        testers: frozenset[str] = frozenset(),
        *,
        counter: AudienceCounter | None = None,
    ) -> None:
        self.database = database
        self.clock = clock
        self.account = account
        self.testers = testers
        self.counter = counter or AudienceCounter(database)

    async def plan(self, wanted: Wanted) -> Plan:
        """Return the plan at this moment."""
        async with self.database.reading() as session:
            reach = await reach_of(session, wanted, self.clock.now(), self.testers)
            facts = await reach.facts(session)
            outsiders = await reach.outsiders(session)
        tally = _tally(facts, wanted.channel)
        by_channel = {
            one: _tally(facts, one).get(None, 0) for one in sorted(channels_of(self.account)) if one.notifies
        }
        quota_after = _quota_after(facts, wanted.channel)
        opted_out = sum(people for one, people in facts.items() if one.opted_out)
        reachable = tally.pop(None, 0)
        calls = -(-reachable // batch_max(wanted.channel, reachable)) if wanted.channel.is_mass else reachable
        calls += CALLS_TO_PUBLISH if wanted.channel.publishes else 0
        problems = [*self._problems(wanted, reachable, calls)]
        if outsiders and wanted.channel.notifies:
            problems.append(Problem("campaign.only_testers", {"others": outsiders}))
        notes = [Problem(f"campaign.note_{wanted.channel.value}")] if wanted.channel.publishes else []
        if opted_out and wanted.channel in (SendChannel.MASS_ALL, SendChannel.MASS_TAG):
            notes.append(Problem("campaign.reaches_opted_out", {"count": opted_out}))
        return Plan(
            channel=wanted.channel,
            matched=reachable + sum(tally.values()),
            reachable=reachable,
            skipped={str(name): count for name, count in tally.items()},
            by_channel=by_channel,
            quota_after=quota_after,
            calls=calls,
            takes=timedelta(minutes=max(calls - 1, 0) / max(1, wanted.per_minute)),
            problems=tuple(problems),
            notes=tuple(notes),
        )

    async def count(self, wanted: Wanted) -> Count:
        """Return how many would be reached, without the rest of the plan: what people see while they compose."""
        async with self.database.reading() as session:
            reach = await reach_of(session, wanted, self.clock.now(), self.testers, only_limits=True)
        return await self.counter.count(reach)

    async def look(self, wanted: Wanted, limit: int) -> tuple[Count, list[SampleRow]]:
        """Return what somebody who composes sees: how many fit, and some of those who would be reached."""
        count = await self.count(wanted)
        return count, await self.sample(wanted, limit, among_many=count.reachable >= EXACT_BELOW)

    async def sample(self, wanted: Wanted, limit: int = SAMPLE_ROWS, *, among_many: bool = False) -> list[SampleRow]:
        """Return some of those who would be reached, masked, who wrote last first.

        With ``among_many`` followers are asked one after another until there are enough, which is quick where many
        fit; without it what leaves people out is computed for everybody first.
        """
        columns = select(Follower.openid, Follower.county, Follower.category, Follower.last_seen_at)
        async with self.database.reading() as session:
            reach = await reach_of(session, wanted, self.clock.now(), self.testers)
            query = columns if among_many else reach.joined(columns)
            query = query.where(reach.base(by_key=among_many), reach.reason(by_key=among_many).is_(None))
            rows = (await session.execute(query.order_by(Follower.last_seen_at.desc()).limit(limit))).all()
        return [SampleRow(masked(openid), county, category, seen) for openid, county, category, seen in rows]

    async def freeze(self, session: AsyncSession, campaign: Campaign) -> None:
        """Freeze the audience in the caller's transaction; raises NothingToDo, OnlyTestAccount."""
        await freezing.freeze(session, campaign, self.clock.now(), self.testers, is_sqlite=self.database.is_sqlite)

    def _problems(self, wanted: Wanted, reachable: int, calls: int) -> list[Problem]:
        problems: list[Problem] = []
        if wanted.channel not in channels_of(self.account):
            problems.append(Problem("campaign.channel_not_for_account", {"channel": wanted.channel.value}))
        if wanted.channel is SendChannel.MASS_ALL and wanted.audience != Everyone():
            problems.append(Problem("campaign.all_means_everyone"))
        if wanted.channel is SendChannel.MASS_TAG and wanted.audience != Tagged(f"{TAG_PREFIX}{wanted.tag_id}"):
            problems.append(Problem("campaign.tag_means_its_members"))
        if wanted.channel is SendChannel.PUBLISH and wanted.audience != Everyone():
            problems.append(Problem("campaign.published_for_everyone"))
        if wanted.channel.publishes and self.testers:
            problems.append(Problem("campaign.public_while_testing"))
        if wanted.channel is SendChannel.MASS_LIST and reachable == 1:
            problems.append(Problem("campaign.mass_needs_two"))
        if not reachable and wanted.channel.notifies:
            problems.append(Problem("campaign.nothing_to_do", {"reachable": 0}))
        if wanted.channel.is_mass and calls > MASS_CALLS_PER_DAY:
            problems.append(Problem("campaign.too_many_calls", {"calls": calls, "max_calls": MASS_CALLS_PER_DAY}))
        return problems


def _tally(facts: Mapping[Facts, int], channel: SendChannel) -> dict[str | None, int]:
    tally: dict[str | None, int] = {}
    for one, people in facts.items():
        reason = one.reason(channel)
        tally[reason] = tally.get(reason, 0) + people
    return tally


def _quota_after(facts: Mapping[Facts, int], channel: SendChannel) -> dict[int, int]:
    after: dict[int, int] = {}
    for one, people in facts.items() if channel.is_mass else ():
        if one.reason(channel) is None:
            left = max(0, MASS_PER_MONTH - 1 - one.had)
            after[left] = after.get(left, 0) + people
    return dict(sorted(after.items(), reverse=True))


def masked(openid: str) -> str:
    """Return an OpenID as lists show it."""
    return f"{openid[:4]}…{openid[-2:]}"
