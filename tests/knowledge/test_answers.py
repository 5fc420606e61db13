"""Answering from entries that staff edit."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from bot.knowledge.entries import EntryTable
from bot.knowledge.errors import EntryChanged, NoSuchEntry
from bot.knowledge.models import Close, Entry, EntryStatus, Found, KnowledgeRevision, NotFound
from bot.knowledge.retrieval import NgramRetriever, Scored
from bot.knowledge.service import DEFAULT_RECHECK, KnowledgeService
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from bot.values.problem import Problem


class FixedRetriever:
    """Gives each entry the score it was told, whatever is asked, and counts how often it was built."""

    def __init__(self, scores: Mapping[str, float]) -> None:
        self.scores = dict(scores)
        self.built = 0

    def rebuild(self, questions: Mapping[str, Sequence[str]]) -> None:  # noqa: ARG002
        self.built += 1

    def nearest(self, text: str, *, limit: int, among: Collection[str]) -> list[Scored]:  # noqa: ARG002
        scored = [Scored(code, score) for code, score in self.scores.items() if code in among]
        return sorted(scored, key=lambda item: -item.score)[:limit]


def _service(entry_table: EntryTable, clock: MovedClock, **scores: float) -> KnowledgeService:
    return KnowledgeService(entry_table, clock, retriever=FixedRetriever(scores))


async def _edit(table: EntryTable, code: str, change: Callable[[Entry], Entry]) -> Entry:
    saved = await table.save(change(await table.get(code)), by="li")
    assert isinstance(saved, Entry)
    return saved


async def test_a_clear_question_is_answered(knowledge: KnowledgeService) -> None:
    found = await knowledge.answer_for("星期天加班工资怎么算")
    assert isinstance(found, Found)
    assert found.entry.code == "E12"
    assert "200%" in found.entry.answer
    assert found.entry.basis == "《劳动法》第44条"


async def test_something_else_is_not_answered(knowledge: KnowledgeService) -> None:
    assert await knowledge.answer_for("给我讲个笑话") == NotFound()


async def test_two_that_are_close_are_asked_back(entry_table: EntryTable, clock: MovedClock) -> None:
    answer = await _service(entry_table, clock, E11=0.60, E12=0.58, E10=0.4, E01=0.1).answer_for("加班")
    assert isinstance(answer, Close)
    assert [entry.code for entry in answer.entries] == ["E11", "E12", "E10"]


async def test_one_that_leads_answers(entry_table: EntryTable, clock: MovedClock) -> None:
    answer = await _service(entry_table, clock, E11=0.60, E12=0.50).answer_for("加班")
    assert isinstance(answer, Found)
    assert (answer.entry.code, answer.score) == ("E11", 0.60)


async def test_one_that_is_not_near_enough_is_only_offered(entry_table: EntryTable, clock: MovedClock) -> None:
    answer = await _service(entry_table, clock, E11=0.3).answer_for("加班")
    assert isinstance(answer, Close)
    assert await _service(entry_table, clock, E11=0.2).answer_for("加班") == NotFound()


async def test_a_draft_stays_unsaid_and_nothing_else_is_said(entry_table: EntryTable, clock: MovedClock) -> None:
    service = _service(entry_table, clock, I01=0.9, I02=0.5)
    assert await service.answer_for("产假好多天") == NotFound(unchecked="I01")
    offered = await _service(entry_table, clock, I01=0.5, I02=0.49).answer_for("产假好多天")
    assert isinstance(offered, Close)
    assert [entry.code for entry in offered.entries] == ["I02"]


async def test_a_draft_answers_once_it_is_published(
    knowledge: KnowledgeService, entry_table: EntryTable, clock: MovedClock
) -> None:
    assert await knowledge.answer_for("生娃产假放好多天") == NotFound(unchecked="I01")
    await _edit(entry_table, "I01", lambda entry: replace(entry, status=EntryStatus.PUBLISHED))
    clock.move(DEFAULT_RECHECK)
    assert isinstance(await knowledge.answer_for("生娃产假放好多天"), Found)


async def test_an_entry_answers_until_its_last_day(
    knowledge: KnowledgeService, entry_table: EntryTable, clock: MovedClock
) -> None:
    await _edit(entry_table, "E12", lambda entry: replace(entry, valid_until=date(2026, 6, 15)))
    assert isinstance(await knowledge.answer_for("加班费怎么算"), Found)
    assert await knowledge.entry("E12") is not None
    clock.move(timedelta(days=1))
    assert await knowledge.answer_for("加班费怎么算") == NotFound(unchecked="E12")
    assert await knowledge.entry("E12") is None


async def test_a_retired_entry_is_gone(knowledge: KnowledgeService, entry_table: EntryTable) -> None:
    await _edit(entry_table, "E12", lambda entry: replace(entry, status=EntryStatus.RETIRED))
    answer = await knowledge.answer_for("加班费怎么算")
    codes = [entry.code for entry in answer.entries] if isinstance(answer, Close) else []
    assert "E12" not in codes
    assert not isinstance(answer, Found)


async def test_the_intent_narrows_and_lets_go(entry_table: EntryTable, clock: MovedClock) -> None:
    near_both = _service(entry_table, clock, A04=0.5, E01=0.9)
    narrowed = await near_both.answer_for("工资", intent="faq_work_study")
    assert isinstance(narrowed, Found)
    assert narrowed.entry.code == "A04"
    far_from_the_intent = _service(entry_table, clock, A04=0.1, E01=0.9)
    let_go = await far_from_the_intent.answer_for("工资", intent="faq_work_study")
    assert isinstance(let_go, Found)
    assert let_go.entry.code == "E01"
    unknown = await near_both.answer_for("工资", intent="chitchat")
    assert isinstance(unknown, Found)
    assert unknown.entry.code == "E01"


async def test_an_edit_is_indexed_again_without_a_restart(
    knowledge: KnowledgeService, entry_table: EntryTable, clock: MovedClock
) -> None:
    assert isinstance(await knowledge.answer_for("打霜凌"), NotFound)
    await _edit(entry_table, "E01", lambda entry: replace(entry, variants=(*entry.variants, "打霜凌")))
    clock.move(DEFAULT_RECHECK)
    found = await knowledge.answer_for("打霜凌")
    assert isinstance(found, Found)
    assert found.entry.code == "E01"


async def test_the_index_is_built_once_while_nothing_changes(entry_table: EntryTable, clock: MovedClock) -> None:
    retriever = FixedRetriever({"E12": 0.9})
    service = KnowledgeService(entry_table, clock, retriever=retriever)
    await asyncio.gather(*(service.answer_for("加班") for _ in range(5)))
    clock.move(DEFAULT_RECHECK)
    await service.answer_for("加班")
    assert retriever.built == 1
    await _edit(entry_table, "E12", lambda entry: replace(entry, note="checked"))
    await service.answer_for("加班")
    assert retriever.built == 1, "within the recheck time nothing is looked up"
    await service.refresh(now=True)
    assert retriever.built == 2


async def test_editing_keeps_every_version(entry_table: EntryTable, database: Database) -> None:
    first = await entry_table.get("E12")
    saved = await _edit(entry_table, "E12", lambda entry: replace(entry, answer="有。平时150%。"))
    assert (first.version, saved.version) == (1, 2)
    async with database.reading() as session:
        kept = list(
            await session.scalars(
                select(KnowledgeRevision).where(KnowledgeRevision.code == "E12").order_by(KnowledgeRevision.version)
            )
        )
    assert [(revision.version, revision.by, revision.content["answer"]) for revision in kept] == [
        (1, "seed", first.answer),
        (2, "li", "有。平时150%。"),
    ]


async def test_of_two_editors_the_second_is_told(entry_table: EntryTable) -> None:
    seen = await entry_table.get("E12")
    await entry_table.save(replace(seen, note="first"), by="li")
    with pytest.raises(EntryChanged) as raised:
        await entry_table.save(replace(seen, note="second"), by="yang")
    assert raised.value.fields["version"] == 2


async def test_the_same_save_sent_twice_counts_once(entry_table: EntryTable) -> None:
    edited = replace(await entry_table.get("E12"), note="checked")
    assert await entry_table.save(edited, by="li") == await entry_table.save(edited, by="li")
    assert (await entry_table.get("E12")).version == 2


async def test_what_will_not_do_is_not_saved(entry_table: EntryTable) -> None:
    edited = replace(await entry_table.get("E12"), answer="字" * 81)
    assert isinstance(await entry_table.save(edited, by="li"), Problem)
    assert (await entry_table.get("E12")).version == 1
    with pytest.raises(NoSuchEntry):
        await entry_table.save(replace(edited, code="Z99"), by="li")
    with pytest.raises(NoSuchEntry):
        await entry_table.get("Z99")


async def test_seeding_again_leaves_what_people_edited(entry_table: EntryTable, seed: list[Entry]) -> None:
    await _edit(entry_table, "E12", lambda entry: replace(entry, note="checked"))
    assert await entry_table.seed(seed) == 0
    assert (await entry_table.get("E12")).note == "checked"
    assert len(await entry_table.entries(status=EntryStatus.DRAFT)) == 15


async def test_seeding_at_once_from_two_processes_adds_each_entry_once(
    database: Database, clock: MovedClock, seed: list[Entry]
) -> None:
    table = EntryTable(database, clock)
    added = await asyncio.gather(table.seed(seed), table.seed(seed))
    assert sorted(added) == [0, len(seed)]
    assert await table.counter() == 1


def test_the_retriever_in_use_keeps_the_promise() -> None:
    retriever = NgramRetriever()
    retriever.rebuild({"a": ["加班费怎么算"]})
    assert [item.code for item in retriever.nearest("加班费", limit=1, among={"a"})] == ["a"]
