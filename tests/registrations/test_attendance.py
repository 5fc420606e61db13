"""The day at a site: who is expected, found by a few digits at the door, and a list for the hospital."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from bot.dialogue.catalog import Slot
from bot.dialogue.events import Option
from bot.programmes.models import Choice
from bot.programmes.service import ProgrammeService
from bot.registrations.answers import HIDDEN, AnswerSheet
from bot.registrations.attendance import AttendanceDesk, SitePlace
from bot.registrations.errors import IllegalTransition, UnknownSite
from bot.registrations.outcomes import AlreadyIn, Moved
from bot.registrations.review import ReviewService
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import ActorKind
from bot.staff.audit import AuditTrail
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from tests.registrations.factories import application, by_staff, number, receipt_of, stage_screening, submitted

DAY = date(2026, 6, 20)
SLOTS: Mapping[str, Slot] = {
    "hs_needs": Slot("hs_needs", "list", "需要的帮助", options=(Option("miao", "苗语"), Option("sign", "手语"))),
    "hs_employer": Slot("hs_employer", label="工作单位"),
    "ws_parent_name": Slot("ws_parent_name", label="家长姓名", validator="person_name"),
    "hs_id": Slot("hs_id", label="身份证号", sensitive=True),
    "agreed": Slot("agreed", "bool", "同意", options=(Option("true", "我同意"),)),
}


@pytest.fixture
def sheet() -> AnswerSheet:
    return AnswerSheet(SLOTS)


@pytest.fixture
def desk(database: Database, cipher: FieldCipher, audit: AuditTrail, sheet: AnswerSheet) -> AttendanceDesk:
    return AttendanceDesk(database, cipher, audit, sheet)


async def test_the_list_of_a_day_holds_the_least_and_names_only_with_a_reason(
    programmes: ProgrammeService, registrations: RegistrationService, desk: AttendanceDesk, audit: AuditTrail
) -> None:
    choices = {"items": (Choice("breast", "乳腺超声"), Choice("cervical", "宫颈筛查"))}
    stage = await stage_screening(programmes, 2, 1, choices=choices)
    answers = {"hs_items": ["breast", "cervical"], "hs_needs": ["miao"]}
    first = application(1, stage.programme, slot_id=stage.slots[0].id, answers=answers)
    receipt = receipt_of(await registrations.submit(first))
    await submitted(registrations, stage, 2, 3, slot=1)
    site_id = stage.slots[0].site_id
    found = await desk.day_list(site_id, DAY)
    [person] = found.slots[0].people
    assert (person.receipt, person.name, person.number_tail, person.items, person.needs) == (
        receipt,
        "杨***妹",
        number(1)[-4:],
        "乳腺超声、宫颈筛查",
        "苗语",
    )
    # Who waits is not expected.
    assert len(found.slots[1].people) == 1
    named = await desk.named_list(site_id, DAY, by="liu", reason="交给妇幼保健院核对", source="10.0.0.1")
    assert named.people[0].name == "杨欧·阿妹"
    [event] = await audit.events(action="registrations:day_list:print")
    assert (event.record.object_id, event.record.reason) == (f"{site_id}#2026-06-20", "2:交给妇幼保健院核对")
    with pytest.raises(UnknownSite):
        await desk.day_list(99, DAY)


async def test_sites_are_shown_with_how_many_have_come(
    programmes: ProgrammeService, registrations: RegistrationService, review: ReviewService, desk: AttendanceDesk
) -> None:
    stage = await stage_screening(programmes, 3)
    receipts = await submitted(registrations, stage, 1, 2)
    await review.check_in(by_staff(receipts[0], "checked_in", kind=ActorKind.SITE))
    [(day, found)] = await desk.days(DAY, DAY, county=None)
    assert (day, found.expected, found.arrived, found.programme_title) == (DAY, 2, 1, "女职工健康筛查")
    assert await desk.days(DAY, DAY, county=found.site.county) == ((day, found),)
    assert await desk.days(DAY, DAY, county="520626") == ()
    here = SitePlace(day, found.site.county, found.site.id)
    assert await desk.days(DAY, DAY, county=None, after=here) == ()
    assert len(await desk.days(DAY, DAY, county=None, after=replace(here, site_id=found.site.id - 1), limit=1)) == 1
    assert await desk.days(date(2026, 6, 21), date(2026, 6, 30), county=None) == ()


async def test_somebody_is_found_by_the_last_digits_and_checked_in_once(
    programmes: ProgrammeService, registrations: RegistrationService, review: ReviewService, desk: AttendanceDesk
) -> None:
    stage = await stage_screening(programmes, 3)
    receipts = await submitted(registrations, stage, 1, 2)
    site_id = stage.slots[0].site_id
    for typed in (receipts[0], receipts[0].lower(), "0001", "01", "　００１"):
        assert [one.receipt for one in await desk.find(site_id, DAY, typed)] == [receipts[0]]
    assert [one.receipt for one in await desk.find(site_id, DAY, "1")] == []
    assert await desk.find(site_id, DAY, "杨") == ()
    assert await desk.find(site_id, date(2026, 6, 21), "0001") == ()

    first = await review.check_in(by_staff(receipts[0], "checked_in", kind=ActorKind.SITE, key="tap-1"))
    assert isinstance(first, Moved)
    [person] = await desk.find(site_id, DAY, "0001")
    assert person.has_come
    again = await review.check_in(by_staff(receipts[0], "checked_in", kind=ActorKind.SITE, key="tap-2"))
    assert again == AlreadyIn(receipts[0], person.checked_in_at or again.since)  # type: ignore[union-attr]

    await review.revoke_check_in(by_staff(receipts[0], "check_in_revoked", kind=ActorKind.SITE))
    [person] = await desk.find(site_id, DAY, "0001")
    assert not person.has_come
    await review.cancel(by_staff(receipts[1], "by_applicant_request"))
    assert await desk.find(site_id, DAY, "0002") == ()
    with pytest.raises(IllegalTransition):
        await review.check_in(by_staff(receipts[1], "checked_in", kind=ActorKind.SITE))


def test_answers_are_put_into_words_and_nothing_personal_stands_in_plain(sheet: AnswerSheet) -> None:
    lines = sheet.lines(
        {
            "hs_needs": ["sign", "other"],
            "hs_employer": "环卫所",
            "ws_parent_name": "杨大山",
            "hs_id": "522",
            "agreed": True,
            "unknown": "值",
            "empty": "",
        }
    )
    assert [(line.label, line.text, line.is_masked) for line in lines] == [
        ("需要的帮助", "手语、other", False),
        ("工作单位", "环卫所", False),
        ("家长姓名", HIDDEN, True),
        ("身份证号", HIDDEN, True),
        ("同意", "我同意", False),
        ("unknown", HIDDEN, True),
    ]
    assert sheet.text("ws_available", {"from": "2026-07-15", "to": "2026-08-14"}) == "2026-07-15 至 2026-08-14"
    assert sheet.text("agreed", False) == "否"
