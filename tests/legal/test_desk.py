"""Cases as staff see them: within their scope, with notes, conflict checks and figures."""

import asyncio
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import insert, text

from bot.legal.conflicts import compared, core_of
from bot.legal.desk import LegalDesk
from bot.legal.errors import NoSuchCase, TransitionRefused
from bot.legal.models import CaseDraft, CaseFilter, CaseStatus, Conflict, LegalCase, QueueEnd, Scope
from bot.legal.personal_data import LegalData
from bot.legal.queue import LegalQueue
from bot.legal.rules import waiting_rank
from bot.legal.service import LegalService
from bot.legal.statistics import OTHERS, Count, LegalStatistics, merged
from bot.staff.audit import AuditTrail
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.support.statements import plan_of, reads_whole_table, recorded_statements

SONGTAO, SINAN = "520628", "520624"
EVERYWHERE = Scope()


@pytest.fixture
def trail(database: Database, cipher: FieldCipher, clock: MovedClock) -> AuditTrail:
    return AuditTrail(database, cipher, clock)


@pytest.fixture
def desk(database: Database, cipher: FieldCipher, clock: MovedClock, trail: AuditTrail) -> LegalDesk:
    return LegalDesk(database, cipher, clock, trail=trail)


async def _open(legal: LegalService, key: str, county: str = SONGTAO, **more: object) -> str:
    draft = CaseDraft(openid=f"o-{key}", topic="W1", county=county, **more)  # type: ignore[arg-type] # Fields of its own.
    return (await legal.open_case(draft, key)).receipt


@pytest.mark.parametrize(
    ("employer", "core"),
    [
        ("贵州铜仁鸿运建筑劳务有限公司", "鸿运"),
        ("铜仁市碧江区鸿运劳务公司", "鸿运"),
        ("贵州省铜仁市松桃县苗岭物业服务有限责任公司", "苗岭"),
        ("建筑公司", "建筑"),
        ("老王", "老王"),
    ],
)
def test_what_tells_an_employer_apart(employer: str, core: str) -> None:
    assert core_of(employer) == core


@pytest.mark.parametrize(
    ("employer", "clients", "found"),
    [
        ("铜仁鸿运建筑公司", ["贵州鸿运劳务有限公司"], Conflict.CONFLICT),
        ("鸿运达建筑公司", ["贵州鸿运劳务有限公司"], Conflict.POSSIBLE),
        ("苗岭物业", ["贵州鸿运劳务有限公司"], Conflict.CLEAR),
        ("苗岭物业", [], Conflict.CLEAR),
        ("", ["贵州鸿运劳务有限公司"], Conflict.UNKNOWN),
    ],
)
def test_employers_are_compared_by_what_tells_them_apart(employer: str, clients: list[str], found: Conflict) -> None:
    assert compared(employer, clients) is found


async def test_a_case_out_of_scope_is_not_there(desk: LegalDesk, queue: LegalQueue, legal: LegalService) -> None:
    receipt = await _open(legal, "k-1", phone="13800000000", employer="鸿运建筑")
    await queue.assign(receipt, "yang", EVERYWHERE, by="yang")
    for scope in (Scope(county=SINAN), Scope(lawyer="tian"), Scope(county=SINAN, lawyer="yang")):
        for call in (
            desk.case(receipt, scope),
            desk.notes(receipt, scope),
            desk.evidence(receipt, scope),
            desk.checks(receipt, scope),
            desk.conflict(receipt, "tian", scope),
            desk.reveal(receipt, "phone", scope, by="tian", reason="看看电话", source=""),
            desk.add_note(receipt, scope, "x", by="tian", source="", key="1"),
        ):
            with pytest.raises(NoSuchCase):
                await call
        assert (await desk.cases(scope, CaseFilter())).cases == ()
    assert (await desk.case(receipt, Scope(lawyer="yang"))).phone == "13800000000"


async def test_the_queue_is_in_the_order_of_need_and_narrowed_by_county(desk: LegalDesk, legal: LegalService) -> None:
    plain = await _open(legal, "k-1")
    group = await _open(legal, "k-2", people_count=23)
    urgent = await _open(legal, "k-3", facts={"award_received_on": "2026-06-05"})
    await _open(legal, "k-4", county=SINAN)
    waiting = await desk.waiting(Scope(county=SONGTAO))
    assert [case.receipt for case in waiting.cases] == [urgent, group, plain]
    assert await desk.counts(Scope(county=SONGTAO)) == (3, 1)


