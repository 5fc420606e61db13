"""Several gateways share one Redis and one database: a message has one effect, whoever gets it, dies or repeats.

Each guard has a control: the same attack on gateways without it shows the fault.
"""

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator, Iterator
from typing import get_args

import pytest
import xmltodict
from sqlalchemy import func, select

from bot.app.records import open_records
from bot.legal.models import LegalCase
from bot.registrations.models import Registration
from bot.simulator.models import Attempt, BodyKind, Delivery
from bot.simulator.platform import SimulatedPlatform
from bot.simulator.pushes import text
from bot.storage.redis_server import RedisServer
from bot.storage.sql import Database
from tests.support.assistant import simulated_platform
from tests.turns.gateways import GatewayProcess, Gateways, gateways, settings_over
from tests.turns.mortal_gateway import Step
from tests.turns.registering import prepare

pytestmark = pytest.mark.xdist_group("gateway processes")

CONTROL = pytest.mark.parametrize("group", ["sqlite"], indirect=True)
"""A control shows that a test can fail; one database is enough for that."""
STEPS = [step for step in get_args(Step) if step != "never"]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def group(
    request: pytest.FixtureRequest, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateways]:
    """Gateways over the private Redis and one database, with a programme to register for."""
    settings = settings_over(request, redis_server, tmp_path_factory.mktemp("gateways"))

    async def seed() -> None:
        async with open_records(settings) as records:
            await prepare(records)

    with asyncio.Runner() as runner:
        runner.run(seed())
    with gateways(settings) as running:
        yield running


@pytest.fixture(scope="module")
def pair(group: Gateways) -> tuple[GatewayProcess, GatewayProcess]:
    """Two gateways as they run in production."""
    return group.survivor(), group.survivor()


@pytest.fixture(scope="module")
def careless(group: Gateways) -> tuple[GatewayProcess, GatewayProcess]:
    """Two gateways without the guards: every attempt may run, and every run writes under a new key."""
    return group.survivor(guarded=False, keyed=False), group.survivor(guarded=False, keyed=False)


@pytest.fixture
async def rows(group: Gateways) -> AsyncIterator[Database]:
    """The same database, seen from here."""
    database = Database(group.settings.database_url)
    yield database
    await database.close()


@pytest.fixture
async def platform(group: Gateways) -> AsyncIterator[SimulatedPlatform]:
    """The platform in front of all of them."""
    async with simulated_platform(group.settings) as simulated:
        yield simulated


@pytest.fixture(scope="module")
def serials() -> Iterator[int]:
    """Numbers of people who have not registered yet."""
    return itertools.count(1)


def said(attempt: Attempt) -> str:
    """Return the decrypted text of a reply."""
    assert attempt.body_kind is BodyKind.REPLY, attempt
    return str(xmltodict.parse(attempt.reply_xml)["xml"]["Content"])


async def registrations(rows: Database, openid: str) -> list[str]:
    """Return the receipts of a follower's registrations."""
    async with rows.reading() as session:
        return list(await session.scalars(select(Registration.receipt).where(Registration.openid == openid)))


async def cases(rows: Database, openid: str) -> int:
    """Return how many cases a follower has."""
    async with rows.reading() as session:
        query = select(func.count()).select_from(LegalCase).where(LegalCase.openid == openid)
        return await session.scalar(query) or 0


async def three_at_once(
    platform: SimulatedPlatform, words: str, *urls: GatewayProcess
) -> tuple[Delivery, list[Attempt]]:
    """Deliver one message three times at the same moment, to the gateways in turn."""
    delivery = platform.prepare(platform.add_follower().openid, text(words))
    attempts = await platform.deliver(delivery, times=3, at_once=True, callback_urls=[one.url for one in urls])
    return delivery, attempts


async def next_reply(platform: SimulatedPlatform, openid: str, gateway: GatewayProcess) -> str:
    """Say something more and return the answer, which counts how often the dialogue was advanced."""
    return (await platform.say(openid, "还有", callback_url=gateway.url)).text


# The same delivery at once --------------------------------------------------------------------------------------


async def test_one_delivery_three_times_at_once_is_one_registration_and_one_reply(
    pair: tuple[GatewayProcess, GatewayProcess],
    platform: SimulatedPlatform,
    rows: Database,
    serials: Iterator[int],
) -> None:
    for _ in range(5):
        delivery, attempts = await three_at_once(platform, f"报名 {next(serials)}", *pair)
        (receipt,) = await registrations(rows, delivery.openid)
        assert [said(attempt) for attempt in attempts] == [f"第1条：已报名 {receipt}"] * 3
        assert await next_reply(platform, delivery.openid, pair[0]) == "第2条：好的"


