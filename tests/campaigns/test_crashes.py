"""Workers killed at a hundred points, Redis and the database restarted: the platform's ledger shows each once."""

import multiprocessing
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from sqlalchemy import Integer, cast, delete, func, select, text, update
from sqlalchemy.ext.asyncio import create_async_engine

from bot.app.records import Records
from bot.campaigns.content import Template, Text
from bot.campaigns.freezing import add_batches
from bot.campaigns.models import CampaignBatch, CampaignState, Recipient, SendChannel
from bot.settings import Settings
from bot.simulator.followers import start_following
from bot.simulator.models import Channel
from bot.simulator.platform import SimulatedPlatform
from bot.storage.encryption import FieldCipher
from bot.storage.redis_server import RedisServer
from tests.campaigns.mortal_sender import SenderPlan, run
from tests.campaigns.people import add_followers, draft, openid, started
from tests.support.assistant import settings_for, simulated_platform
from tests.support.databases import PostgresDatabases
from tests.support.postgres import running_postgres
from tests.support.tables import import_all_tables
from tests.support.waiting import until

KILLS = 50
"""On each of the two databases."""
PEOPLE, IN_BATCH = 240, 4
POINTS_MAX = 6
AT_ONCE = 3
SINGLE_CHANNELS = {Channel.TEMPLATE, Channel.CUSTOMER}
SINGLES, KILLS_AMONG_SINGLES, SINGLE_POINTS_MAX = 300, 10, 24
RESTARTS_OF_REDIS, CRASHES_OF_THE_DATABASE = {12, 37}, {24, 45}
START_TIMEOUT_S = 60.0


@dataclass
class Senders:
    """Worker processes over one Redis and one database."""

    settings: Settings
    _all: list[tuple[ForkServerProcess, Connection]] = field(default_factory=list)

    def start(self, points: int | None = None, *, keeps_ids: bool = True) -> ForkServerProcess:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.campaigns.mortal_sender", "pytest"])
        ours, theirs = context.Pipe()
        plan = SenderPlan(self.settings, points, keeps_ids)
        process = context.Process(target=run, args=(plan, theirs), daemon=True)
        process.start()
        theirs.close()
        self._all.append((process, ours))
        return process

    def end(self) -> None:
        for process, connection in self._all:
            process.kill()
            process.join()
            connection.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def own_database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of this test's own: its server is crashed."""
    if request.param == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")
        yield url
        return
    import_all_tables()
    with running_postgres() as server_url:
        databases = PostgresDatabases(server_url)
        databases.empty()
        yield databases.url
        databases.close()


