"""What administrators set, who may answer, and who is there."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from bot.inbox.agents import THERE_FOR, AgentDirectory
from bot.inbox.calendar_table import CalendarTable
from bot.inbox.desk import ChatDesk
from bot.inbox.errors import NoSuchQueue, NoSuchReason
from bot.inbox.filters import Scope
from bot.inbox.lists import ChatLists
from bot.inbox.office import Hours, InboxOffice, Reason, SpecialDay
from bot.inbox.service import InboxService
from bot.staff.audit import AuditTrail
from bot.staff.models import StaffAccount
from bot.staff.rules import PermissionTable
from bot.storage.sql import Database
from bot.values.clock import MovedClock

SONGTAO, SINAN = "520628", "520624"


@pytest.fixture
def office(database: Database, trail: AuditTrail, calendar_table: CalendarTable) -> InboxOffice:
    del calendar_table
    return InboxOffice(database, trail=trail)


async def test_a_queues_targets_are_set_and_hold_for_new_chats(
    office: InboxOffice, inbox: InboxService, lists: ChatLists, clock: MovedClock
) -> None:
    before = await inbox.escalate("o-1", "legal", "", "k-1")
    legal = next(queue for queue in await office.queues() if queue.topic == "legal")
    assert await office.save_queue(replace(legal, label="法律", first_answer_minutes=10), by="boss") is None
    after = await inbox.escalate("o-2", "legal", "", "k-2")
    due = [(await lists.get(one.chat_id, Scope())).first_answer_due_at for one in (before, after)]
    assert due == [clock.now() + timedelta(minutes=60), clock.now() + timedelta(minutes=10)]
    assert "法律" in [queue.label for queue in await office.queues()]


async def test_targets_that_cross_and_labels_of_no_length_are_refused(office: InboxOffice) -> None:
    [first, *_] = await office.queues()
    crossed = await office.save_queue(replace(first, resolution_minutes=1), by="boss")
    nameless = await office.save_queue(replace(first, label=""), by="boss")
    assert crossed is not None
    assert nameless is not None
    assert (crossed.code, nameless.code) == ("inbox.targets_crossed", "inbox.label_length")
    with pytest.raises(NoSuchQueue):
        await office.save_queue(replace(first, topic="weather"), by="boss")


async def test_reasons_are_renamed_withdrawn_and_added(office: InboxOffice, trail: AuditTrail) -> None:
    assert await office.save_reason(Reason("solved", "办好了", True, False), by="boss", source="ip") is None
    assert await office.add_reason("转区县工会", asks_rating=False, by="boss", source="ip") is None
    again = await office.add_reason("转区县工会", asks_rating=False, by="boss")
    assert again is not None
    assert again.code == "inbox.label_taken"
    offered = {reason.label for reason in await office.reasons()}
    assert "转区县工会" in offered
    assert "办好了" not in offered
    assert "办好了" in {reason.label for reason in await office.reasons(offered=False)}
    with pytest.raises(NoSuchReason):
        await office.save_reason(Reason("tired", "累了", True, True), by="boss")
    assert [one.record.source for one in await trail.events(object_kind="chat_reason")] == ["ip", "ip"]


async def test_hours_are_replaced_a_weekday_at_a_time(office: InboxOffice, calendar_table: CalendarTable) -> None:
    morning, afternoon = Hours(0, time(8, 30), time(12)), Hours(0, time(14), time(17, 30))
    assert await office.save_hours(0, [afternoon, morning], by="boss") is None
    calendar = await calendar_table.calendar()
    assert [str(one) for one in calendar.stretches(date(2026, 6, 15))] == ["08:30–12:00", "14:00–17:30"]
    assert [str(one) for one in calendar.stretches(date(2026, 6, 16))] == ["09:00–17:00"]
    overlapping = await office.save_hours(0, [morning, Hours(0, time(11), time(15))], by="boss")
    backwards = await office.save_hours(0, [Hours(0, time(12), time(9))], by="boss")
    assert overlapping is not None
    assert backwards is not None
    assert (overlapping.code, backwards.code) == ("inbox.hours_overlap", "inbox.hours_backwards")
    assert len([one for one in await office.hours() if one.weekday == 0]) == 2


async def test_days_off_and_days_worked_instead(office: InboxOffice, calendar_table: CalendarTable) -> None:
    tuesday, sunday = date(2026, 6, 16), date(2026, 6, 21)
    await office.set_day(SpecialDay(tuesday, None, "放假"), by="boss")
    await office.set_day(SpecialDay(sunday, 1, "补班"), by="boss")
    calendar = await calendar_table.calendar()
    assert calendar.stretches(tuesday) == ()
    assert [str(one) for one in calendar.stretches(sunday)] == ["09:00–17:00"]
    assert [one.label for one in await office.special_days(tuesday)][:2] == ["放假", "端午节"]
    await office.drop_day(tuesday, by="boss")
    await office.drop_day(tuesday, by="boss")
    assert (await calendar_table.calendar()).stretches(tuesday) != ()


# Agents


@pytest.fixture
async def directory(database: Database, clock: MovedClock) -> AgentDirectory:
    people = (
        ("boss", "administrator", None, True),
        ("li", "chat_agent", None, True),
        ("gone", "chat_agent", None, False),
        ("songtao", "county_reviewer", SONGTAO, True),
        ("lawyer", "lawyer", SONGTAO, True),
        ("auditor", "auditor", None, True),
    )
    async with database.transaction() as session:
        session.add_all(
            StaffAccount(
                username=username,
                display_name=f"{username}老师",
                password_hash="x",
                roles=[role],
                county=county,
                active=active,
                created_at=clock.now(),
            )
            for username, role, county, active in people
        )
    return AgentDirectory(database, clock, PermissionTable.load())


async def test_who_may_be_given_a_chat(directory: AgentDirectory) -> None:
    assert {agent.username for agent in await directory.for_county(SONGTAO)} == {"boss", "li", "songtao"}
    assert {agent.username for agent in await directory.for_county(SINAN)} == {"boss", "li"}
    assert {agent.username for agent in await directory.for_county(None)} == {"boss", "li"}


async def test_who_is_there_and_free_comes_first(
    directory: AgentDirectory, inbox: InboxService, desk: ChatDesk, clock: MovedClock
) -> None:
    for number, agent in enumerate(("boss", "boss", "li")):
        chat_id = (await inbox.escalate(f"o-{number}", "general", "", f"k-{number}")).chat_id
        await desk.claim(chat_id, agent)
    await directory.here("boss")
    await directory.here("songtao")
    shown = [(agent.username, agent.is_there, agent.open_chats) for agent in await directory.for_county(SONGTAO)]
    assert shown == [("songtao", True, 0), ("boss", True, 2), ("li", False, 1)]
    clock.move(THERE_FOR / 2)
    await directory.here("boss")
    clock.move(THERE_FOR / 2 + timedelta(seconds=1))
    assert [agent.username for agent in await directory.for_county(SONGTAO) if agent.is_there] == ["boss"]
