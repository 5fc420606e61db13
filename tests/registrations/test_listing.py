"""The list that staff work through: filtered, found by hash, ordered, paged by seek, and quick however long it is."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from bot.programmes.models import PriorityRule
from bot.programmes.service import ProgrammeService
from bot.registrations.errors import BadCursor
from bot.registrations.filters import Filter, Mark, Sort, as_json, from_json
from bot.registrations.listing import RegistrationList
from bot.registrations.outcomes import Changes
from bot.registrations.review import ReviewService
from bot.registrations.searching import Search, SearchKey
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import Status
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from bot.values.problem import Problem
from bot.values.receipts import ReceiptNumber
from tests.registrations.factories import (
    MONDAY,
    Stage,
    application,
    by_staff,
    number,
    receipt_of,
    stage_screening,
    stage_work_study,
    submitted,
)
from tests.support.many_registrations import store_many
from tests.support.statements import Statement, plan_of, reads_whole_table, recorded_statements

SONGTAO, DEJIANG = "520628", "520626"


@pytest.fixture
def listing(database: Database, clock: MovedClock) -> RegistrationList:
    return RegistrationList(database, clock)


async def receipts(
    listing: RegistrationList, wanted: Filter, *, key: SearchKey | None = None, limit: int = 50
) -> list[str]:
    """Return every receipt, page after page."""
    found: list[str] = []
    after: str | None = None
    for _ in range(100):
        page = await listing.page(wanted, key=key, after=after, limit=limit)
        found += [line.receipt for line in page.lines]
        if page.next is None:
            return found
        after = page.next
    raise AssertionError("the pages never end")


async def apply(
    registrations: RegistrationService, stage: Stage, serial: int, clock: MovedClock, **changes: object
) -> str:
    """Apply a minute after the one before."""
    clock.move(timedelta(minutes=1))
    slot = stage.slots[0].id if stage.slots else None
    made = application(serial, stage.programme, slot_id=slot, key=f"{stage.programme.id}-{serial}", **changes)
    return receipt_of(await registrations.submit(made))


async def test_it_is_narrowed_by_every_filter_and_keeps_its_order_over_pages(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    listing: RegistrationList,
    clock: MovedClock,
) -> None:
    stage = await stage_screening(programmes, 2, 5)
    a = await apply(registrations, stage, 1, clock, county=SONGTAO, answers={"hs_category": "outdoor"})
    b = await apply(registrations, stage, 2, clock, county=DEJIANG, phone="13900000002")
    c = await apply(registrations, stage, 3, clock, county=SONGTAO, phone="13900000003", birth_date=date(2000, 1, 1))
    clock.move(timedelta(days=1))
    other = application(4, stage.programme, slot_id=stage.slots[1].id, county=SONGTAO, phone="13900000004")
    d = receipt_of(await registrations.submit(other))
    assert await receipts(listing, Filter(), limit=1) == [d, c, b, a]
    assert await receipts(listing, Filter(sort=Sort.OLDEST), limit=3) == [a, b, c, d]
    assert await receipts(listing, Filter(county=SONGTAO)) == [d, c, a]
    assert await receipts(listing, Filter(status=Status.WAITLISTED)) == [c]
    assert await receipts(listing, Filter(category="outdoor")) == [a]
    assert await receipts(listing, Filter(mark=Mark.FINDINGS)) == [c]
    assert await receipts(listing, Filter(slot_id=stage.slots[1].id)) == [d]
    assert await receipts(listing, Filter(day=date(2026, 6, 20), county=SONGTAO, sort=Sort.OLDEST)) == [a, c, d]
    assert await receipts(listing, Filter(day=date(2026, 6, 21))) == []
    assert await receipts(listing, Filter(site_id=stage.slots[0].site_id, status=Status.APPROVED)) == [d, b, a]
    assert await receipts(listing, Filter(first_day=MONDAY.date() + timedelta(days=1))) == [d]
    assert await receipts(listing, Filter(last_day=MONDAY.date(), programme_id="screening")) == [c, b, a]
    assert await receipts(listing, Filter(programme_id="another")) == []


async def test_marks_follow_what_happens(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    listing: RegistrationList,
    clock: MovedClock,
) -> None:
    stage = await stage_work_study(programmes, {DEJIANG: 5})
    a = await apply(registrations, stage, 1, clock, phone="13900000001")
    b = await apply(registrations, stage, 2, clock, phone="13900000002")
    assert await receipts(listing, Filter(mark=Mark.DUPLICATES)) == []
    await registrations.change(b, "openid-2", Changes(phone="13900000001"), "change-1")
    assert await receipts(listing, Filter(mark=Mark.DUPLICATES)) == [b]
    await registrations.change(b, "openid-2", Changes(phone="13900000002"), "change-2")
    assert await receipts(listing, Filter(mark=Mark.DUPLICATES)) == []
    screening = await stage_screening(programmes, 3)
    again = await apply(registrations, screening, 1, clock, phone="13900000009")
    assert await receipts(listing, Filter(mark=Mark.DUPLICATES)) == [again]

    await review.approve(by_staff(a, "qualified"))
    await registrations.change(a, "openid-1", Changes(name="杨小妹"), "change-3")
    assert await receipts(listing, Filter(mark=Mark.CHANGED)) == [a]
    await review.confirm_changes(by_staff(a, "reviewed_again"))
    assert await receipts(listing, Filter(mark=Mark.CHANGED)) == []

    until = clock.now() + timedelta(days=3)
    await review.return_(by_staff(b, "materials_missing"), items=["student_card"], until=until)
    assert await receipts(listing, Filter(mark=Mark.LATE)) == []
    clock.set(until + timedelta(minutes=1))
    assert await receipts(listing, Filter(mark=Mark.LATE)) == [b]
    assert await receipts(listing, Filter(mark=Mark.LATE, status=Status.APPROVED)) == []
    [line] = (await listing.page(Filter(mark=Mark.LATE))).lines
    assert (line.marks, line.returned_until) == ((Mark.LATE,), until)


async def test_the_ranked_order_goes_by_points_and_then_by_arrival(
    programmes: ProgrammeService, registrations: RegistrationService, listing: RegistrationList, clock: MovedClock
) -> None:
    rules = (PriorityRule("深度困难", 30, {"ws_hardship": ("filed_deep",)}),)
    stage = await stage_work_study(programmes, {DEJIANG: 5}, priority_rules=rules)
    plain = [await apply(registrations, stage, serial, clock) for serial in (1, 2, 3)]
    deep = [
        await apply(registrations, stage, serial, clock, answers={"ws_hardship": "filed_deep"}) for serial in (4, 5)
    ]
    for limit in (1, 2, 50):
        ranked = await receipts(listing, Filter(programme_id="work-study", sort=Sort.RANKED), limit=limit)
        assert ranked == [*deep, *plain]
    # Points of different programmes are not comparable.
    assert await receipts(listing, Filter(sort=Sort.RANKED)) == [*plain, *deep]


async def test_people_are_found_by_receipt_name_number_and_phone(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    listing: RegistrationList,
    cipher: FieldCipher,
    clock: MovedClock,
) -> None:
    stage = await stage_screening(programmes, 5)
    search, today = Search(cipher), clock.now().date()
    a = await apply(registrations, stage, 1, clock, name="杨欧·阿妹", phone="13900000001", county=SONGTAO)
    b = await apply(registrations, stage, 2, clock, name="张芳", phone="13900000002", county=DEJIANG)

    async def found(typed: str, wanted: Filter | None = None) -> list[str]:
        key = search.read(typed, today)
        assert isinstance(key, SearchKey), key
        carried = search.from_token(search.token(key))
        assert carried == key
        return await receipts(listing, wanted or Filter(), key=carried)

    assert await found(" 杨欧• 阿妹 ") == [a]
    assert await found("张 芳") == [b]
    assert await found("张芳", Filter(county=SONGTAO)) == []
    assert await found(number(2)) == [b]
    assert await found(number(1).lower()) == [a]
    assert await found("139 0000 0001") == [a]
    assert await found("13900000009") == []
    assert search.read(a.lower().replace("-", " "), today) == search.read(a, today)
    assert isinstance(search.read(a, today), ReceiptNumber)
    for typed, code in (("  ", "search.empty"), ("张", "search.name_too_short"), ("12 34", "search.number_unknown")):
        problem = search.read(typed, today)
        assert isinstance(problem, Problem)
        assert problem.code == code


@pytest.mark.parametrize("token", ["", "abc", "!!!", "A" * 200])
def test_a_token_that_is_not_ours_finds_nothing(cipher: FieldCipher, token: str) -> None:
    assert Search(cipher).from_token(token) is None


async def test_a_token_says_nothing_of_what_was_looked_for(cipher: FieldCipher, clock: MovedClock) -> None:
    search = Search(cipher)
    key = search.read("13900000001", clock.now().date())
    assert isinstance(key, SearchKey)
    assert search.token(key) != search.token(key)
    assert key.hash not in search.token(key)
    assert "139" not in key.masked[3:7]


async def test_statuses_are_counted_within_a_county_and_a_programme(
    programmes: ProgrammeService, registrations: RegistrationService, listing: RegistrationList, clock: MovedClock
) -> None:
    stage = await stage_screening(programmes, 2)
    for serial, county in ((1, SONGTAO), (2, DEJIANG), (3, SONGTAO)):
        await apply(registrations, stage, serial, clock, county=county)
    counts = await listing.counts(Filter(programme_id="screening"))
    assert counts is not None
    assert [counts.text(status) for status in (Status.APPROVED, Status.WAITLISTED, Status.PENDING, None)] == [
        "2",
        "1",
        "0",
        "3",
    ]
    counts = await listing.counts(Filter(county=DEJIANG))
    assert counts is not None
    assert counts.text(None) == "1"
    assert await listing.counts(Filter(mark=Mark.LATE)) is None
    assert await listing.waiting_for_review(SONGTAO) == 0


@pytest.mark.parametrize("cursor", ["", "x", "1.2", "1.2.3.4", "1.99999999999999999999.1", "a.b.c"])
async def test_a_cursor_that_cannot_be_read_is_an_error_that_says_so(
    sqlite_database: Database, clock: MovedClock, cursor: str
) -> None:
    with pytest.raises(BadCursor):
        await RegistrationList(sqlite_database, clock).page(Filter(), after=cursor)


def test_filters_are_kept_and_read_again() -> None:
    wanted = Filter(
        programme_id="screening",
        status=Status.PENDING,
        county=SONGTAO,
        site_id=3,
        slot_id=4,
        day=date(2026, 6, 20),
        category="outdoor",
        mark=Mark.LATE,
        first_day=date(2026, 6, 1),
        last_day=date(2026, 6, 30),
        sort=Sort.RANKED,
    )
    assert from_json(as_json(wanted)) == wanted
    assert as_json(Filter()) == {}
    assert from_json({"status": "gone", "day": "someday", "site_id": "3", "more": 1}) == Filter()


async def test_a_page_costs_the_same_number_of_queries_however_many_lines_it_has(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    database: Database,
    listing: RegistrationList,
) -> None:
    stage = await stage_screening(programmes, 20, 20)
    await submitted(registrations, stage, 1)
    with recorded_statements(database) as of_one:
        await listing.page(Filter())
    await submitted(registrations, stage, *range(2, 12))
    with recorded_statements(database) as of_many:
        await listing.page(Filter())
    assert len(of_one) == len(of_many) <= 5


WANTED: Sequence[Filter] = (
    Filter(),
    Filter(status=Status.PENDING),
    Filter(county=SONGTAO),
    Filter(county="5206DL", status=Status.PENDING, sort=Sort.OLDEST),
    Filter(programme_id="period-05"),
    Filter(programme_id="period-05", county="5206GX", status=Status.COMPLETED),
    Filter(programme_id="period-05", status=Status.PENDING, sort=Sort.RANKED),
    Filter(programme_id="period-05", county=SONGTAO, sort=Sort.RANKED),
    Filter(category="outdoor", status=Status.APPROVED),
    Filter(category="none-such", programme_id="period-05"),
    Filter(mark=Mark.FINDINGS),
    Filter(mark=Mark.CHANGED, county="5206DL"),
    Filter(mark=Mark.LATE),
    Filter(first_day=date(2025, 1, 1), last_day=date(2025, 2, 1), status=Status.PENDING),
    Filter(day=date(2026, 6, 20), programme_id="period-05"),
)


async def test_no_list_reads_the_whole_table(
    database: Database, listing: RegistrationList, cipher: FieldCipher, clock: MovedClock
) -> None:
    """The first page, a page further on, and the counts, each by the database's own plan."""
    await store_many(database, cipher, clock, 20_000)
    name = Search(cipher).read("杨芳敏", clock.now().date())
    assert isinstance(name, SearchKey)
    with recorded_statements(database) as statements:
        for wanted in WANTED:
            page = await listing.page(wanted, limit=20)
            if page.next is not None:
                await listing.page(wanted, after=page.next, limit=20)
            await listing.counts(wanted)
        found = await listing.page(Filter(status=Status.COMPLETED), key=name, limit=20)
        await listing.waiting_for_review(SONGTAO)
    assert found.lines
    for statement in statements:
        plan = await plan_of(database, statement)
        assert not reads_whole_table(plan, "registrations"), f"{statement.text}\n{plan}"
    # The control: a condition without an index behind it is seen as the scan that it is.
    without_index = Statement("SELECT id FROM registrations WHERE relation = 'child'", ())
    assert reads_whole_table(await plan_of(database, without_index), "registrations")
