"""A worker's own legal cases."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.legal.deadline_table import DeadlineTable, read_seed
from bot.legal.desk import LegalDesk
from bot.legal.errors import NoSuchTopic
from bot.legal.models import CaseChanges, CaseDraft, CaseEvidence, CaseStatus, ContactWay, LegalCase, Scope
from bot.legal.queue import LegalQueue
from bot.legal.service import Done, LegalService, NotYours, TooLate
from bot.legal.topics import TopicCatalogue
from bot.staff.audit import AuditTrail
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock

DRAFT = CaseDraft(
    openid="o-1",
    topic="W1",
    county="sinan",
    employer="某建筑劳务",
    people_count=3,
    contact_way=ContactWay.PHONE,
    name="冉启明",
    phone="13985600018",
    callback_times=("evening",),
    story="去年10月到12月的工钱没给",
    facts={"unpaid_period": "去年10月到12月", "employed": "no", "left_on": "2026-01-10"},
)


async def test_opening_gives_a_receipt_of_the_day(legal: LegalService) -> None:
    first = await legal.open_case(DRAFT, "k-1")
    second = await legal.open_case(DRAFT, "k-2")
    assert (first.receipt, second.receipt) == ("FL26-0615-0001", "FL26-0615-0002")
    assert (first.queue_position, second.queue_position) == (1, 2)


async def test_numbers_begin_anew_each_day(legal: LegalService, clock: MovedClock) -> None:
    await legal.open_case(DRAFT, "k-1")
    clock.move(timedelta(days=1))
    assert (await legal.open_case(DRAFT, "k-2")).receipt == "FL26-0616-0001"


async def test_the_same_key_opens_one_case(legal: LegalService) -> None:
    first = await legal.open_case(DRAFT, "k-1")
    repeated = await legal.open_case(replace(DRAFT, county="elsewhere"), "k-1")
    assert repeated == first
    assert len(await legal.cases_of("o-1")) == 1


async def test_the_same_key_many_times_at_once_opens_one_case(legal: LegalService) -> None:
    opened = await asyncio.gather(*(legal.open_case(DRAFT, "k-1") for _ in range(8)))
    assert len({case.receipt for case in opened}) == 1
    assert len(await legal.cases_of("o-1")) == 1


async def test_cases_at_once_get_different_receipts(legal: LegalService) -> None:
    opened = await asyncio.gather(*(legal.open_case(DRAFT, f"k-{number}") for number in range(12)))
    assert len({case.receipt for case in opened}) == 12


async def test_ten_people_are_a_group(legal: LegalService) -> None:
    nine = await legal.open_case(replace(DRAFT, people_count=9), "k-1")
    ten = await legal.open_case(replace(DRAFT, people_count=10), "k-2")
    assert (nine.group, ten.group) == (False, True)
    assert ten.queue_position == 1


async def test_a_near_deadline_makes_the_case_urgent(legal: LegalService) -> None:
    facts = {**DRAFT.facts, "award_received_on": "2026-06-05"}
    opened = await legal.open_case(replace(DRAFT, facts=facts), "k-1")
    assert opened.urgent
    assert opened.hints[0].code == "court_after_award"
    (case,) = await legal.cases_of("o-1")
    assert case.nearest_due_on == date(2026, 6, 20)


async def test_urgent_then_group_then_age(legal: LegalService, queue: LegalQueue) -> None:
    plain = await legal.open_case(DRAFT, "k-1")
    group = await legal.open_case(replace(DRAFT, people_count=23), "k-2")
    urgent = await legal.open_case(replace(DRAFT, facts={"known_deadline_on": "2026-06-17"}), "k-3")
    elsewhere = await legal.open_case(replace(DRAFT, county="dejiang"), "k-4")
    waiting = [case.receipt for case in await queue.waiting()]
    assert waiting == [urgent.receipt, group.receipt, plain.receipt, elsewhere.receipt]
    assert [case.receipt for case in await queue.waiting(county="dejiang")] == [elsewhere.receipt]
    repeated = await legal.open_case(DRAFT, "k-1")
    assert repeated.queue_position == 3
    assert (await legal.open_case(DRAFT, "k-4")).queue_position == 1, "the lawyers of another county take it"


async def test_a_worker_is_told_the_place_that_the_lawyers_see(
    legal: LegalService, queue: LegalQueue, database: Database, cipher: FieldCipher, clock: MovedClock
) -> None:
    desk = LegalDesk(database, cipher, clock, trail=AuditTrail(database, cipher, clock))
    told: dict[str, int] = {}
    # Both limits are months away, so neither case is urgent; the one that came last has the nearer limit.
    for number, left_on in enumerate(("2026-03-01", "2026-01-10", "2025-09-20", ""), start=1):
        facts = {**DRAFT.facts, "left_on": left_on} if left_on else {}
        opened = await legal.open_case(replace(DRAFT, facts=facts), f"k-{number}")
        assert not opened.urgent
        told[opened.receipt] = opened.queue_position
    await legal.open_case(replace(DRAFT, county="dejiang", people_count=30), "k-9")
    assert list(told.values()) == [1, 1, 1, 4], "each of the first three goes before those that came earlier"
    now = {receipt: (await legal.open_case(DRAFT, f"k-{key}")).queue_position for key, receipt in enumerate(told, 1)}
    seen = [case.receipt for case in (await desk.waiting(Scope(county=DRAFT.county))).cases]
    assert now == {receipt: place for place, receipt in enumerate(seen, start=1)}
    assert [case.receipt for case in await queue.waiting(county=DRAFT.county)] == seen


async def test_an_anonymous_case_keeps_no_name_but_the_phone(legal: LegalService) -> None:
    opened = await legal.open_case(replace(DRAFT, is_anonymous=True), "k-1")
    case = await legal.find(opened.receipt, "o-1")
    assert case is not None
    assert (case.name, case.phone) == ("", "13985600018")


async def test_a_case_is_opened_for_its_owner_only(legal: LegalService) -> None:
    opened = await legal.open_case(DRAFT, "k-1")
    mine = await legal.find(opened.receipt, "o-1")
    assert mine is not None
    assert (mine.name, mine.story, mine.facts) == (DRAFT.name, DRAFT.story, DRAFT.facts)
    assert await legal.find(opened.receipt, "o-2") is None
    assert await legal.find("FL26-0615-9999", "o-1") is None


async def test_an_unknown_topic_is_refused(legal: LegalService) -> None:
    with pytest.raises(NoSuchTopic):
        await legal.open_case(replace(DRAFT, topic="W99"), "k-1")


async def test_changes_are_merged_and_marked_anew(legal: LegalService, queue: LegalQueue) -> None:
    opened = await legal.open_case(DRAFT, "k-1")
    changes = CaseChanges(topic="W4", people_count=12, phone="13985600019", facts={"known_deadline_on": "2026-06-16"})
    assert isinstance(await legal.change(opened.receipt, "o-1", changes, "k-2"), Done)
    case = await legal.find(opened.receipt, "o-1")
    assert case is not None
    assert case.facts == {**DRAFT.facts, "known_deadline_on": "2026-06-16"}
    assert (case.phone, case.name, case.story) == ("13985600019", DRAFT.name, DRAFT.story)
    assert (case.summary.topic, case.summary.is_group, case.summary.is_urgent) == ("W4", True, True)
    history = await queue.history(opened.receipt)
    assert [entry.action for entry in history] == ["open", "change"]
    assert set(history[1].changed) == {"topic", "people_count", "phone", "facts"}


async def test_every_repeated_write_counts_once(legal: LegalService, queue: LegalQueue, database: Database) -> None:
    receipt = (await legal.open_case(DRAFT, "k-1")).receipt
    for _ in range(2):
        await legal.add_evidence(receipt, "o-1", "k-2", kind="image", file_ref="evidence/a.jpg")
        await legal.change(receipt, "o-1", CaseChanges(county="dejiang"), "k-3")
        assert isinstance(await legal.cancel(receipt, "o-1", "k-4"), Done)
    assert [entry.action for entry in await queue.history(receipt)] == ["open", "evidence", "change", "cancel"]
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(CaseEvidence)) == 1


async def test_nothing_of_somebody_elses_case_can_be_touched(legal: LegalService) -> None:
    receipt = (await legal.open_case(DRAFT, "k-1")).receipt
    assert await legal.cancel(receipt, "o-2", "k-2") == NotYours()
    assert await legal.change(receipt, "o-2", CaseChanges(county="x"), "k-3") == NotYours()
    assert await legal.add_evidence(receipt, "o-2", "k-4", kind="note", text="x") == NotYours()
    (case,) = await legal.cases_of("o-1")
    assert (case.status, case.county) == (CaseStatus.PENDING, "sinan")


async def test_a_finished_case_stays_as_it_is(legal: LegalService, queue: LegalQueue) -> None:
    receipt = (await legal.open_case(DRAFT, "k-1")).receipt
    await queue.assign(receipt, "lawyer-yang", Scope(), by="admin")
    await queue.note_attempt(receipt, Scope(), by="lawyer-yang", reached=True)
    await queue.move(
        receipt, CaseStatus.COMPLETED, Scope(), by="lawyer-yang", reason="advised", outcome="oral_advice"
    )
    assert await legal.cancel(receipt, "o-1", "k-2") == TooLate(CaseStatus.COMPLETED)
    assert await legal.add_evidence(receipt, "o-1", "k-3", kind="note", text="x") == TooLate(CaseStatus.COMPLETED)


async def test_what_a_worker_adds_sends_a_returned_case_back(legal: LegalService, queue: LegalQueue) -> None:
    receipt = (await legal.open_case(DRAFT, "k-1")).receipt
    await queue.assign(receipt, "lawyer-yang", Scope(), by="admin")
    await queue.move(receipt, CaseStatus.RETURNED, Scope(), by="lawyer-yang", reason="evidence_missing")
    done = await legal.add_evidence(receipt, "o-1", "k-2", kind="image", file_ref="evidence/b.jpg")
    assert isinstance(done, Done)
    assert done.case.status is CaseStatus.ASSIGNED


async def test_days_going_by_make_a_case_urgent(legal: LegalService, queue: LegalQueue, clock: MovedClock) -> None:
    await legal.open_case(replace(DRAFT, facts={"award_received_on": "2026-06-14"}), "k-1")
    assert await legal.refresh_urgency() == 0
    clock.move(timedelta(days=7))
    assert await legal.refresh_urgency() == 1
    assert await legal.refresh_urgency() == 0
    (case,) = await queue.waiting()
    assert case.is_urgent


async def test_the_database_file_holds_nothing_personal_in_plain(
    sqlite_url: str, cipher: FieldCipher, clock: MovedClock, topics: TopicCatalogue
) -> None:
    database = Database(sqlite_url)
    table = DeadlineTable(database)
    await table.seed(read_seed())
    legal = LegalService(database, cipher, clock, topics=topics, deadline_table=table)
    opened = await legal.open_case(DRAFT, "k-1")
    await legal.add_evidence(opened.receipt, "o-1", "k-2", kind="note", text="录音里他承认了")
    await legal.change(opened.receipt, "o-1", CaseChanges(phone="13985600019", name="冉启亮"), "k-3")
    await database.close()
    stored = b"".join(path.read_bytes() for path in Path(sqlite_url.split("///")[1]).parent.glob("records.db*"))
    assert opened.receipt.encode() in stored, "the control: unsealed values are found by this search"
    personal = (DRAFT.name, DRAFT.phone, DRAFT.story, "去年10月到12月", "录音里他承认了", "13985600019", "冉启亮")
    assert [text for text in personal if text.encode() in stored] == []


async def _open_after_a_look(database: Database, legal: LegalService, key: str, attempt: int) -> None:
    """What registering would be without the unique key: look whether the message was seen, then register."""
    async with database.reading() as session:
        known = await session.scalar(select(LegalCase.id).where(LegalCase.idempotency_key.startswith(key)))
    if known is None:
        await legal.open_case(DRAFT, f"{key}/{attempt}")


async def test_the_control_that_only_looks_first_opens_several(legal: LegalService, database: Database) -> None:
    await asyncio.gather(*(_open_after_a_look(database, legal, "k-1", attempt) for attempt in range(8)))
    assert len(await legal.cases_of("o-1")) > 1
