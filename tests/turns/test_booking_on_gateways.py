"""A whole booking with the real flows, each message at another gateway, handed in thrice or through a death."""

import itertools
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.app.records import open_records
from bot.programmes.seed import seed_demo
from bot.registrations.service import RegistrationService
from bot.simulator.models import BodyKind
from bot.simulator.platform import SimulatedPlatform
from bot.simulator.pushes import text
from bot.storage.redis_server import RedisServer
from bot.values.clock import SystemClock
from tests.registrations.factories import number
from tests.support.assistant import settings_for, simulated_platform
from tests.support.databases import SqliteDatabases
from tests.support.redis import flush
from tests.turns.gateways import GatewayProcess, Gateways, gateways

pytestmark = pytest.mark.xdist_group("gateway processes")

ANSWERS = (
    ("叫什么名字", "我叫龙小芳"),
    ("手机号", "13812345678"),
    ("哪个单位", "环卫"),
    ("跳过", "跳过"),
)
"""What a worker answers to a question that holds these words; to any other it is the first choice."""
FIRST_CHOICE = "1"
QUESTIONS_MAX = 30


@pytest.fixture(scope="module")
def group(
    redis_server: RedisServer, sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateways]:
    """Gateways with the real flows."""
    folder: Path = tmp_path_factory.mktemp("bookings")
    flush(redis_server.socket)
    settings = settings_for(
        database_url=sqlite_databases.copy_to(folder / "records.db"), redis_url=redis_server.url, data_dir=folder
    )
    with gateways(settings) as running:
        yield running


@pytest.fixture(scope="module")
def pair(group: Gateways) -> tuple[GatewayProcess, GatewayProcess]:
    return group.survivor(flows=True), group.survivor(flows=True)


@pytest.fixture
async def registrations(group: Gateways) -> AsyncIterator[RegistrationService]:
    """What was registered, with the demonstration's programmes to register for."""
    async with open_records(group.settings) as records:
        await seed_demo(records.programmes, SystemClock().now().date())
        yield records.registrations


@pytest.fixture
async def platform(group: Gateways) -> AsyncIterator[SimulatedPlatform]:
    async with simulated_platform(group.settings) as simulated:
        yield simulated


async def at_the_review(
    platform: SimulatedPlatform, pair: tuple[GatewayProcess, GatewayProcess], id_number: str
) -> str:
    """Bring a new follower to the review screen, by turns at one gateway and the other; return the OpenID."""
    openid = platform.add_follower("龙大姐").openid
    answers = (("身份证号", id_number), *ANSWERS)
    words = "我要预约两癌筛查"
    for gateway in itertools.islice(itertools.cycle(pair), QUESTIONS_MAX):
        asked = (await platform.say(openid, words, callback_url=gateway.url)).text
        if "请核对" in asked:
            return openid
        words = next((answer for part, answer in answers if part in asked), FIRST_CHOICE)
    raise AssertionError(f"still asking: {asked}")


async def test_a_booking_handed_in_three_times_at_once_is_one_registration(
    platform: SimulatedPlatform, pair: tuple[GatewayProcess, GatewayProcess], registrations: RegistrationService
) -> None:
    openid = await at_the_review(platform, pair, number(1))
    delivery = platform.prepare(openid, text("提交"))
    attempts = await platform.deliver(delivery, times=3, at_once=True, callback_urls=[one.url for one in pair])
    (view,) = await registrations.find_for(openid)
    assert {attempt.body_kind for attempt in attempts} == {BodyKind.REPLY}
    assert len({str(attempt.result) for attempt in attempts}) == 1
    assert view.receipt in str(attempts[0].result)
    assert view.receipt in (await platform.say(openid, "查进度", callback_url=pair[1].url)).text


async def test_a_gateway_killed_after_the_registration_was_written_does_not_make_a_second_one(
    platform: SimulatedPlatform,
    group: Gateways,
    pair: tuple[GatewayProcess, GatewayProcess],
    registrations: RegistrationService,
) -> None:
    openid = await at_the_review(platform, pair, number(2))
    mortal = group.mortal("written", "提交", flows=True)
    delivery = platform.prepare(openid, text("提交"))
    first, second = await platform.deliver(delivery, times=2, at_once=False, callback_urls=[mortal.url, pair[0].url])
    assert mortal.died_by_signal() == signal.SIGKILL
    assert first.body_kind is BodyKind.DISCONNECTED
    (view,) = await registrations.find_for(openid)
    assert view.receipt in str(second.result)
