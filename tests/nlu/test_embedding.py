"""Vectors of texts over HTTP."""

import base64
import math
import struct
from collections.abc import Sequence

import aiohttp
import pytest

from tests.nlu.conftest import RealNlu

DIMENSIONS = 512
pytestmark = pytest.mark.xdist_group("nlu")


async def ask(nlu: RealNlu, body: object) -> tuple[int, dict[str, object]]:
    async with aiohttp.ClientSession() as http, http.post(f"{nlu.url}/model/embed", json=body) as answer:
        told: dict[str, object] = await answer.json()
        return answer.status, told


async def vectors(nlu: RealNlu, texts: Sequence[str]) -> list[tuple[float, ...]]:
    status, answer = await ask(nlu, {"texts": list(texts)})
    assert status == 200
    assert answer["dimensions"] == DIMENSIONS
    rows = answer["vectors"]
    assert isinstance(rows, list)
    return [struct.unpack(f"<{DIMENSIONS}f", base64.b64decode(row)) for row in rows]


def likeness(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(one * other for one, other in zip(left, right, strict=True))


async def test_a_text_is_nearer_to_its_paraphrase_than_to_another_subject(real_nlu: RealNlu) -> None:
    one, paraphrase, other = await vectors(real_nlu, ["怎么加入工会", "我想入会怎么办", "今天天气真好"])
    assert likeness(one, one) == pytest.approx(1.0, abs=1e-4)
    assert likeness(one, paraphrase) > likeness(one, other) + 0.1


async def test_spelling_does_not_matter_and_order_is_kept(real_nlu: RealNlu) -> None:
    wide, plain, other = await vectors(real_nlu, ["ＡＰＰ 打不开", "app打不开", "取消报名"])
    assert wide == plain
    assert plain != other


async def test_a_vector_is_the_same_alone_and_in_company(real_nlu: RealNlu) -> None:
    texts = [f"第{number}个问题:工会有{number}种补贴吗" for number in range(300)]
    together = await vectors(real_nlu, texts)
    assert len(together) == len(texts)
    fresh = [f"{text}呢" for text in texts[:5]]
    alone = [(await vectors(real_nlu, [text]))[0] for text in fresh]
    company = await vectors(real_nlu, [text + "。" for text in texts[:40]] + fresh)
    for left, right in zip(alone, company[-5:], strict=True):
        assert math.dist(left, right) < 1e-4


async def test_the_encoder_is_named(real_nlu: RealNlu) -> None:
    (_, first), (_, second) = await ask(real_nlu, {"texts": ["甲"]}), await ask(real_nlu, {"texts": ["乙"]})
    assert first["encoder"] == second["encoder"]
    assert first["encoder"]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"texts": []}, "1 to 512"),
        ({"texts": ["字"] * 513}, "1 to 512"),
        ({"texts": ["好", "字" * 601]}, "texts[1]"),
        ({"texts": "好"}, "list of strings"),
        ({"texts": [3]}, "list of strings"),
        ({"text": "好"}, "list of strings"),
        (["好"], "list of strings"),
    ],
)
async def test_a_wrong_body_is_refused_in_clear_words(real_nlu: RealNlu, body: object, complaint: str) -> None:
    status, answer = await ask(real_nlu, body)
    assert status == 400
    assert complaint in str(answer["message"])
    assert "字字" not in str(answer)


@pytest.mark.parametrize("text", ["", " ", "。", "🙏", "a" * 600, "\u0000", "\ud7ff"])
async def test_odd_texts_have_vectors_too(real_nlu: RealNlu, text: str) -> None:
    (vector,) = await vectors(real_nlu, [text])
    assert all(math.isfinite(value) for value in vector)
