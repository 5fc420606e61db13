"""Messages that go out by themselves: once for a registration, never for an appointment that moved."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot.campaigns.automatic import AutomaticMessages, DueMessage
from bot.campaigns.automatic_models import Occasion, OccasionState
from bot.campaigns.automatic_rules import Rule, RuleKind
from bot.campaigns.content import MenuChoice
from bot.campaigns.opt_outs import OptOuts
from bot.programmes.models import ProgrammeRow
from bot.programmes.service import ProgrammeService
from bot.registrations.models import Registration
from bot.registrations.places import RowPlaceLock
from bot.registrations.service import RegistrationService
from bot.staff.audit import AuditTrail
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.registrations.factories import Stage, stage_screening, submitted

BODY = "您预约的{项目}在{日期}{时间}，地点：{地点}。回执号{回执号}。"


@pytest.fixture
def automatic(database: Database, clock: MovedClock, audit: AuditTrail) -> AutomaticMessages:
    return AutomaticMessages(database, clock, trail=audit)


@pytest.fixture
def programmes(database: Database, clock: MovedClock) -> ProgrammeService:
    return ProgrammeService(database, clock)


@pytest.fixture
def registrations(database: Database, cipher: FieldCipher, clock: MovedClock) -> RegistrationService:
    return RegistrationService(database, cipher, clock, RowPlaceLock())


@pytest.fixture
async def stage(programmes: ProgrammeService) -> Stage:
    """A screening on 20 June; the clock stands at 15 June, ten o'clock."""
    return await stage_screening(programmes, 5, 5)


async def keys_of(automatic: AutomaticMessages) -> list[DueMessage]:
    await automatic.plan()
    return await automatic.lease_due()


async def states(database: Database) -> list[str]:
    async with database.reading() as session:
        return list(await session.scalars(select(Occasion.state).order_by(Occasion.id)))


async def test_three_days_and_one_day_before_each_once(
    automatic: AutomaticMessages, registrations: RegistrationService, stage: Stage, clock: MovedClock
) -> None:
    await submitted(registrations, stage, 1, 2)
    for days in (3, 1):
        await automatic.rules.save(Rule(RuleKind.APPOINTMENT, BODY, days=days), by="wang")
    found: dict[str, list[str]] = {}
    for _ in range(6):
        for _ in range(2):
            for message in await keys_of(automatic):
                found.setdefault(f"{clock.now():%d}", []).append(message.openid)
                await automatic.sent(message.id)
        clock.move(timedelta(days=1))
    # Nothing says who is reminded first, nor do the databases agree on it.
    assert {day: sorted(openids) for day, openids in found.items()} == {
        "17": ["openid-1", "openid-2"],
        "19": ["openid-1", "openid-2"],
    }


async def test_the_text_names_day_time_and_place(
    automatic: AutomaticMessages, registrations: RegistrationService, stage: Stage, clock: MovedClock
) -> None:
    (receipt,) = await submitted(registrations, stage, 1)
    await automatic.rules.save(Rule(RuleKind.APPOINTMENT, BODY, days=3, at_minute=11 * 60), by="wang")
    clock.move(timedelta(days=2))
    assert await keys_of(automatic) == []
    clock.move(timedelta(hours=1))
    (message,) = await keys_of(automatic)
    assert message.values == {
        "项目": "女职工健康筛查",
        "日期": "6月20日",
        "时间": "08:00",
        "地点": "县妇幼",
        "回执号": receipt,
    }


@pytest.mark.parametrize("what", ["cancelled", "moved", "another day"])
async def test_an_appointment_that_moved_is_not_reminded_of(
    automatic: AutomaticMessages,
    registrations: RegistrationService,
    stage: Stage,
    clock: MovedClock,
    database: Database,
    what: str,
) -> None:
    await submitted(registrations, stage, 1)
    await automatic.rules.save(Rule(RuleKind.APPOINTMENT, BODY, days=3), by="wang")
    clock.move(timedelta(days=2))
    assert await automatic.plan() == 1
    async with database.transaction() as session:
        if what == "cancelled":
            await session.execute(update(Registration).values(status="cancelled"))
        elif what == "moved":
            await session.execute(update(Registration).values(slot_id=stage.slots[1].id))
        else:
            await session.execute(update(Occasion).values(service_day=stage.slots[0].day - timedelta(days=1)))
    assert await automatic.lease_due() == []
    assert await states(database) == [OccasionState.CANCELLED.value]
    # To the new time, on the same day, there is a reminder of its own.
    assert await automatic.plan() == (1 if what == "moved" else 0)


