"""The lawyers' side of a case."""

import asyncio
import itertools

import pytest

from bot.legal.errors import NoSuchCase, TransitionRefused
from bot.legal.models import CaseDraft, CaseStatus, Scope
from bot.legal.queue import Assigned, LegalQueue, TakenBy
from bot.legal.rules import TRANSITIONS, UNIFIED_STATUS, may_change
from bot.legal.service import LegalService

EVERYWHERE = Scope()
DRAFT = CaseDraft(openid="o-1", topic="W4", county="bijiang", story="叫我明天不用来")


@pytest.fixture
async def receipt(legal: LegalService) -> str:
    return (await legal.open_case(DRAFT, "k-1")).receipt


async def test_one_lawyer_gets_a_case(queue: LegalQueue, receipt: str) -> None:
    lawyers = [f"lawyer-{number}" for number in range(6)]
    outcomes = await asyncio.gather(*(queue.assign(receipt, lawyer, EVERYWHERE, by=lawyer) for lawyer in lawyers))
    assert sum(isinstance(outcome, Assigned) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, TakenBy) for outcome in outcomes) == 5
    assert [entry.action for entry in await queue.history(receipt)] == ["open", "assign"]


async def test_assigning_again_to_the_same_lawyer_changes_nothing(queue: LegalQueue, receipt: str) -> None:
    await queue.assign(receipt, "lawyer-yang", EVERYWHERE, by="admin")
    assert isinstance(await queue.assign(receipt, "lawyer-yang", EVERYWHERE, by="admin"), Assigned)
    assert len(await queue.history(receipt)) == 2


async def test_an_assigned_case_moves_to_its_lawyers_list(queue: LegalQueue, receipt: str) -> None:
    await queue.assign(receipt, "lawyer-yang", EVERYWHERE, by="admin")
    assert await queue.waiting() == []
    assert [case.receipt for case in await queue.assigned_to("lawyer-yang")] == [receipt]
    await queue.move(receipt, CaseStatus.CANCELLED, EVERYWHERE, by="admin", reason="employer_side")
    assert await queue.assigned_to("lawyer-yang") == []


async def test_a_case_given_back_waits_again(queue: LegalQueue, receipt: str) -> None:
    await queue.assign(receipt, "lawyer-yang", EVERYWHERE, by="admin")
    await queue.move(receipt, CaseStatus.PENDING, EVERYWHERE, by="lawyer-yang", reason="conflict_of_interest")
    assert [case.assigned_to for case in await queue.waiting()] == [None]
    assert isinstance(await queue.assign(receipt, "lawyer-tian", EVERYWHERE, by="admin"), Assigned)


async def test_attempts_are_counted_until_the_worker_is_reached(queue: LegalQueue, receipt: str) -> None:
    await queue.assign(receipt, "lawyer-yang", EVERYWHERE, by="admin")
    assert await queue.note_attempt(receipt, EVERYWHERE, by="lawyer-yang", reached=False) == 1
    assert await queue.note_attempt(receipt, EVERYWHERE, by="lawyer-yang", reached=True) == 2
    assert (await queue.case(receipt)).summary.status is CaseStatus.CONTACTED


async def test_the_whole_way_to_the_end(queue: LegalQueue, receipt: str) -> None:
    await queue.assign(receipt, "lawyer-yang", EVERYWHERE, by="admin")
    await queue.note_attempt(receipt, EVERYWHERE, by="lawyer-yang", reached=True)
    for status in (CaseStatus.ANSWERING, CaseStatus.COMPLETED, CaseStatus.FOLLOWED_UP):
        outcome = "oral_advice" if status is CaseStatus.COMPLETED else None
        await queue.move(receipt, status, EVERYWHERE, by="lawyer-yang", reason="step", outcome=outcome)
    case = await queue.case(receipt)
    assert (case.summary.status, case.summary.outcome) == (CaseStatus.FOLLOWED_UP, "oral_advice")


async def test_a_step_taken_twice_is_one(queue: LegalQueue, receipt: str) -> None:
    await queue.move(receipt, CaseStatus.RETURNED, EVERYWHERE, by="admin", reason="evidence_missing")
    await queue.move(receipt, CaseStatus.RETURNED, EVERYWHERE, by="admin", reason="evidence_missing")
    assert len(await queue.history(receipt)) == 2


async def test_a_step_that_is_not_in_the_table_is_refused(queue: LegalQueue, receipt: str) -> None:
    with pytest.raises(TransitionRefused):
        await queue.move(receipt, CaseStatus.COMPLETED, EVERYWHERE, by="admin")
    assert (await queue.case(receipt)).summary.status is CaseStatus.PENDING


async def test_no_step_reaches_beyond_ones_county_or_ones_own_cases(queue: LegalQueue, receipt: str) -> None:
    elsewhere, hers = Scope(county="sinan"), Scope(lawyer="lawyer-tian")
    for scope in (elsewhere, hers):
        with pytest.raises(NoSuchCase):
            await queue.assign(receipt, "lawyer-yang", scope, by="lawyer-yang")
    await queue.assign(receipt, "lawyer-yang", Scope(county="bijiang"), by="lawyer-yang")
    for scope in (elsewhere, hers):
        with pytest.raises(NoSuchCase):
            await queue.reassign(receipt, "lawyer-tian", scope, by="lawyer-tian", reason="mine")
        with pytest.raises(NoSuchCase):
            await queue.move(receipt, CaseStatus.PENDING, scope, by="lawyer-tian", reason="mine")
        with pytest.raises(NoSuchCase):
            await queue.note_attempt(receipt, scope, by="lawyer-tian", reached=True)
    assert [entry.action for entry in await queue.history(receipt)] == ["open", "assign"]


async def test_the_load_counts_what_is_not_over(queue: LegalQueue, legal: LegalService) -> None:
    receipts = [(await legal.open_case(DRAFT, f"many-{number}")).receipt for number in range(4)]
    for receipt in receipts[:3]:
        await queue.assign(receipt, "lawyer-yang", EVERYWHERE, by="admin")
    await queue.move(receipts[0], CaseStatus.CANCELLED, EVERYWHERE, by="admin", reason="employer_side")
    assert await queue.loads() == {"lawyer-yang": 2}


async def test_an_unknown_receipt_is_an_error(queue: LegalQueue) -> None:
    with pytest.raises(NoSuchCase):
        await queue.case("FL26-0615-9999")
    with pytest.raises(NoSuchCase):
        await queue.assign("FL26-0615-9999", "lawyer-yang", EVERYWHERE, by="admin")


def test_every_status_has_a_place_in_the_machine_and_a_shared_name() -> None:
    assert set(TRANSITIONS) == set(UNIFIED_STATUS) == set(CaseStatus)
    reached = set(itertools.chain.from_iterable(TRANSITIONS.values()))
    assert reached == set(CaseStatus)
    assert {status for status in CaseStatus if not may_change(status)} == {
        CaseStatus.COMPLETED,
        CaseStatus.FOLLOWED_UP,
        CaseStatus.CANCELLED,
    }
