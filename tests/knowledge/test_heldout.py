"""The gate: how often the right entry is found for questions that were written separately from the seed."""

import pytest

from bot.knowledge.evaluation import Asked, Report, evaluate, read_questions
from bot.knowledge.models import Entry
from bot.knowledge.retrieval import HybridRetriever
from bot.knowledge.wording import normalise
from bot.understanding.client import NluClient
from bot.understanding.embedding import HttpEmbedding

TOP_1, TOP_3, ANSWERED, WRONG_AT_MOST, NOT_FOUND_AT_MOST = 0.90, 0.97, 0.70, 0.05, 0.06
TOP_1_BY_WORDS, TOP_3_BY_WORDS = 0.84, 0.94
LEAST_EACH = 3

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _told(report: Report) -> str:
    outcomes = ", ".join(f"{kind} {report.share(kind):.3f}" for kind in ("answered", "asked_back", "not_found"))
    return f"top 1 {report.top_1:.3f}, top 3 {report.top_3:.3f}, wrong {report.wrongly_answered:.3f}, {outcomes}"


async def test_the_questions_are_not_in_the_seed(
    seed: list[Entry], questions: list[Asked], heldout: list[Asked]
) -> None:
    known = {normalise(text) for entry in seed for text in (entry.question, *entry.variants)}
    assert [asked.text for asked in (*questions, *heldout) if normalise(asked.text) in known] == []


async def test_there_are_enough_questions_for_every_entry_of_the_reference(
    seed: list[Entry], heldout: list[Asked]
) -> None:
    codes = [asked.code for asked in heldout]
    assert set(codes) <= {entry.code for entry in seed}
    assert len(set(codes)) >= 179
    assert min(codes.count(code) for code in set(codes)) >= LEAST_EACH


async def test_the_right_entry_is_found(
    seed: list[Entry], heldout: list[Asked], nlu: tuple[NluClient, HttpEmbedding]
) -> None:
    understanding, embedding = nlu
    report = await evaluate(seed, HybridRetriever(embedding), understanding, heldout)
    assert report.top_1 >= TOP_1, _told(report)
    assert report.top_3 >= TOP_3, _told(report)
    assert report.share("answered") >= ANSWERED, _told(report)
    assert report.wrongly_answered <= WRONG_AT_MOST, _told(report)
    assert report.share("not_found") <= NOT_FOUND_AT_MOST, _told(report)


async def test_the_right_entry_is_found_by_words_alone(
    seed: list[Entry], heldout: list[Asked], by_words: HybridRetriever
) -> None:
    report = await evaluate(seed, by_words, None, heldout)
    assert report.top_1 >= TOP_1_BY_WORDS, _told(report)
    assert report.top_3 >= TOP_3_BY_WORDS, _told(report)
    assert report.wrongly_answered <= WRONG_AT_MOST, _told(report)


async def test_a_question_with_two_right_answers_and_a_faulty_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("questions")
    good = folder / "good.yml"
    good.write_text("A01: [甲, {text: 乙, also: [A02]}]\n", encoding="utf-8")
    assert read_questions(good) == [Asked("A01", "甲"), Asked("A01", "乙", ("A02",))]
    for fault in ("- 甲\n", "A01: [3]\n", "A01: [{text: 甲, 乙, also: [A02]}]\n"):
        faulty = folder / "faulty.yml"
        faulty.write_text(fault, encoding="utf-8")
        with pytest.raises(ValueError, match=r"faulty\.yml"):
            read_questions(faulty)