@pytest.fixture
async def own_redis(tmp_path: Path) -> AsyncIterator[RedisServer]:
    """A Redis of this test's own: it is stopped and started again, with what it had stored."""
    async with RedisServer(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def settings(own_database_url: str, own_redis: RedisServer, tmp_path: Path) -> Settings:
    return settings_for(
        database_url=own_database_url,
        redis_url=own_redis.url,
        data_dir=tmp_path,
        cipher_setting=FieldCipher.new_setting(),
    )


@pytest.fixture
async def platform(settings: Settings) -> AsyncIterator[SimulatedPlatform]:
    changes = {"attempts": 1, "tells_of_mass_jobs": False, "mass_calls_per_minute": 1_000_000}
    unlimited = {"/cgi-bin/message/mass/send": 1_000_000}
    async with simulated_platform(settings, None, daily_limits=unlimited, mass_shown_max=0, **changes) as simulated:
        yield simulated


@pytest.fixture
def senders(settings: Settings) -> Iterator[Senders]:
    group = Senders(settings)
    yield group
    group.end()


async def follow(records: Records, platform: SimulatedPlatform, people: int) -> None:
    """Make followers that both sides know."""
    now = records.clock.now()
    await add_followers(records.database, range(people), now)
    for number in range(people):
        start_following(platform.followers.add("职工", openid(number)), now)


async def frozen(records: Records, platform: SimulatedPlatform, people: int) -> int:
    """Return a campaign to ``people`` in batches of ``IN_BATCH``, frozen and going out."""
    await follow(records, platform, people)
    hours = draft().hours
    campaign = await started(records.campaigns.service, draft(hours=replace(hours, open_minute=0, close_minute=1440)))
    async with records.database.transaction() as session:
        await session.execute(delete(CampaignBatch))
        digits = cast(func.substr(Recipient.openid, 20), Integer)
        await session.execute(update(Recipient).values(chunk=digits // IN_BATCH + 1))
        await add_batches(session, campaign.id, after_chunk=0)
    return campaign.id


async def crash_of(database_url: str) -> None:
    """Kill one of PostgreSQL's processes: the server drops every connection and recovers. SQLite has no server."""
    if database_url.startswith("sqlite"):
        return
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        pid = await connection.scalar(text("SELECT pg_backend_pid()"))
        assert isinstance(pid, int)
        os.kill(pid, signal.SIGKILL)
        await connection.invalidate()
    await engine.dispose()


@pytest.mark.timeout(400)
async def test_each_recipient_once_whatever_dies(
    records: Records, platform: SimulatedPlatform, senders: Senders, settings: Settings, own_redis: RedisServer
) -> None:
    campaign_id = await frozen(records, platform, PEOPLE)
    seed = random.randrange(10**6)  # noqa: S311
    print(f"seed {seed}")
    chance, killed = random.Random(seed), 0  # noqa: S311
    living = [senders.start(chance.randint(1, POINTS_MAX)) for _ in range(AT_ONCE)]

    async def one_is_dead() -> bool:
        return any(process.exitcode is not None for process in living)

    while killed < KILLS:
        await until(one_is_dead, timeout_s=START_TIMEOUT_S)
        for process in [one for one in living if one.exitcode is not None]:
            assert process.exitcode == -signal.SIGKILL
            living.remove(process)
            killed += 1
            if killed in RESTARTS_OF_REDIS:
                await own_redis.stop()
                await own_redis.__aenter__()
            if killed in CRASHES_OF_THE_DATABASE:
                await crash_of(settings.database_url)
            if killed < KILLS:
                living.append(senders.start(chance.randint(1, POINTS_MAX)))
    assert (await records.campaigns.service.get(campaign_id)).state is CampaignState.SENDING, "too few batches"
    senders.start()
    await until(lambda: is_over(records, campaign_id), timeout_s=120.0)
    assert platform.mass_ledger() == Counter({openid(number): 1 for number in range(PEOPLE)})
    async with records.database.reading() as session:
        outcomes = await session.execute(select(Recipient.outcome, func.count()).group_by(Recipient.outcome))
        assert {row[0]: row[1] for row in outcomes} == {"submitted": PEOPLE}


async def test_without_the_stored_ids_people_get_it_twice(
    records: Records, platform: SimulatedPlatform, senders: Senders
) -> None:
    """The control."""
    campaign_id = await frozen(records, platform, 40)
    for points in (2, 5, 7):
        process = senders.start(points, keeps_ids=False)

        async def is_dead(process: ForkServerProcess = process) -> bool:
            return process.exitcode is not None

        await until(is_dead, timeout_s=START_TIMEOUT_S)
    senders.start(keeps_ids=False)
    await until(lambda: is_over(records, campaign_id), timeout_s=120.0)
    assert 2 in platform.mass_ledger().values()


@pytest.mark.parametrize("own_database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("channel", [SendChannel.TEMPLATE, SendChannel.CUSTOMER], ids=lambda channel: channel.value)
async def test_single_messages_are_repeated_only_under_their_id(
    records: Records, platform: SimulatedPlatform, senders: Senders, channel: SendChannel
) -> None:
    """A template is sent again under its id; a customer-service message of which nobody knows is not."""
    await follow(records, platform, SINGLES)
    for number in range(SINGLES):
        # Nobody listens; it opens the window in which the account may write.
        await platform.say(openid(number), "您好")
    content = Template("t", {"thing1": "筛查"}) if channel is SendChannel.TEMPLATE else Text("您好")
    all_day = replace(draft().hours, open_minute=0, close_minute=24 * 60)
    wanted = draft(channel, content, per_minute=3_000, hours=all_day, max_failed_percent=100)
    campaign_id = (await started(records.campaigns.service, wanted)).id
    seed = random.randrange(10**6)  # noqa: S311
    print(f"seed {seed}")
    chance = random.Random(seed)  # noqa: S311
    for _ in range(KILLS_AMONG_SINGLES):
        process = senders.start(chance.randint(1, SINGLE_POINTS_MAX))

        async def is_dead(process: ForkServerProcess = process) -> bool:
            return process.exitcode is not None

        await until(is_dead, timeout_s=START_TIMEOUT_S)
    assert (await records.campaigns.service.get(campaign_id)).state is CampaignState.SENDING, "too few people"
    senders.start()
    await until(lambda: is_over(records, campaign_id), timeout_s=120.0)
    got = {
        openid(number): sum(one.channel in SINGLE_CHANNELS for one in platform.seen(openid(number)))
        for number in range(SINGLES)
    }
    assert max(got.values()) == 1
    async with records.database.reading() as session:
        outcomes = {row.openid: row.outcome for row in await session.scalars(select(Recipient))}
    missed = {one for one, count in got.items() if count == 0}
    assert missed <= {one for one, outcome in outcomes.items() if outcome == "unknown"}
    if channel is SendChannel.TEMPLATE:
        assert (missed, set(outcomes.values())) == (set(), {"submitted"})
    else:
        assert set(outcomes.values()) == {"submitted", "unknown"}


async def is_over(records: Records, campaign_id: int) -> bool:
    return (await records.campaigns.service.get(campaign_id)).state is CampaignState.SENT
