"""The quick way through the model answers what Rasa's own parse answers."""

import asyncio
import json
import subprocess
from typing import NotRequired, TypedDict

import aiohttp
import pytest

from bot.commands.training import NLU_PYTHON, ROOT
from nlu.fingerprint import current_model
from tests.nlu.conftest import RealNlu
from tests.nlu.texts import evaluation_texts

AT_ONCE = 12
CLOSE = 1e-4
"""The encoder's 32 bit sums come out a little differently in company."""
RASAS_OWN_PARSE = """
import asyncio, json, sys
sys.path.insert(0, sys.argv[1])
from nlu.environment import prepare
prepare()
from rasa.core.agent import Agent
agent = Agent.load(sys.argv[2])
async def answer():
    return [await agent.parse_message(text) for text in json.load(sys.stdin)]
print(json.dumps(asyncio.run(answer())))
"""
ODD = [
    "/greet",
    "。",
    " 前后有空格 ",
    "🙏🙏🙏",
    "a",
    "",
    '/greet{"name":"x"}',
    "我" * 300,
    "APP 打不开",
    "\n",
    "[报名](x)",
]

pytestmark = pytest.mark.xdist_group("nlu")


class Guess(TypedDict):
    name: str
    confidence: float


class Parsed(TypedDict):
    text: str
    intent: Guess
    entities: list[object]
    intent_ranking: NotRequired[list[Guess]]
    model_id: NotRequired[str]


def rasas_answers(texts: list[str]) -> list[Parsed]:
    model = current_model()
    assert model is not None
    command = [str(NLU_PYTHON), "-c", RASAS_OWN_PARSE, str(ROOT), str(model)]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=True)
    answers: list[Parsed] = json.loads(done.stdout)
    return answers


async def served_answers(nlu: RealNlu, texts: list[str]) -> list[Parsed]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(text: str) -> Parsed:
        async with gate, http.post(f"{nlu.url}/model/parse", json={"text": text}) as answer:
            assert answer.status == 200
            told: Parsed = await answer.json()
            return told

    async with aiohttp.ClientSession() as http:
        return await asyncio.gather(*(ask(text) for text in texts))


async def test_every_answer_is_rasas(real_nlu: RealNlu) -> None:
    texts = [example.text for example in evaluation_texts()] + ODD
    expected = await asyncio.to_thread(rasas_answers, texts)
    served = await served_answers(real_nlu, texts)
    for text, ours, theirs in zip(texts, served, expected, strict=True):
        assert ours.keys() == theirs.keys(), text
        assert ours["text"] == theirs["text"]
        assert ours["entities"] == theirs["entities"]
        if not text.strip():
            assert ours == theirs
            continue
        assert ours.get("model_id") == theirs.get("model_id")
        left = {guess["name"]: guess["confidence"] for guess in ours["intent_ranking"]}
        right = {guess["name"]: guess["confidence"] for guess in theirs["intent_ranking"]}
        assert left == pytest.approx(right, abs=CLOSE), text
        assert ours["intent"] == ours["intent_ranking"][0]
        shares = list(left.values())
        assert shares == sorted(shares, reverse=True)


async def test_no_text_and_no_object_are_refused_not_answered(real_nlu: RealNlu) -> None:
    async with aiohttp.ClientSession() as http:
        for body in ({"text": 3}, {}, {"text": None}):
            async with http.post(f"{real_nlu.url}/model/parse", json=body) as answer:
                assert answer.status >= 400
        async with http.post(f"{real_nlu.url}/model/parse", json={"text": "你好"}) as answer:
            assert answer.status == 200
