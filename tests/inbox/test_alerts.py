"""Alerts to the people on duty."""

import asyncio
from datetime import timedelta

import pytest

from bot.inbox.alerts import AlertService
from bot.inbox.duty import AlertDuty, Taken, TakenBySomebody
from bot.inbox.errors import NoSuchAlert
from bot.inbox.filters import Scope
from bot.inbox.models import AlertLevel
from bot.inbox.notifier import AlertNotice, LogNotifier, RecordingNotifier
from bot.inbox.service import InboxService
from bot.staff.audit import AuditTrail
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock


class BrokenNotifier:
    """A channel that is down until it is mended."""

    def __init__(self) -> None:
        self.broken = True
        self.notices: list[AlertNotice] = []

    async def notify(self, notice: AlertNotice) -> None:
        if self.broken:
            raise ConnectionError("the pager does not answer")
        self.notices.append(notice)


async def test_the_same_key_alerts_once(alerts: AlertService, notifier: RecordingNotifier) -> None:
    first = await alerts.raise_alert(AlertLevel.P0, "self_harm", "o-1", "k-1", detail="不想活了")
    again = await alerts.raise_alert(AlertLevel.P0, "self_harm", "o-1", "k-1", detail="不想活了")
    assert first == again
    assert [(notice.alert_id, notice.level, notice.kind) for notice in notifier.notices] == [
        (first, AlertLevel.P0, "self_harm")
    ]


async def test_a_notice_carries_neither_person_nor_words(alerts: AlertService, notifier: RecordingNotifier) -> None:
    await alerts.raise_alert(AlertLevel.P0, "self_harm", "o-secret", "k-1", detail="站在楼顶")
    assert "o-secret" not in repr(notifier.notices)
    assert "楼顶" not in repr(notifier.notices)
    (alert,) = await alerts.open_alerts()
    assert (alert.openid, alert.detail) == ("o-secret", "站在楼顶")


async def test_an_alert_outlives_a_broken_channel(database: Database, cipher: FieldCipher, clock: MovedClock) -> None:
    notifier = BrokenNotifier()
    alerts = AlertService(database, cipher, clock, notifier=notifier)
    await alerts.raise_alert(AlertLevel.P0, "self_harm", "o-1", "k-1")
    assert len(await alerts.open_alerts()) == 1
    assert await alerts.tell_untold() == 0
    notifier.broken = False
    assert await alerts.tell_untold() == 1
    assert await alerts.tell_untold() == 0
    assert len(notifier.notices) == 1


async def test_the_repeated_delivery_tries_the_channel_again(
    database: Database, cipher: FieldCipher, clock: MovedClock
) -> None:
    notifier = BrokenNotifier()
    alerts = AlertService(database, cipher, clock, notifier=notifier)
    await alerts.raise_alert(AlertLevel.P1, "group_unrest", "o-1", "k-1")
    notifier.broken = False
    await alerts.raise_alert(AlertLevel.P1, "group_unrest", "o-1", "k-1")
    assert len(notifier.notices) == 1


async def test_the_gravest_comes_first_and_the_overdue_are_found(alerts: AlertService, clock: MovedClock) -> None:
    minor = await alerts.raise_alert(AlertLevel.P2, "press", "o-1", "k-1")
    clock.move(timedelta(minutes=6))
    grave = await alerts.raise_alert(AlertLevel.P0, "injury", "o-2", "k-2")
    assert [alert.id for alert in await alerts.open_alerts()] == [grave, minor]
    assert [alert.id for alert in await alerts.open_alerts(waiting_at_least=timedelta(minutes=5))] == [minor]


@pytest.fixture
def duty(database: Database, cipher: FieldCipher, clock: MovedClock, trail: AuditTrail) -> AlertDuty:
    return AlertDuty(database, cipher, clock, trail=trail)


async def test_one_person_takes_an_alert(alerts: AlertService, duty: AlertDuty, trail: AuditTrail) -> None:
    alert_id = await alerts.raise_alert(AlertLevel.P0, "injury", "o-1", "k-1")
    agents = ("li", "yang", "tian")
    outcomes = await asyncio.gather(*(duty.take(alert_id, agent, Scope()) for agent in agents))
    [by] = [agent for agent, outcome in zip(agents, outcomes, strict=True) if isinstance(outcome, Taken)]
    assert outcomes.count(TakenBySomebody(by)) == 2
    assert await duty.take(alert_id, by, Scope()) == Taken(None)
    assert await alerts.open_alerts() == []
    [event] = await trail.events(object_kind="alert")
    assert (event.record.actor, event.record.action) == (by, "inbox:alert:acknowledge")


async def test_an_alert_is_for_the_county_of_its_chat(
    alerts: AlertService, duty: AlertDuty, inbox: InboxService
) -> None:
    alert_id = await alerts.raise_alert(AlertLevel.P0, "self_harm", "o-1", "k-1", detail="站在楼顶")
    elsewhere = await alerts.raise_alert(AlertLevel.P1, "media", "o-2", "k-2")
    chat = await inbox.escalate("o-1", "crisis", "站在楼顶", "k-1", county="520628")
    own, stranger = Scope(county="520628"), Scope(county="520624")
    [line] = await duty.waiting(own)
    assert (line.alert.id, line.alert.detail, line.chat_id, line.county) == (
        alert_id,
        "站在楼顶",
        chat.chat_id,
        "520628",
    )
    assert [line.alert.id for line in await duty.waiting(Scope())] == [alert_id, elsewhere]
    assert [await duty.count(scope) for scope in (Scope(), own, stranger)] == [2, 1, 0]
    with pytest.raises(NoSuchAlert):
        await duty.take(alert_id, "li", stranger)
    assert await duty.take(alert_id, "li", own) == Taken(chat.chat_id)


async def test_an_unknown_alert_is_an_error(duty: AlertDuty) -> None:
    with pytest.raises(NoSuchAlert):
        await duty.take(99, "li", Scope())


async def test_the_log_notifier_needs_nothing(clock: MovedClock, capsys: pytest.CaptureFixture[str]) -> None:
    await LogNotifier().notify(AlertNotice(7, AlertLevel.P0, "injury", clock.now()))
    assert "alert_raised" in capsys.readouterr().out