async def test_the_queue_is_paged_in_its_order_and_counted(desk: LegalDesk, legal: LegalService) -> None:
    plain = [await _open(legal, f"p-{number}") for number in range(3)]
    later = await _open(legal, "d-1", facts={"left_on": "2026-05-01"})
    sooner = await _open(legal, "d-2", facts={"left_on": "2026-01-10"})
    group = await _open(legal, "g-1", people_count=23)
    group_with_limit = await _open(legal, "g-2", people_count=23, facts={"left_on": "2026-04-01"})
    urgent = await _open(legal, "u-1", facts={"award_received_on": "2026-06-05"})
    await _open(legal, "else-1", county=SINAN)
    seen, after = [], None
    for size in (3, 3, 2):
        page = await desk.waiting(Scope(county=SONGTAO), after=after, limit=3)
        assert (len(page.cases), page.total) == (size, 8)
        seen += [case.receipt for case in page.cases]
        after = None if page.after is None else QueueEnd.read(str(page.after))
    assert after is None
    assert seen == [urgent, group_with_limit, group, sooner, later, *plain]
    assert (await desk.waiting(EVERYWHERE)).total == 9


async def test_a_case_moves_in_the_queue_when_it_becomes_urgent(
    desk: LegalDesk, legal: LegalService, clock: MovedClock
) -> None:
    first = await _open(legal, "k-1")
    soon_due = await _open(legal, "k-2", facts={"award_received_on": "2026-06-12"})
    clock.move(timedelta(days=9))
    await legal.refresh_urgency()
    assert [case.receipt for case in (await desk.waiting(EVERYWHERE)).cases] == [soon_due, first]


@pytest.mark.parametrize("written", ["", "x", "1", "1-", "-1", "1-2-3", "１-2", "9999999999-1", "1-9999999999"])
def test_what_is_no_end_of_a_page_begins_at_the_top(written: str) -> None:
    assert QueueEnd.read(written) is None


@pytest.mark.parametrize("county", [None, SONGTAO], ids=["everywhere", "in a county"])
async def test_a_page_of_the_queue_walks_along_an_index(
    database: Database, desk: LegalDesk, clock: MovedClock, county: str | None
) -> None:
    await _crowd(database, clock, 4_000)
    scope = Scope(county=county)
    first = await desk.waiting(scope)
    with recorded_statements(database) as statements:
        page = await desk.waiting(scope, after=first.after)
    assert (len(page.cases), len(statements)) == (50, 2)
    plan = await plan_of(database, statements[0])
    assert "waiting" in plan, plan
    assert "Sort" not in plan, plan
    assert "TEMP B-TREE" not in plan, plan
    assert not reads_whole_table(await plan_of(database, statements[1]), "legal_cases")


