"""The review list over SQL: once a delivery, decided once, gone with age or with the follower."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text as sql

from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.understanding.models import Guess
from bot.understanding.review.errors import NoSuchIntent, NoSuchItem
from bot.understanding.review.models import (
    Decided,
    DecidedBefore,
    Filter,
    Finding,
    Outcome,
    Reason,
    ReviewItem,
    ReviewRow,
    Status,
    Turn,
)
from bot.understanding.review.service import ReviewData, ReviewList, suggestions
from bot.values.clock import MovedClock

GUESSES = (Guess("check_status", 0.41), Guess("register_work_study", 0.33))


@pytest.fixture
def reviews(database: Database, cipher: FieldCipher, clock: MovedClock) -> ReviewList:
    return ReviewList(database, cipher, clock)


def turn(clock: MovedClock, number: int, said: str = "那个表", openid: str = "o-1") -> Turn:
    return Turn(f"{openid}:{number}", openid, clock.now(), said, GUESSES, "m1", ())


async def only_item(reviews: ReviewList) -> ReviewItem:
    page = await reviews.page(Filter())
    assert page.total == len(page.items) == 1
    return page.items[0]


async def test_a_turn_is_listed_once_with_what_was_guessed(reviews: ReviewList, clock: MovedClock) -> None:
    for _ in range(2):
        await reviews.add(turn(clock, 1, "我叫龙小芳，那个表"), Reason.ASKED_BACK)
    item = await only_item(reviews)
    assert (item.said, item.line) == ("我叫龙小芳，那个表", "我叫某某，那个表")
    assert (item.guesses, item.model_id, item.at) == (GUESSES, "m1", clock.now())
    assert (item.reason, item.status, item.outcome, item.label) == (Reason.ASKED_BACK, Status.OPEN, None, None)
    assert suggestions(item) == ("check_status", "register_work_study")


async def test_the_text_is_sealed(reviews: ReviewList, database: Database, clock: MovedClock) -> None:
    await reviews.add(turn(clock, 1), Reason.LOST)
    item = await only_item(reviews)
    await reviews.relabel(item.id, "check_status", "chen", wording="查我的表")
    async with database.reading() as session:
        row = (await session.execute(sql("SELECT * FROM review_items"))).mappings().one()
    stored = b"".join(bytes(value) for value in row.values() if isinstance(value, bytes))
    assert "表".encode() not in stored
    assert not any("表" in value for value in row.values() if isinstance(value, str))


async def test_what_happened_next_is_kept_and_suggested(reviews: ReviewList, clock: MovedClock) -> None:
    asked, sure = turn(clock, 1), turn(clock, 2)
    await reviews.add(asked, Reason.ASKED_BACK)
    for _ in range(2):
        await reviews.note(Finding(asked, Outcome.CHOSE, "faq_app"))
        await reviews.note(Finding(sure, Outcome.CANCELLED, None))
    await reviews.note(Finding(asked, Outcome.HANDED_OVER, None))
    newest, oldest = (await reviews.page(Filter())).items
    assert (oldest.reason, oldest.outcome, oldest.suggested) == (Reason.ASKED_BACK, Outcome.CHOSE, "faq_app")
    assert suggestions(oldest) == ("faq_app", "check_status", "register_work_study")
    assert (newest.reason, newest.outcome, newest.suggested) == (Reason.CORRECTED, Outcome.CANCELLED, None)


async def test_relabelling_is_one_step_and_can_be_undone(reviews: ReviewList, clock: MovedClock) -> None:
    await reviews.add(turn(clock, 1), Reason.LOST)
    item = (await only_item(reviews)).id
    clock.move(timedelta(hours=1))
    done = await reviews.relabel(item, "faq_app", "chen", wording="那个表在APP上哪里填")
    assert isinstance(done, Decided)
    assert (done.item.status, done.item.label, done.item.decided_by) == (Status.RELABELLED, "faq_app", "chen")
    assert done.item.decided_at == clock.now()
    assert done.item.line == "那个表在APP上哪里填"
    assert [one.id for one in await reviews.relabelled()] == [item]
    opened = await reviews.undo(item)
    assert (opened.status, opened.label, opened.decided_by, opened.line) == (Status.OPEN, None, None, "那个表")
    assert await reviews.relabelled() == []


async def test_a_second_opinion_does_not_replace_the_first(reviews: ReviewList, clock: MovedClock) -> None:
    await reviews.add(turn(clock, 1), Reason.LOST)
    item = (await only_item(reviews)).id
    assert isinstance(await reviews.dismiss(item, "chen"), Decided)
    assert isinstance(await reviews.dismiss(item, "long"), Decided)
    late = await reviews.relabel(item, "faq_app", "long")
    assert isinstance(late, DecidedBefore)
    assert (late.item.status, late.item.decided_by) == (Status.DISMISSED, "chen")


async def test_of_two_at_once_one_decides(reviews: ReviewList, clock: MovedClock) -> None:
    await reviews.add(turn(clock, 1), Reason.LOST)
    item = (await only_item(reviews)).id
    labels = ("faq_app", "greet", "thank", "help")
    outcomes = await asyncio.gather(*(reviews.relabel(item, label, label) for label in labels))
    assert sum(isinstance(outcome, Decided) for outcome in outcomes) == 1
    winner = next(outcome.item.label for outcome in outcomes if isinstance(outcome, Decided))
    assert (await reviews.get(item)).label == winner


async def test_without_the_row_lock_both_would_decide(
    reviews: ReviewList, database: Database, clock: MovedClock
) -> None:
    """The control: deciding by what was read before leaves two people believing that they decided."""
    await reviews.add(turn(clock, 1), Reason.LOST)
    item = (await only_item(reviews)).id
    both_have_read = asyncio.Barrier(2)

    async def decide(label: str) -> bool:
        is_open = (await reviews.get(item)).status is Status.OPEN
        await both_have_read.wait()
        if is_open:
            async with database.transaction() as session:
                row = await session.get_one(ReviewRow, item)
                row.status, row.label = Status.RELABELLED.value, label
        return is_open

    assert all(await asyncio.gather(decide("faq_app"), decide("greet")))


async def test_a_batch_that_comes_again_leaves_the_decision(reviews: ReviewList, clock: MovedClock) -> None:
    asked = turn(clock, 1)
    await reviews.add(asked, Reason.ASKED_BACK)
    item = (await only_item(reviews)).id
    await reviews.relabel(item, "faq_app", "chen")
    await reviews.add(asked, Reason.ASKED_BACK)
    await reviews.note(Finding(asked, Outcome.CHOSE, "check_status"))
    found = await only_item(reviews)
    assert (found.status, found.label, found.suggested) == (Status.RELABELLED, "faq_app", "check_status")


async def test_what_is_not_there_is_refused(reviews: ReviewList, clock: MovedClock) -> None:
    await reviews.add(turn(clock, 1), Reason.LOST)
    item = (await only_item(reviews)).id
    with pytest.raises(NoSuchIntent):
        await reviews.relabel(item, "no_such_intent", "chen")
    for call in (reviews.get(item + 1), reviews.undo(item + 1), reviews.dismiss(item + 1, "chen")):
        with pytest.raises(NoSuchItem):
            await call


async def test_the_list_is_filtered_counted_and_paged(reviews: ReviewList, clock: MovedClock) -> None:
    for number in range(5):
        await reviews.add(turn(clock, number), Reason.LOST if number % 2 else Reason.ASKED_BACK)
        clock.move(timedelta(minutes=1))
    first = (await reviews.page(Filter(), limit=2)).items
    rest = (await reviews.page(Filter(), limit=200, after=first[-1].id)).items
    ids = [item.id for item in (*first, *rest)]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 5
    await reviews.relabel(ids[0], "faq_app", "chen")
    await reviews.dismiss(ids[1], "chen")
    totals = {
        wanted: (await reviews.page(wanted, limit=1)).total
        for wanted in (
            Filter(reason=Reason.LOST),
            Filter(status=Status.OPEN),
            Filter(label="faq_app"),
            Filter(guessed="check_status"),
            Filter(guessed="greet"),
            Filter(since=clock.now() - timedelta(minutes=2)),
        )
    }
    assert list(totals.values()) == [2, 3, 1, 5, 0, 2]
    assert await reviews.counts() == {Status.OPEN: 3, Status.RELABELLED: 1, Status.DISMISSED: 1}


async def test_rows_go_with_age(reviews: ReviewList, clock: MovedClock) -> None:
    await reviews.add(turn(clock, 1), Reason.LOST)
    clock.move(timedelta(days=20))
    await reviews.add(turn(clock, 2), Reason.LOST)
    clock.move(timedelta(days=11))
    assert await reviews.purge(30) == 1
    assert await reviews.purge(30) == 0
    assert (await only_item(reviews)).at == clock.now() - timedelta(days=11)


async def test_rows_go_with_their_follower(
    reviews: ReviewList, database: Database, cipher: FieldCipher, clock: MovedClock
) -> None:
    await reviews.add(turn(clock, 1), Reason.LOST)
    await reviews.add(turn(clock, 1, "别的", "o-2"), Reason.LOST)
    data = ReviewData(database, cipher)
    assert [row["said"] for row in await data.export("o-1")] == ["那个表"]
    assert await data.erase("o-1") == 1
    assert await data.erase("o-1") == 0
    assert await data.export("o-1") == []
    assert (await only_item(reviews)).said == "别的"
