"""Submitting: places, waiting lists, duplicates, windows, consents, and what is stored."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from bot.programmes.errors import UnknownProgramme
from bot.programmes.models import ProgrammeStatus, ReviewMode
from bot.programmes.service import ProgrammeService
from bot.registrations.models import Registration
from bot.registrations.outcomes import (
    Duplicate,
    Full,
    Gone,
    Incomplete,
    NotOnline,
    NotOpen,
    Submitted,
)
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import Status
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.registrations.factories import (
    BORN,
    MONDAY,
    application,
    number,
    receipt_of,
    stage_screening,
    stage_work_study,
)


async def test_a_place_confirms_and_the_next_one_waits(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 1)
    slot_id = stage.slots[0].id

    first = await registrations.submit(application(1, stage.programme, slot_id=slot_id))
    second = await registrations.submit(application(2, stage.programme, slot_id=slot_id))

    assert first == Submitted("JK26-0615-0001", Status.APPROVED, None, (), ())
    assert second == Submitted("JK26-0615-0002", Status.WAITLISTED, 1, (), ())
    (mine,) = await registrations.find_for("openid-1")
    assert (mine.status, mine.slot, mine.programme_version) == (Status.APPROVED, stage.slots[0], 3)
    assert [line.free for line in await registrations.slots(stage.programme.id)] == [0]


async def test_whoever_will_not_wait_is_told_the_nearest_free_slots(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 1, 1, 2)
    await registrations.submit(application(1, stage.programme, slot_id=stage.slots[0].id))
    await registrations.submit(application(2, stage.programme, slot_id=stage.slots[1].id))

    outcome = await registrations.submit(
        application(3, stage.programme, slot_id=stage.slots[0].id, accept_waiting=False)
    )

    assert isinstance(outcome, Full)
    assert [(slot.slot_id, slot.free) for slot in outcome.alternatives] == [(stage.slots[2].id, 2)]
    assert (outcome.waiting, outcome.waitlist_open) == (0, True)
    assert await registrations.find_for("openid-3") == ()


async def test_a_waiting_list_has_an_end(programmes: ProgrammeService, registrations: RegistrationService) -> None:
    stage = await stage_screening(programmes, 1, waitlist_size=1)
    slot_id = stage.slots[0].id
    for serial in (1, 2):
        await registrations.submit(application(serial, stage.programme, slot_id=slot_id))

    outcome = await registrations.submit(application(3, stage.programme, slot_id=slot_id))

    assert outcome == Full((), waiting=1, waitlist_open=False)


@pytest.mark.parametrize(
    "changes",
    [
        {"birth_date": date(1999, 1, 1), "id_number": number(1, date(1999, 1, 1))},
        {"sex": None},
        {"last_served": date(2025, 1, 1)},
    ],
)
async def test_a_finding_takes_the_place_but_leaves_the_decision_to_a_person(
    programmes: ProgrammeService, registrations: RegistrationService, changes: dict[str, object]
) -> None:
    stage = await stage_screening(programmes, 1)
    outcome = await registrations.submit(application(1, stage.programme, slot_id=stage.slots[0].id, **changes))
    assert isinstance(outcome, Submitted)
    assert outcome.status is Status.PENDING
    assert len(outcome.findings) == 1
    assert [slot.free for slot in await registrations.slots(stage.programme.id)] == [0]


async def test_with_review_by_staff_nothing_confirms_by_itself(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 1, review_mode=ReviewMode.BY_STAFF)
    outcome = await registrations.submit(application(1, stage.programme, slot_id=stage.slots[0].id))
    assert isinstance(outcome, Submitted)
    assert outcome.status is Status.PENDING


async def test_the_same_person_is_registered_once(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 5, 5)
    one = application(1, stage.programme, slot_id=stage.slots[0].id)
    receipt = receipt_of(await registrations.submit(one))

    again = replace(one, key="other", slot_id=stage.slots[1].id, id_number=one.id_number)
    assert await registrations.submit(again) == Duplicate(receipt, Status.APPROVED, editable=False)
    by_somebody_else = replace(again, key="third", openid="openid-2")
    assert await registrations.submit(by_somebody_else) == Duplicate(None, Status.APPROVED, editable=False)
    assert one.id_number is not None
    assert await registrations.duplicate_of(stage.programme.id, one.id_number, "openid-1") == Duplicate(
        receipt, Status.APPROVED, editable=False
    )

    await registrations.cancel(receipt, "openid-1", "cancel-1")
    assert receipt_of(await registrations.submit(replace(again, key="fourth"))) != receipt


async def test_a_waiting_registration_is_continued_not_repeated(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 0)
    one = application(1, stage.programme, slot_id=stage.slots[0].id)
    receipt = receipt_of(await registrations.submit(one))
    assert await registrations.submit(replace(one, key="b")) == Duplicate(receipt, Status.WAITLISTED, editable=True)


async def test_two_chats_registering_one_person_at_once_make_one_registration(
    database: Database, programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 9, 9)
    one = application(1, stage.programme, slot_id=stage.slots[0].id)
    attempts = [
        replace(one, key=f"key-{index}", openid=f"openid-{index}", slot_id=stage.slots[index % 2].id)
        for index in range(8)
    ]
    outcomes = await asyncio.gather(*map(registrations.submit, attempts))

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Duplicate"] * 7 + ["Submitted"]
    async with database.reading() as session:
        assert len((await session.scalars(select(Registration.id))).all()) == 1


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        (timedelta(days=-2), NotOpen(MONDAY - timedelta(days=1), None)),
        (timedelta(days=30), NotOpen(None, MONDAY + timedelta(days=20))),
    ],
)
async def test_outside_the_window_nothing_is_stored(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    clock: MovedClock,
    moved: timedelta,
    expected: NotOpen,
) -> None:
    stage = await stage_screening(programmes, 1)
    clock.move(moved)
    assert await registrations.submit(application(1, stage.programme, slot_id=stage.slots[0].id)) == expected
    assert await registrations.hold_place(stage.programme.id, stage.slots[0].id, "openid-1", "h") == expected


async def test_a_draft_programme_takes_nothing(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 1, status=ProgrammeStatus.DRAFT)
    outcome = await registrations.submit(application(1, stage.programme, slot_id=stage.slots[0].id))
    assert outcome == NotOpen(None, None)
    with pytest.raises(UnknownProgramme):
        await registrations.submit(application(2, replace(stage.programme, id="no such")))


async def test_without_a_consent_nothing_is_stored(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 1)
    bare = application(1, stage.programme, slot_id=stage.slots[0].id, consents={"sensitive": 1})
    assert await registrations.submit(bare) == Incomplete(("consent.third_party",))
    assert await registrations.find_for("openid-1") == ()


@pytest.mark.parametrize("slot", ["none", "over", "closed", "foreign", "missing"])
async def test_a_slot_that_is_gone_names_others(
    programmes: ProgrammeService, registrations: RegistrationService, clock: MovedClock, slot: str
) -> None:
    stage = await stage_screening(programmes, 1, 1)
    other = await stage_screening(programmes, 3, id="other")
    wanted: int | None = stage.slots[0].id
    if slot == "none":
        wanted = None
    elif slot == "over":
        clock.set(MONDAY + timedelta(days=4, hours=23))
    elif slot == "closed":
        await programmes.edit_row(replace(stage.slots[0], closed=True), editor="test", note="")
    elif slot == "foreign":
        wanted = other.slots[0].id
    else:
        wanted = 999
    outcome = await registrations.submit(application(1, stage.programme, slot_id=wanted))
    assert isinstance(outcome, Gone)
    assert stage.slots[1].id in {free.slot_id for free in outcome.alternatives} or slot == "over"


async def test_work_study_waits_for_people_and_lists_what_is_missing(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_work_study(programmes, {"碧江区": 2})
    born = date(2009, 1, 1)
    minor = application(
        1,
        stage.programme,
        id_number=number(1, born),
        birth_date=born,
        post_id=stage.posts[0].id,
        relation="parent",
        answers={"hardship": "illness"},
        consents={"sensitive": 1, "guardian": 2},
    )
    outcome = await registrations.submit(minor)
    assert isinstance(outcome, Submitted)
    assert (outcome.receipt, outcome.status) == ("QG26-0615-0001", Status.PENDING)
    assert outcome.missing == ("student_card", "hardship_proof", "guardian_consent")
    assert [finding.code for finding in outcome.findings] == ["minor.guardian_consent"]

    without_guardian = replace(minor, key="b", id_number=number(2, born), consents={"sensitive": 1})
    assert await registrations.submit(without_guardian) == Incomplete(("consent.guardian",))
    child = date(2011, 1, 1)
    too_young = replace(minor, key="c", id_number=number(3, child), birth_date=child)
    refused = await registrations.submit(too_young)
    assert isinstance(refused, NotOnline)
    assert [finding.code for finding in refused.findings] == ["minor.under_16"]
    assert await registrations.submit(replace(minor, key="d", id_number=number(4), post_id=999)) == Gone(())


async def test_far_too_many_applications_wait_in_order(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_work_study(programmes, {}, quota_total=1, applications_per_place=2.0, waitlist_size=1)
    outcomes = [await registrations.submit(application(serial, stage.programme)) for serial in range(4)]
    assert [type(outcome) for outcome in outcomes] == [Submitted, Submitted, Submitted, Full]
    third = outcomes[2]
    assert isinstance(third, Submitted)
    assert (third.status, third.waitlist_position) == (Status.WAITLISTED, 1)


async def test_nothing_personal_is_readable_in_the_database(
    database: Database, programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 1)
    one = application(
        1, stage.programme, slot_id=stage.slots[0].id, phone="13912345678", answers={"note": "独一无二的说明"}
    )
    await registrations.submit(one)
    async with database.reading() as session:
        tables = ("registrations", "registration_changes", "registration_calls", "registration_notices")
        rows = [str((await session.execute(text(f"SELECT * FROM {table}"))).all()) for table in tables]  # noqa: S608
    stored = "".join(rows)
    assert one.id_number is not None
    for secret in (one.name, one.phone, one.id_number, "独一无二的说明", BORN.isoformat(), f"{BORN:%Y%m%d}"):
        assert secret not in stored


async def test_the_owner_reads_everything_back(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 1)
    one = application(1, stage.programme, slot_id=stage.slots[0].id, answers={"items": ["breast"], "count": 2})
    receipt = receipt_of(await registrations.submit(one))

    particulars = await registrations.own_particulars(receipt, "openid-1")
    assert particulars is not None
    assert (particulars.name, particulars.phone, particulars.id_number) == (one.name, one.phone, one.id_number)
    assert (particulars.birth_date, particulars.sex) == (one.birth_date, one.sex)
    assert particulars.answers == {"items": ["breast"], "count": 2}
    view = await registrations.find_by_receipt(receipt, "openid-1")
    assert view is not None
    assert view.name_masked == "杨***妹"
    assert view.phone_masked == "138****0000"
    assert view.id_number_masked.count("*") == 13
    assert await registrations.find_by_receipt(receipt, "openid-2") is None
    assert await registrations.own_particulars(receipt, "openid-2") is None


async def test_an_earlier_period_gives_a_hint(
    programmes: ProgrammeService, registrations: RegistrationService, database: Database
) -> None:
    earlier = await stage_screening(programmes, 1, id="earlier")
    receipt = receipt_of(await registrations.submit(application(1, earlier.programme, slot_id=earlier.slots[0].id)))
    async with database.transaction() as session:
        row = (await session.scalars(select(Registration).where(Registration.receipt == receipt))).one()
        row.served_on = date(2025, 1, 1)
    stage = await stage_screening(programmes, 1)
    person = application(1, stage.programme, key="b", slot_id=stage.slots[0].id)

    findings = await registrations.precheck(stage.programme.id, person)
    assert [finding.code for finding in findings] == ["interval.too_soon"]
    outcome = await registrations.submit(person)
    assert isinstance(outcome, Submitted)
    assert outcome.status is Status.PENDING