async def _crowd(database: Database, clock: MovedClock, count: int) -> None:
    """Store cases of three counties, of which one in eight waits."""
    now = clock.now()
    rows = [
        {
            "receipt": f"FL-{number}",
            "openid": f"o-{number}",
            "idempotency_key": f"crowd-{number}",
            "status": CaseStatus.PENDING.value if number % 8 == 0 else CaseStatus.COMPLETED.value,
            "topic": "W1",
            "topic_source": "chosen",
            "county": (SONGTAO, SINAN, "520622")[number // 8 % 3],
            "facts_sealed": b"",
            "waiting_rank": waiting_rank(
                now.date() + timedelta(days=number % 300), urgent=number % 50 == 0, group=number % 7 == 0
            ),
            "created_at": now,
            "updated_at": now,
        }
        for number in range(count)
    ]
    async with database.connection() as connection:
        await connection.execute(insert(LegalCase), rows)
    async with database.connection() as connection:
        await connection.execute(text("ANALYZE"))


async def test_lists_go_on_where_they_stopped(desk: LegalDesk, legal: LegalService) -> None:
    receipts = [await _open(legal, f"k-{number}") for number in range(5)]
    first = await desk.cases(Scope(), CaseFilter(), limit=2)
    second = await desk.cases(Scope(), CaseFilter(), limit=2, after=first.after)
    third = await desk.cases(Scope(), CaseFilter(), limit=2, after=second.after)
    seen = [case.receipt for page in (first, second, third) for case in page.cases]
    assert seen == receipts[::-1]
    assert third.after is None
    assert [c.receipt for c in (await desk.cases(Scope(), CaseFilter(receipt=receipts[2]))).cases] == [receipts[2]]


async def test_what_is_shown_in_full_leaves_a_row(desk: LegalDesk, legal: LegalService, trail: AuditTrail) -> None:
    receipt = await _open(legal, "k-1", phone="13800000000", name="杨明")
    shown = await desk.reveal(receipt, "name", Scope(), by="yang", reason="电话核对身份", source="10.0.0.8")
    assert shown == "杨明"
    [event] = await trail.events(action="legal:case:unmask_name")
    record = event.record
    assert (record.actor, record.object_id, record.reason, record.source) == (
        "yang",
        receipt,
        "电话核对身份",
        "10.0.0.8",
    )


async def test_a_note_is_kept_once_however_often_it_is_sent(desk: LegalDesk, legal: LegalService) -> None:
    receipt = await _open(legal, "k-1")
    sent = [desk.add_note(receipt, Scope(), "先要工资条", by="yang", source="", key="n-1") for _ in range(3)]
    await asyncio.gather(*sent)
    assert [(note.author, note.text) for note in await desk.notes(receipt, Scope())] == [("yang", "先要工资条")]


async def test_an_erasure_takes_the_notes_with_it(
    desk: LegalDesk, legal: LegalService, database: Database, cipher: FieldCipher, clock: MovedClock
) -> None:
    receipt = await _open(legal, "k-1")
    await desk.add_note(receipt, Scope(), "住在河边", by="yang", source="", key="n-1")
    await LegalData(database, cipher, clock, remove_file=_no_file).erase("o-k-1")
    assert await desk.notes(receipt, Scope()) == []


async def _no_file(file_ref: str) -> None:
    raise AssertionError(file_ref)


async def test_a_conflict_is_found_and_what_was_decided_stays(desk: LegalDesk, legal: LegalService) -> None:
    receipt = await _open(legal, "k-1", employer="铜仁鸿运建筑公司")
    assert await desk.add_client("yang", "贵州鸿运劳务有限公司", by="yang", source="")
    assert not await desk.add_client("yang", "鸿运公司", by="yang", source=""), "one employer, two spellings"
    assert await desk.conflict(receipt, "yang", Scope()) is Conflict.CONFLICT
    assert await desk.conflict(receipt, "tian", Scope()) is Conflict.CLEAR
    await desk.decide(receipt, "yang", Scope(), "decline", by="yang", source="", reason="常年顾问")
    [check] = await desk.checks(receipt, Scope())
    assert (check.lawyer, check.found, check.decision) == ("yang", Conflict.CONFLICT, "decline")
    [client] = await desk.clients("yang")
    assert not await desk.remove_client("tian", client.id, by="tian", source="")
    assert await desk.remove_client("yang", client.id, by="yang", source="")


async def test_a_running_case_goes_to_another_lawyer_and_an_ended_one_does_not(
    queue: LegalQueue, legal: LegalService
) -> None:
    receipt = await _open(legal, "k-1")
    with pytest.raises(TransitionRefused):
        await queue.reassign(receipt, "tian", EVERYWHERE, by="admin", reason="nobody has it")
    await queue.assign(receipt, "yang", EVERYWHERE, by="yang")
    await queue.note_attempt(receipt, EVERYWHERE, by="yang", reached=True)
    moved = await queue.reassign(receipt, "tian", EVERYWHERE, by="admin", reason="出差")
    assert (moved.assigned_to, moved.status) == ("tian", CaseStatus.CONTACTED)
    await queue.move(receipt, CaseStatus.COMPLETED, EVERYWHERE, by="tian", outcome="oral_advice")
    with pytest.raises(TransitionRefused):
        await queue.reassign(receipt, "yang", EVERYWHERE, by="admin", reason="too late")


async def test_figures_count_cases_and_people_and_hide_small_groups(database: Database, legal: LegalService) -> None:
    for number in range(4):
        await _open(legal, f"s-{number}", people_count=12 if number == 0 else 1)
    await _open(legal, "n-1", county=SINAN)
    statistics = LegalStatistics(database)
    figures = await statistics.figures(date(2026, 6, 1), date(2026, 6, 30))
    assert figures.total == Count(5, 16)
    assert figures.group == Count(1, 12)
    assert figures.by["county"] == [(OTHERS, Count(5, 16))], "one case alone must not stand out by difference"
    assert figures.by_month == [("2026-06", Count(5, 16))]
    assert figures.urgent == Count(0, 0)
    for name in ("topic", "contact_way", "outcome", "status"):
        assert sum((count for _, count in figures.by[name]), Count(0, 0)) == figures.total
    assert (await statistics.figures(date(2026, 6, 1), date(2026, 6, 30), county=SINAN)).total == Count(1, 1)
    assert (await statistics.figures(date(2026, 5, 1), date(2026, 5, 31))).total == Count(0, 0)


def test_small_rows_are_put_together_until_they_tell_nothing() -> None:
    counts = {"a": Count(9, 9), "b": Count(4, 4), "c": Count(2, 2), "d": Count(1, 1)}
    assert merged(counts) == [("a", Count(9, 9)), ("b", Count(4, 4)), (OTHERS, Count(3, 3))]
    assert merged({"a": Count(9, 9), "b": Count(4, 4), "c": Count(1, 1)}) == [
        ("a", Count(9, 9)),
        (OTHERS, Count(5, 5)),
    ]
    assert merged({"a": Count(9, 9)}) == [("a", Count(9, 9))]


@pytest.mark.parametrize("county", [None, "520628"], ids=["everywhere", "in a county"])
async def test_figures_are_summed_from_one_index(sqlite_database: Database, county: str | None) -> None:
    with recorded_statements(sqlite_database) as statements:
        await LegalStatistics(sqlite_database).figures(date(2026, 1, 1), date(2026, 12, 31), county=county)
    assert len(statements) == 2
    for statement in statements:
        assert re.search(
            r"USING COVERING INDEX ix_legal_cases_(county_)?figures", await plan_of(sqlite_database, statement)
        )