async def test_one_delivery_three_times_at_once_is_one_case(
    pair: tuple[GatewayProcess, GatewayProcess], platform: SimulatedPlatform, rows: Database
) -> None:
    delivery, attempts = await three_at_once(platform, "咨询", *pair)
    assert len({said(attempt) for attempt in attempts}) == 1
    assert await cases(rows, delivery.openid) == 1


@CONTROL
async def test_without_guards_the_deliveries_would_differ_and_cases_multiply(
    careless: tuple[GatewayProcess, GatewayProcess],
    platform: SimulatedPlatform,
    rows: Database,
    serials: Iterator[int],
) -> None:
    """The control: a store that lets every attempt run, and a new key for every run."""
    _, attempts = await three_at_once(platform, f"报名 {next(serials)}", *careless)
    assert sorted("已报名" in said(attempt) for attempt in attempts) == [False, False, True], "two are told otherwise"
    delivery, _ = await three_at_once(platform, "咨询", *careless)
    assert await cases(rows, delivery.openid) == 3


# Killed at a step -----------------------------------------------------------------------------------------------


async def killed_and_repeated(
    platform: SimulatedPlatform, words: str, mortal: GatewayProcess, survivor: GatewayProcess
) -> tuple[str, str]:
    """Deliver to a gateway that dies of it, then to one that lives; return the follower and the reply."""
    delivery = platform.prepare(platform.add_follower().openid, text(words))
    first, second = await platform.deliver(delivery, times=2, at_once=False, callback_urls=[mortal.url, survivor.url])
    assert first.body_kind is BodyKind.DISCONNECTED
    assert mortal.died_by_signal() == signal.SIGKILL
    return delivery.openid, said(second)


@pytest.mark.parametrize("step", STEPS)
async def test_a_gateway_killed_at_any_step_changes_nothing_for_the_follower(
    group: Gateways,
    pair: tuple[GatewayProcess, GatewayProcess],
    platform: SimulatedPlatform,
    rows: Database,
    serials: Iterator[int],
    step: Step,
) -> None:
    mortal = group.mortal(step, "报名")
    openid, reply = await killed_and_repeated(platform, f"报名 {next(serials)}", mortal, pair[0])
    (receipt,) = await registrations(rows, openid)
    assert reply == f"第1条：已报名 {receipt}"
    assert await next_reply(platform, openid, pair[1]) == "第2条：好的"


@CONTROL
@pytest.mark.parametrize(
    ("words", "reply", "count"),
    [("报名 999", "第1条：已经报过名了", 0), ("咨询", "", 2)],
    ids=["registration", "case"],
)
async def test_without_the_key_a_repetition_after_the_write_would_do_it_again(
    group: Gateways,
    pair: tuple[GatewayProcess, GatewayProcess],
    platform: SimulatedPlatform,
    rows: Database,
    words: str,
    reply: str,
    count: int,
) -> None:
    """The control for a death between SQL and Redis: the first run wrote under a key that the second does not use."""
    mortal = group.mortal("written", words, keyed=False)
    openid, told = await killed_and_repeated(platform, words, mortal, pair[0])
    assert told.startswith(reply)
    assert await cases(rows, openid) == count


@CONTROL
async def test_without_the_stored_reply_a_repetition_after_the_commit_would_run_again(
    group: Gateways,
    careless: tuple[GatewayProcess, GatewayProcess],
    platform: SimulatedPlatform,
    serials: Iterator[int],
) -> None:
    """The control for a death between the commit and the answer."""
    mortal = group.mortal("committed", "报名", guarded=False)
    openid, reply = await killed_and_repeated(platform, f"报名 {next(serials)}", mortal, careless[0])
    assert reply.startswith("第2条：")
    assert await next_reply(platform, openid, careless[1]) == "第3条：好的"


async def test_messages_at_once_advance_the_dialogue_one_after_another(
    pair: tuple[GatewayProcess, GatewayProcess], platform: SimulatedPlatform
) -> None:
    assert await counts_of_many(platform, *pair) == list(range(1, 11))


@CONTROL
async def test_without_the_lock_messages_at_once_would_overwrite_each_other(
    careless: tuple[GatewayProcess, GatewayProcess], platform: SimulatedPlatform
) -> None:
    assert len(set(await counts_of_many(platform, *careless))) < 10


async def counts_of_many(platform: SimulatedPlatform, *urls: GatewayProcess) -> list[int]:
    """Send ten different messages of one follower at once; return the counts in the replies, sorted."""
    openid = platform.add_follower().openid
    exchanges = await asyncio.gather(
        *(platform.say(openid, f"话{number}", callback_url=urls[number % 2].url) for number in range(10))
    )
    return sorted(int(exchange.text.split("条")[0].removeprefix("第")) for exchange in exchanges)
