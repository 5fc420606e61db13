"""How often the right entry is found, on questions that are not in the seed."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.knowledge.models import Entry
from bot.knowledge.retrieval import NgramRetriever
from bot.knowledge.rules import Thresholds, clearly_nearest
from bot.knowledge.wording import fold_sound, normalise

TOP_1 = 0.90
TOP_3 = 0.98
WRONG_AT_MOST = 0.02

MISHEARD = [
    ("A04", "青工检学补贴好多"),
    ("A08", "两岩筛茶哪些人能做"),
    ("C04", "医疗护助怎么报"),
    ("C06", "消费卷用不了"),
    ("D03", "一直不签何同怎么办"),
    ("E02", "老板托欠公资第一步怎么办"),
    ("G08", "单位不交公基金"),
    ("J01", "年休架有几天"),
]
ELSEWHERE = ["今天天气怎么样", "我想吃火锅", "给我讲个笑话", "公交车几点收班", "世界杯谁赢了", "驾照到期怎么换"]


@pytest.fixture(scope="module")
def questions() -> list[tuple[str, str]]:
    rows = yaml.safe_load(Path(__file__).with_name("questions.yml").read_text(encoding="utf-8"))
    return [(code, text) for code, texts in rows.items() for text in texts]


@pytest.fixture(scope="module")
def codes(seed: list[Entry]) -> set[str]:
    return {entry.code for entry in seed}


@pytest.fixture(scope="module")
def retriever(seed: list[Entry]) -> NgramRetriever:
    retriever = NgramRetriever()
    retriever.rebuild({entry.code: (entry.question, *entry.variants) for entry in seed})
    return retriever


def test_the_questions_are_not_in_the_seed(seed: list[Entry], questions: list[tuple[str, str]]) -> None:
    known = {normalise(text) for entry in seed for text in (entry.question, *entry.variants)}
    assert [text for _, text in questions if normalise(text) in known] == []
    assert {code for code, _ in questions} == {entry.code for entry in seed}


def test_the_right_entry_is_mostly_first_and_nearly_always_among_three(
    retriever: NgramRetriever, questions: list[tuple[str, str]], codes: set[str]
) -> None:
    ranked = [
        (code, [item.code for item in retriever.nearest(text, limit=3, among=codes)]) for code, text in questions
    ]
    first = sum(found[:1] == [code] for code, found in ranked) / len(ranked)
    among_three = sum(code in found for code, found in ranked) / len(ranked)
    assert (first >= TOP_1, among_three >= TOP_3) == (True, True), f"top 1: {first:.3f}, top 3: {among_three:.3f}"


def test_a_wrong_entry_is_rarely_said(
    retriever: NgramRetriever, questions: list[tuple[str, str]], codes: set[str]
) -> None:
    wrong = [
        (code, clear.code, text)
        for code, text in questions
        if (clear := clearly_nearest(retriever.nearest(text, limit=3, among=codes), Thresholds())) is not None
        and clear.code != code
    ]
    assert len(wrong) / len(questions) <= WRONG_AT_MOST, wrong


@pytest.mark.parametrize(("code", "text"), MISHEARD)
def test_what_was_misheard_is_found(retriever: NgramRetriever, codes: set[str], code: str, text: str) -> None:
    assert [item.code for item in retriever.nearest(text, limit=1, among=codes)] == [code]


@pytest.mark.parametrize("text", ELSEWHERE)
def test_other_things_are_not_answered(retriever: NgramRetriever, codes: set[str], text: str) -> None:
    assert clearly_nearest(retriever.nearest(text, limit=3, among=codes), Thresholds()) is None


def test_narrowing_looks_at_those_only(retriever: NgramRetriever) -> None:
    found = retriever.nearest("加班费怎么算", limit=5, among={"E11", "A01"})
    assert found[0].code == "E11"
    assert {item.code for item in found} <= {"E11", "A01"}


@pytest.mark.parametrize("text", ["", "？？？", "😀", "嘞嘛哈"])
def test_nothing_said_finds_nothing(retriever: NgramRetriever, codes: set[str], text: str) -> None:
    assert retriever.nearest(text, limit=3, among=codes) == []


def test_an_index_without_entries_finds_nothing() -> None:
    retriever = NgramRetriever()
    retriever.rebuild({})
    assert retriever.nearest("加班费", limit=3, among={"E12"}) == []


@given(st.text(max_size=60))
def test_scores_are_shares_in_order(text: str) -> None:
    retriever = NgramRetriever()
    retriever.rebuild({"a": ["加班费怎么算"], "b": ["产假几天", text]})
    scores = [item.score for item in retriever.nearest(text, limit=9, among={"a", "b"})]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 + 1e-9 for score in scores)


@pytest.mark.parametrize(
    ("spoken", "standard"),
    [
        ("加班咋整", "加班怎么办"),
        ("Ｎ＋１是啥子", "n1是什么"),
        ("工钱 没得 嘞！", "工资没有"),
        ("屋头的娃儿", "家里孩子"),
    ],
)
def test_dialect_and_width_are_brought_to_one_form(spoken: str, standard: str) -> None:
    assert normalise(spoken) == normalise(standard)


@pytest.mark.parametrize(
    ("one", "other"),
    [("zhi", "zi"), ("chai", "cai"), ("shang", "san"), ("nan", "lan"), ("hua", "fa"), ("ying", "yin")],
)
def test_sounds_that_are_mixed_up_here_are_one(one: str, other: str) -> None:
    assert fold_sound(one) == fold_sound(other)
