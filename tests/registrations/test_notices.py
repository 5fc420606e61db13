"""Notices are leased to one worker at a time, and come back when nothing was heard of them."""

import asyncio
from datetime import timedelta

import pytest

from bot.programmes.service import ProgrammeService
from bot.registrations.notices import NoticeBook
from bot.registrations.review import ReviewService
from bot.registrations.service import RegistrationService
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.registrations.factories import by_staff, stage_screening, submitted


@pytest.fixture
def book(database: Database, clock: MovedClock) -> NoticeBook:
    return NoticeBook(database, clock)


async def _three_notices(
    programmes: ProgrammeService, registrations: RegistrationService, review: ReviewService
) -> None:
    stage = await stage_screening(programmes, 3)
    for receipt in await submitted(registrations, stage, 1, 2, 3):
        await review.cancel(by_staff(receipt, "programme_stopped"))


async def test_two_workers_never_have_the_same_notice(
    programmes: ProgrammeService, registrations: RegistrationService, review: ReviewService, book: NoticeBook
) -> None:
    await _three_notices(programmes, registrations, review)
    leases = await asyncio.gather(*(book.lease_due(limit=2) for _ in range(3)))
    keys = [notice.key for lease in leases for notice in lease]
    assert len(keys) == 3
    assert len(set(keys)) == 3


async def test_what_was_sent_or_given_up_does_not_come_back(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    book: NoticeBook,
    clock: MovedClock,
) -> None:
    await _three_notices(programmes, registrations, review)
    sent, failed, later = await book.lease_due()
    assert {sent.kind, failed.kind, later.kind} == {"cancelled"}
    assert sent.fields == {"reason": "programme_stopped"}
    await book.mark_sent(sent.id, "customer_service")
    await book.mark_failed(failed.id, again_at=None, code="43004")
    await book.mark_failed(later.id, again_at=clock.now() + timedelta(minutes=1), code="45047")
    assert await book.lease_due() == ()
    clock.move(timedelta(minutes=1))
    (again,) = await book.lease_due()
    assert (again.id, again.attempts) == (later.id, 2)
    clock.move(timedelta(minutes=3))
    (lost,) = await book.lease_due()
    assert (lost.id, lost.key, lost.attempts) == (later.id, later.key, 3)
