"""Answering from entries that staff edit."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from bot.knowledge.entries import EntryTable
from bot.knowledge.errors import EntryChanged, NoSuchEntry
from bot.knowledge.models import Close, Entry, EntryStatus, Found, KnowledgeRevision, NotFound
from bot.knowledge.retrieval import HybridRetriever
from bot.knowledge.rules import WITH_MEANING
from bot.knowledge.scores import Scores
from bot.knowledge.service import DEFAULT_RECHECK, KnowledgeService
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from bot.values.problem import Problem


class FixedRetriever:
    """Gives each entry the score it was told, whatever is asked, and counts how often it was built."""

    def __init__(self, scores: Mapping[str, float]) -> None:
        self._scores = dict(scores)
        self.built = 0
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def is_complete(self) -> bool:
        return self.built > 0

    async def rebuild(self, questions: Mapping[str, Sequence[str]]) -> None:  # noqa: ARG002
        await self.gate.wait()
        self.built += 1

    async def scores(self, text: str) -> Scores:  # noqa: ARG002
        return Scores(self._scores, with_meaning=True)


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
    answer = await _service(entry_table, clock, E11=0.60, E12=0.58, E10=0.4, E01=0.01).answer_for("加班")
    assert isinstance(answer, Close)
    assert [entry.code for entry in answer.entries] == ["E11", "E12", "E10"]


async def test_one_that_leads_answers(entry_table: EntryTable, clock: MovedClock) -> None:
    answer = await _service(entry_table, clock, E11=0.60, E12=0.59 - WITH_MEANING.lead).answer_for("加班")
    assert isinstance(answer, Found)
    assert (answer.entry.code, answer.score) == ("E11", 0.60)


async def test_one_that_is_not_near_enough_is_only_offered(entry_table: EntryTable, clock: MovedClock) -> None:
    answer = await _service(entry_table, clock, E11=WITH_MEANING.sure - 0.01).answer_for("加班")
    assert isinstance(answer, Close)
    far = _service(entry_table, clock, E11=WITH_MEANING.possible - 0.01)
    assert await far.answer_for("加班") == NotFound()


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


async def test_the_likelier_intent_comes_first_but_hides_nothing(entry_table: EntryTable, clock: MovedClock) -> None:
    alike = _service(entry_table, clock, A04=0.45, E01=0.46)
    found = await alike.answer_for("工资", chances={"faq_work_study": 0.97})
    assert isinstance(found, Found)
    assert found.entry.code == "A04"
    misjudged = await _service(entry_table, clock, A04=0.1, E01=0.9).answer_for(
        "工资", chances={"faq_work_study": 1.0}
    )
    assert isinstance(misjudged, Found)
    assert misjudged.entry.code == "E01"


async def test_an_edit_is_indexed_again_without_a_restart(entry_table: EntryTable, clock: MovedClock) -> None:
    async with _indexed(entry_table, clock) as service:
        assert not isinstance(await service.answer_for("打霜凌"), Found)
        await _edit(entry_table, "E01", lambda entry: replace(entry, variants=(*entry.variants, "打霜凌")))
        clock.move(DEFAULT_RECHECK)
        await service.refresh(now=True)
        found = await service.answer_for("打霜凌")
        assert isinstance(found, Found)
        assert found.entry.code == "E01"


@asynccontextmanager
async def _indexed(table: EntryTable, clock: MovedClock) -> AsyncIterator[KnowledgeService]:
    """A service with an index of its own, over a few entries so that it is quick."""
    for entry in await table.entries():
        if entry.code not in {"E01", "E12", "A01"}:
            await table.retire(entry.code, entry.version, by="li")
    service = KnowledgeService(table, clock, retriever=HybridRetriever())
    yield service
    await service.close()


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


async def test_a_turn_does_not_wait_for_the_new_index(entry_table: EntryTable, clock: MovedClock) -> None:
    retriever = FixedRetriever({"E12": 0.9})
    service = KnowledgeService(entry_table, clock, retriever=retriever)
    await service.answer_for("加班")
    retriever.gate.clear()
    await _edit(entry_table, "E12", lambda entry: replace(entry, answer="有。平时150%。"))
    clock.move(DEFAULT_RECHECK)
    found = await asyncio.wait_for(service.answer_for("加班"), timeout=30)
    assert isinstance(found, Found)
    assert found.entry.answer == "有。平时150%。", "the words are the new ones at once"
    assert retriever.built == 1
    retriever.gate.set()
    await service.refresh(now=True)
    assert retriever.built == 2


async def test_an_index_that_fails_leaves_the_old_one(entry_table: EntryTable, clock: MovedClock) -> None:
    class Failing(FixedRetriever):
        async def rebuild(self, questions: Mapping[str, Sequence[str]]) -> None:
            if self.built:
                raise MemoryError
            await super().rebuild(questions)

    service = KnowledgeService(entry_table, clock, retriever=Failing({"E12": 0.9}))
    await service.answer_for("加班")
    await _edit(entry_table, "E12", lambda entry: replace(entry, note="checked"))
    await service.refresh(now=True)
    assert isinstance(await service.answer_for("加班"), Found)


async def test_what_was_seeded_later_is_found(database: Database, clock: MovedClock, seed: list[Entry]) -> None:
    table = EntryTable(database, clock)
    service = KnowledgeService(table, clock, retriever=FixedRetriever({"E12": 0.9}))
    assert await service.answer_for("加班") == NotFound()
    await table.seed(seed)
    assert isinstance(await service.answer_for("加班"), Found), "an empty table is looked at each time"


async def test_staff_write_a_new_entry(entry_table: EntryTable, seed: list[Entry]) -> None:
    code = await entry_table.free_code("K")
    assert code == "K19"
    entry = replace(seed[-1], code=code, question="仲裁能不能调解", variants=("仲裁前可以调解吗",), version=7)
    created = await entry_table.create(entry, by="li")
    assert isinstance(created, Entry)
    assert created.version == 1
    assert await entry_table.create(entry, by="li") == created, "sent twice it counts once"
    taken = await entry_table.create(replace(entry, question="别的问题"), by="li")
    assert taken == Problem("knowledge.code_taken", {"code": "K19"})
    assert isinstance(await entry_table.create(replace(entry, code="K20", answer=""), by="li"), Problem)
    assert (await entry_table.get("K19")).question == "仲裁能不能调解"


async def test_staff_publish_and_retire(entry_table: EntryTable, clock: MovedClock) -> None:
    draft = await entry_table.get("I01")
    published = await entry_table.publish("I01", draft.version, by="li")
    assert isinstance(published, Entry)
    assert (published.status, published.note, published.version) == (EntryStatus.PUBLISHED, "", 2)
    with pytest.raises(EntryChanged):
        await entry_table.retire("I01", draft.version, by="yang")
    retired = await entry_table.retire("I01", published.version, by="yang")
    assert isinstance(retired, Entry)
    assert retired.status is EntryStatus.RETIRED
    over = replace(retired, valid_until=clock.now().date() - timedelta(days=1))
    saved = await entry_table.save(over, by="yang")
    assert isinstance(saved, Entry)
    assert await entry_table.publish("I01", saved.version, by="yang") == Problem("knowledge.already_over")


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


async def test_a_newer_seed_renews_what_nobody_edited(entry_table: EntryTable, seed: list[Entry]) -> None:
    await _edit(entry_table, "E12", lambda entry: replace(entry, note="checked"))
    newer = [replace(entry, variants=(*entry.variants, f"新问法{entry.code}")) for entry in seed]
    counter = await entry_table.counter()
    assert await entry_table.seed(newer) == len(seed) - 1
    assert await entry_table.counter() == counter + 1
    renewed = await entry_table.get("E11")
    assert (renewed.variants[-1], renewed.version) == ("新问法E11", 2)
    assert "新问法E12" not in (await entry_table.get("E12")).variants
    assert await entry_table.seed(newer) == 0


async def test_seeding_at_once_from_two_processes_adds_each_entry_once(
    database: Database, clock: MovedClock, seed: list[Entry]
) -> None:
    table = EntryTable(database, clock)
    added = await asyncio.gather(table.seed(seed), table.seed(seed))
    assert sorted(added) == [0, len(seed)]
    assert await table.counter() == 1


@pytest.mark.parametrize(("text", "intent"), [("年假", "faq_labour_law"), ("今天好热", None), ("想你了", None)])
async def test_only_what_is_near_to_a_question_is_recognised(
    knowledge: KnowledgeService, text: str, intent: str | None
) -> None:
    assert await knowledge.recognised_as(text) == intent


async def test_a_draft_is_not_recognised(entry_table: EntryTable, clock: MovedClock) -> None:
    service = _service(entry_table, clock, E12=0.9)
    assert await service.recognised_as("加班") == "faq_labour_law"
    await _edit(entry_table, "E12", lambda entry: replace(entry, status=EntryStatus.DRAFT))
    await service.refresh(now=True)
    assert await service.recognised_as("加班") is None
