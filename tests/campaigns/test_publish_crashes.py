"""Workers killed at every point between two writes: no article is published twice, and what nobody knows is told."""

import multiprocessing
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.app.records import Records
from bot.campaigns.content import Article, News
from bot.campaigns.models import CampaignState, SendChannel
from bot.campaigns.publication_models import Publication, PublicationState
from bot.settings import Settings
from bot.simulator.platform import SimulatedPlatform
from bot.storage.encryption import FieldCipher
from tests.campaigns.mortal_publisher import POINTS, PublisherPlan, run
from tests.campaigns.people import draft, started
from tests.support.assistant import settings_for, simulated_platform
from tests.support.waiting import until

START_TIMEOUT_S = 60.0
NEVER_CALLED = {"begun", "before the call"}
"""Who dies there has written that the call is made, and has not made it: only the platform could tell."""


@dataclass
class Publishers:
    """Worker processes over one database."""

    settings: Settings
    _all: list[tuple[ForkServerProcess, Connection]] = field(default_factory=list)

    def start(
        self, campaign_id: int | None = None, points: int | None = None, *, remembers: bool = True
    ) -> ForkServerProcess:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.campaigns.mortal_publisher", "pytest"])
        ours, theirs = context.Pipe()
        process = context.Process(
            target=run, args=(PublisherPlan(self.settings, campaign_id, points, remembers), theirs), daemon=True
        )
        process.start()
        theirs.close()
        self._all.append((process, ours))
        return process

    async def killed(self, campaign_id: int, points: int, *, remembers: bool = True) -> None:
        """Let one publish a campaign until it dies at its point."""
        process = self.start(campaign_id, points, remembers=remembers)

        async def is_dead() -> bool:
            return process.exitcode is not None

        await until(is_dead, timeout_s=START_TIMEOUT_S)
        assert process.exitcode == -signal.SIGKILL

    def end(self) -> None:
        for process, connection in self._all:
            process.kill()
            process.join()
            connection.close()


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return settings_for(
        database_url=database_url,
        redis_url=redis_url,
        data_dir=tmp_path,
        cipher_setting=FieldCipher.new_setting(),
    )


@pytest.fixture
async def platform(settings: Settings) -> AsyncIterator[SimulatedPlatform]:
    """The platform tells nobody: what it published is found by asking."""
    async with simulated_platform(settings, None, attempts=1, tells_of_publications=False) as simulated:
        yield simulated


@pytest.fixture
def publishers(settings: Settings) -> Iterator[Publishers]:
    group = Publishers(settings)
    yield group
    group.end()


async def begun(records: Records, title: str) -> int:
    """Return a campaign with an article of its own that goes out now."""
    hours = replace(draft().hours, open_minute=0, close_minute=24 * 60)
    wanted = draft(SendChannel.PUBLISH, News((Article(title, "<p>您好</p>", "thumb"),)), hours=hours)
    return (await started(records.campaigns.service, wanted, key=title)).id


async def states(records: Records) -> dict[int, PublicationState]:
    async with records.database.reading() as session:
        rows = await session.scalars(select(Publication))
        return {row.campaign_id: PublicationState(row.state) for row in rows}


def ledger(platform: SimulatedPlatform) -> Counter[str]:
    """Return how often each article is published."""
    return Counter(one.articles[0].title for one in platform.publications.everything())


@pytest.mark.timeout(300)
async def test_killed_at_any_point_an_article_is_published_once(
    records: Records, platform: SimulatedPlatform, publishers: Publishers
) -> None:
    campaigns: dict[str, int] = {}
    for points, name in enumerate(POINTS):
        campaigns[name] = await begun(records, name)
        await publishers.killed(campaigns[name], points)
    publishers.start()
    expected = {
        number: PublicationState.UNKNOWN if name in NEVER_CALLED else PublicationState.PUBLISHED
        for name, number in campaigns.items()
    }

    async def is_settled() -> bool:
        # Nobody waits for the minutes after which the platform is asked.
        async with records.database.transaction() as session:
            due = update(Publication).where(Publication.ask_at.is_not(None)).values(ask_at=records.clock.now())
            await session.execute(due)
        return await states(records) == expected

    await until(is_settled, timeout_s=START_TIMEOUT_S)
    assert ledger(platform) == Counter(set(POINTS) - NEVER_CALLED)
    over = {
        (await records.campaigns.service.get(number)).state
        for name, number in campaigns.items()
        if name not in NEVER_CALLED
    }
    assert over == {CampaignState.SENT}


async def test_what_is_begun_again_is_published_twice(
    records: Records, platform: SimulatedPlatform, publishers: Publishers
) -> None:
    """The control: a worker that does not remember that the call was made."""
    number = await begun(records, "活动")
    await publishers.killed(number, POINTS.index("after the call"), remembers=False)
    publishers.start(remembers=False)

    async def is_twice() -> bool:
        return ledger(platform)["活动"] == 2

    await until(is_twice, timeout_s=START_TIMEOUT_S)
