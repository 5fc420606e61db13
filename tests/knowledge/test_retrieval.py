"""Scoring entries: by words, by meaning, while an index is rebuilt, and while the encoder is away."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.knowledge.evaluation import questions_of
from bot.knowledge.left_out import left_out
from bot.knowledge.likeness import WITHOUT_MEANING as BY_WORDS
from bot.knowledge.likeness import QuestionSpace
from bot.knowledge.models import Entry
from bot.knowledge.ngrams import NgramSpace
from bot.knowledge.retrieval import EXACT, HybridRetriever
from bot.knowledge.rules import WITH_MEANING, Thresholds, clearly_best, rank
from bot.knowledge.rules import WITHOUT_MEANING as WORDS_ONLY
from bot.knowledge.scores import Scores
from bot.knowledge.seed import read_seed
from bot.knowledge.wording import fold_sound, normalise
from bot.understanding.embedding import Embedded
from tests.knowledge.conftest import ToyEmbedding

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
PETS = {"cat": ("猫怎么养", "小猫吃什么"), "dog": ("狗怎么遛", "小狗几点出门")}
TOPICS = {"猫怎么养": 0, "小猫吃什么": 0, "狗怎么遛": 1, "小狗几点出门": 1, "喵星人": 0}
COST_MS = 3.0


def _best(scores: Scores) -> str:
    return max(scores.by_code, key=lambda code: scores.by_code[code])


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(("code", "text"), MISHEARD)
async def test_what_was_misheard_is_found(by_words: HybridRetriever, code: str, text: str) -> None:
    assert _best(await by_words.scores(text)) == code


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("text", ELSEWHERE)
async def test_other_things_are_not_answered(by_words: HybridRetriever, text: str) -> None:
    scores = await by_words.scores(text)
    assert clearly_best(rank(scores.by_code, {}, {}), WORDS_ONLY) is None


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("text", ["", "？？？", "😀", "嘞嘛哈"])
async def test_nothing_said_finds_nothing(by_words: HybridRetriever, text: str) -> None:
    assert (await by_words.scores(text)).by_code == {}


@pytest.mark.asyncio(loop_scope="session")
async def test_every_question_of_the_seed_finds_its_own_entry(by_words: HybridRetriever, seed: list[Entry]) -> None:
    for entry in seed:
        scores = await by_words.scores(entry.question)
        assert (_best(scores), scores.by_code[entry.code]) == (entry.code, EXACT)


async def test_an_index_without_entries_finds_nothing() -> None:
    retriever = HybridRetriever(ToyEmbedding({}))
    assert (await retriever.scores("加班费")).by_code == {}
    await retriever.rebuild({})
    assert retriever.is_complete
    assert (await retriever.scores("加班费")).by_code == {}


async def test_meaning_finds_what_no_word_does() -> None:
    retriever = HybridRetriever(ToyEmbedding(TOPICS))
    await retriever.rebuild(PETS)
    scores = await retriever.scores("喵星人")
    assert scores.with_meaning
    assert scores.by_code["cat"] > scores.by_code["dog"] + WITH_MEANING.lead
    by_words = HybridRetriever()
    await by_words.rebuild(PETS)
    unaided = await by_words.scores("喵星人")
    assert not unaided.with_meaning
    assert unaided.by_code["cat"] == pytest.approx(unaided.by_code["dog"], abs=0.05), "the control: words cannot tell"


async def test_words_carry_on_while_the_encoder_is_away_and_meaning_comes_back() -> None:
    embedding = ToyEmbedding(TOPICS)
    retriever = HybridRetriever(embedding)
    await retriever.rebuild(PETS)
    embedding.is_away = True
    scores = await retriever.scores("猫怎么养呢")
    assert (_best(scores), scores.with_meaning) == ("cat", False)
    embedding.is_away = False
    assert (await retriever.scores("喵星人")).with_meaning


async def test_an_encoder_that_comes_late_completes_the_index() -> None:
    embedding = ToyEmbedding(TOPICS)
    embedding.is_away = True
    retriever = HybridRetriever(embedding)
    await retriever.rebuild(PETS)
    assert not retriever.is_complete
    assert _best(await retriever.scores("小狗出门")) == "dog"
    embedding.is_away = False
    await retriever.rebuild(PETS)
    assert retriever.is_complete


async def test_vectors_of_unchanged_questions_are_not_computed_again() -> None:
    embedding = ToyEmbedding(TOPICS)
    retriever = HybridRetriever(embedding)
    await retriever.rebuild(PETS)
    embedding.asked.clear()
    await retriever.rebuild({**PETS, "cat": ("猫怎么养", "喵星人")})
    assert embedding.asked == ["喵星人"]


async def test_another_encoder_makes_all_vectors_new() -> None:
    embedding = ToyEmbedding(TOPICS)
    retriever = HybridRetriever(embedding)
    await retriever.rebuild(PETS)
    embedding.encoder = "toy 2"
    assert not (await retriever.scores("喵星人")).with_meaning, "vectors of two encoders are never compared"
    assert not retriever.is_complete
    await retriever.rebuild(PETS)
    assert (await retriever.scores("喵星人")).with_meaning


async def test_the_old_index_answers_while_a_new_one_is_made() -> None:
    class Slow(ToyEmbedding):
        gate = asyncio.Event()

        async def vectors(self, texts: Sequence[str], budget_s: float) -> Embedded | None:
            if "鸟怎么飞" in texts:
                await self.gate.wait()
            return await super().vectors(texts, budget_s)

    retriever = HybridRetriever(Slow(TOPICS))
    await retriever.rebuild(PETS)
    rebuilding = asyncio.create_task(retriever.rebuild({**PETS, "bird": ("鸟怎么飞",)}))
    await asyncio.sleep(0)
    scores = await retriever.scores("喵星人")
    assert set(scores.by_code) == {"cat", "dog"}
    Slow.gate.set()
    await rebuilding
    assert set((await retriever.scores("喵星人")).by_code) == {"cat", "dog", "bird"}


def test_leaving_out_in_one_go_is_leaving_out_one_by_one() -> None:
    questions = {"a": ("加班费怎么算", "加班给多少钱"), "b": ("产假几天", "生孩子放几天假", "产假多久")}
    entries = [_entry(code, texts) for code, texts in questions.items()]
    found = left_out(entries, BY_WORDS, None, [{}] * 5)
    likeness = QuestionSpace(questions).own_likeness(BY_WORDS)
    truth = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]])
    usual = truth.mean(axis=0)
    for number, ranked in enumerate(found.ranked):
        kept = [other for other in range(5) if other != number]
        ridged = likeness[np.ix_(kept, kept)] + BY_WORDS.ridge * np.eye(4)
        expected = likeness[number, kept] @ np.linalg.solve(ridged, (truth - usual)[kept]) + usual
        by_code = {item.code: item.score for item in ranked}
        assert [by_code["a"], by_code["b"]] == pytest.approx(expected.tolist(), abs=1e-4)
    assert found.report(Thresholds(sure=0.0, lead=0.0, possible=0.0)).share("answered") == 1.0


def test_likeness_among_a_space_is_that_of_each_text() -> None:
    texts = ["加班费怎么算", "加班给多少钱", "产假几天", "加班费怎么算"] + [
        f"第{number}条怎么算" for number in range(60)
    ]
    space = NgramSpace(texts, "sounds")
    whole = space.own_likeness()
    assert np.allclose(whole, np.stack([space.likeness(text) for text in texts]), atol=1e-5)


@settings(max_examples=30)
@given(st.text(max_size=60))
def test_likeness_is_a_share(text: str) -> None:
    likeness = NgramSpace(["加班费怎么算", "产假几天"], "characters").likeness(text)
    assert ((likeness >= 0) & (likeness <= 1 + 1e-5)).all()


@pytest.mark.asyncio(loop_scope="session")
async def test_a_question_costs_little_beside_the_request(seed: list[Entry]) -> None:
    """The time this thread computes, so that other work on the machine says nothing."""
    rng = np.random.default_rng(1)

    class Quick:
        async def vectors(self, texts: Sequence[str], budget_s: float) -> Embedded | None:  # noqa: ARG002
            rows = rng.standard_normal((len(texts), 512)).astype(np.float32)
            return Embedded("quick", rows / np.linalg.norm(rows, axis=1, keepdims=True))

    retriever = HybridRetriever(Quick())
    await retriever.rebuild(questions_of(seed))
    took_ms = []
    for entry in seed:
        started = time.thread_time()
        await retriever.scores(entry.question + "麻烦说一下")
        took_ms.append((time.thread_time() - started) * 1000)
    assert statistics.median(took_ms) <= COST_MS


def test_a_misjudged_intent_does_not_hide_a_good_entry() -> None:
    intents = {"A04": ("faq_work_study",), "E12": ("faq_labour_law",)}
    ranked = rank({"A04": 0.2, "E12": 0.5}, intents, {"faq_work_study": 0.9, "faq_labour_law": 0.1})
    assert [item.code for item in ranked] == ["E12", "A04"]


def test_of_two_alike_the_likelier_intent_comes_first() -> None:
    intents = {"A04": ("faq_work_study",), "E12": ("faq_labour_law",)}
    scores = {"A04": 0.40, "E12": 0.41}
    assert rank(scores, intents, {})[0].code == "E12"
    assert rank(scores, intents, {"faq_work_study": 0.6, "faq_labour_law": 0.4})[0].code == "A04"


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


def _entry(code: str, texts: tuple[str, ...]) -> Entry:
    return replace(read_seed()[0], code=code, question=texts[0], variants=texts[1:])
