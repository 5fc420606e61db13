"""The trained model over HTTP: how well it understands the evaluation set, and that it keeps silent about it.

The gates stand a little below what was measured when they were set; they are raised with the data, never lowered to
pass.
"""

import aiohttp
import pytest
import pytest_asyncio

from bot.understanding.client import NluClient
from bot.understanding.evaluation import Report, evaluate
from bot.understanding.models import INTENTS
from bot.values.clock import SystemClock
from tests.nlu.conftest import RealNlu
from tests.nlu.texts import evaluation_texts

LEAST_STRICT = 0.95
LEAST_LENIENT = 0.965
LEAST_MACRO_RECALL = 0.96
LEAST_CRISIS_NOTICED = 1.0
MOST_FALSE_ALARMS = 0.01
LEAST_ANSWERED = 0.99
LEAST_REJECTED = 0.9
BUDGET_S = 20.0

pytestmark = pytest.mark.xdist_group("nlu")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def report(real_nlu: RealNlu) -> Report:
    """The figures of the current model on the evaluation set."""
    async with aiohttp.ClientSession() as http:
        understanding = NluClient(http, real_nlu.url, SystemClock(), timeout_s=BUDGET_S)
        return await evaluate(understanding, evaluation_texts(), budget_s=BUDGET_S)


def test_intents_are_recognised(report: Report) -> None:
    assert report.macro_recall >= LEAST_MACRO_RECALL, report.confusions()
    assert report.strict >= LEAST_STRICT, report.confusions()
    assert report.lenient >= LEAST_LENIENT, report.confusions()


def test_dangers_are_noticed_by_words_or_model(report: Report) -> None:
    assert report.crisis_recall >= LEAST_CRISIS_NOTICED
    assert report.crisis_false_alarms <= MOST_FALSE_ALARMS


def test_what_is_in_scope_is_answered_or_asked_back(report: Report) -> None:
    assert report.answered >= LEAST_ANSWERED


def test_what_is_not_our_business_is_rejected(report: Report) -> None:
    assert report.rejected >= LEAST_REJECTED


async def test_the_whole_ranking_is_told(real_nlu: RealNlu) -> None:
    async with aiohttp.ClientSession() as http:
        ranking = await NluClient(http, real_nlu.url, SystemClock(), timeout_s=BUDGET_S).rank("你好", BUDGET_S)
    assert sorted(guess.intent for guess in ranking.guesses) == sorted(INTENTS)
    assert sum(guess.confidence for guess in ranking.guesses) == pytest.approx(1.0)
    assert ranking.guesses[0].intent == "greet"
    assert ranking.model_id


@pytest.mark.parametrize("text", ["。", "🙏", "?", "a", "我" * 600, "<xml>&amp;</xml>", "[报名](x)", "\\u4e00"])
async def test_odd_texts_get_a_ranking_too(real_nlu: RealNlu, text: str) -> None:
    async with aiohttp.ClientSession() as http:
        ranking = await NluClient(http, real_nlu.url, SystemClock(), timeout_s=BUDGET_S).rank(text, BUDGET_S)
    assert ranking.source == "model"
    assert len(ranking.guesses) == len(INTENTS)


async def test_what_people_write_is_not_printed(real_nlu: RealNlu) -> None:
    secret = "我叫龙小芳住在谢桥老街"
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{real_nlu.url}/model/parse", json={"text": secret}) as answer,
    ):
        assert answer.status == 200
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{real_nlu.url}/model/parse", data=secret.encode()) as answer,
    ):
        assert answer.status >= 400
    printed = real_nlu.output.read_text(encoding="utf-8")
    assert "NLU serves" in printed
    assert "龙小芳" not in printed
    assert "谢桥" not in printed