async def test_what_is_late_in_the_evening_is_not_sent(
    automatic: AutomaticMessages, registrations: RegistrationService, stage: Stage, clock: MovedClock
) -> None:
    await submitted(registrations, stage, 1)
    await automatic.rules.save(Rule(RuleKind.APPOINTMENT, BODY, days=3), by="wang")
    clock.move(timedelta(days=2))
    await automatic.plan()
    clock.move(timedelta(hours=12))
    assert await automatic.lease_due() == []


async def test_openings_reach_those_who_asked_once(
    automatic: AutomaticMessages, opt_outs: OptOuts, stage: Stage, clock: MovedClock, database: Database
) -> None:
    await automatic.rules.save(Rule(RuleKind.OPENING, "{项目}开放报名了。"), by="wang")
    await opt_outs.remind_of_opening("openid-7", stage.programme.id)
    async with database.transaction() as session:
        await session.execute(update(ProgrammeRow).values(open_at=clock.now() + timedelta(hours=2)))
    assert await keys_of(automatic) == []
    clock.move(timedelta(hours=3))
    (message,) = await keys_of(automatic)
    assert (message.openid, message.values) == ("openid-7", {"项目": "女职工健康筛查"})
    await automatic.sent(message.id)
    assert await keys_of(automatic) == []


async def test_a_follow_up_leaves_out_who_opted_out(
    automatic: AutomaticMessages,
    registrations: RegistrationService,
    stage: Stage,
    clock: MovedClock,
    database: Database,
    opt_outs: OptOuts,
) -> None:
    await submitted(registrations, stage, 1, 2)
    await opt_outs.opt_out("openid-2", source="chat")
    await automatic.rules.save(Rule(RuleKind.FOLLOW_UP, "谢谢您来参加{项目}。", days=2), by="wang")
    async with database.transaction() as session:
        await session.execute(update(Registration).values(status="completed", served_on=clock.now().date()))
    clock.move(timedelta(days=2))
    assert [message.openid for message in await keys_of(automatic)] == ["openid-1"]


async def test_the_buttons_stand_in_the_rule(
    automatic: AutomaticMessages, registrations: RegistrationService, stage: Stage, clock: MovedClock
) -> None:
    await submitted(registrations, stage, 1)
    rule = await automatic.rules.save(Rule(RuleKind.APPOINTMENT, BODY, days=3), by="wang")
    standard = ("/word:确认到场", "/flow:change_registration", "/flow:cancel_registration")
    assert rule.choices is not None
    assert tuple(choice.id for choice in rule.choices) == standard
    own = (MenuChoice("/word:菜单", "看看别的"),)
    edited = await automatic.rules.save(replace(rule, choices=own), by="wang")
    # Who edits the text alone leaves the buttons as they are.
    assert (await automatic.rules.save(replace(edited, choices=None), by="wang")).choices == own
    clock.move(timedelta(days=2))
    (message,) = await keys_of(automatic)
    assert message.choices == own
    assert (await automatic.rules.save(replace(edited, choices=()), by="wang")).choices == ()


async def test_a_lease_is_one_workers(
    automatic: AutomaticMessages, registrations: RegistrationService, stage: Stage, clock: MovedClock
) -> None:
    await submitted(registrations, stage, 1)
    await automatic.rules.save(Rule(RuleKind.APPOINTMENT, BODY, days=3), by="wang")
    clock.move(timedelta(days=2))
    (message,) = await keys_of(automatic)
    assert await automatic.lease_due() == []
    clock.move(timedelta(minutes=3))
    (again,) = await automatic.lease_due()
    assert (again.key, again.attempts) == (message.key, 2)
    await automatic.sent(again.id)
    assert await automatic.confirm("openid-1")
    assert not await automatic.confirm("openid-9")


async def test_a_rule_that_is_off_does_nothing_and_each_edit_is_in_the_trail(
    automatic: AutomaticMessages, audit: AuditTrail
) -> None:
    rule = await automatic.rules.save(Rule(RuleKind.OPENING, "开放了"), by="wang")
    off = await automatic.rules.save(Rule(RuleKind.OPENING, "开放了", is_on=False, id=rule.id), by="li")
    assert await automatic.rules.all() == [off]
    assert [event.record.actor for event in await audit.events(action="campaigns:rule:edit")] == ["li", "wang"]
