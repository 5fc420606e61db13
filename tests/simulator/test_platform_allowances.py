"""How many customer-service messages the platform lets through, and typing."""

from datetime import datetime, timedelta

import pytest

from bot.simulator import pushes
from bot.simulator.allowances import Allowance, Grant
from bot.simulator.json_body import JsonObject
from bot.simulator.models import Channel, Follower
from bot.simulator.platform import SimulatedPlatform
from bot.values.clock import LOCAL_ZONE, MovedClock
from tests.simulator.client import ApiClient

NOW = datetime(2026, 6, 15, 10, 0, tzinfo=LOCAL_ZONE)


async def errcodes(api: ApiClient, openid: str, times: int) -> list[object]:
    """Send ``times`` texts and return the error codes."""
    return [(await api.send_text(openid))["errcode"] for _ in range(times)]


async def test_five_messages_within_48_hours_after_a_message(
    platform: SimulatedPlatform, api: ApiClient, yang: Follower, clock: MovedClock
) -> None:
    assert await errcodes(api, yang.openid, 1) == [45015]
    await platform.say(yang.openid, "你好")
    assert await errcodes(api, yang.openid, 6) == [0, 0, 0, 0, 0, 45047]
    await platform.say(yang.openid, "还在")
    clock.move(timedelta(hours=47, minutes=59))
    await api.renew()
    assert await errcodes(api, yang.openid, 1) == [0]
    clock.move(timedelta(minutes=1))
    assert await errcodes(api, yang.openid, 1) == [45015]
    assert len(platform.seen(yang.openid)) == 2 + 6


ACTIONS = {
    "menu tap": pushes.click("status", "查进度"),
    "follow": pushes.follow(),
    "scan": pushes.scan("ws2026", "ticket"),
    "scan from the menu": pushes.scan_code("k", "扫码", "内容", wait=True),
    "message menu click": pushes.text("满意", "s1"),
}


@pytest.mark.parametrize("action", list(ACTIONS))
async def test_three_messages_within_a_minute_after(
    platform: SimulatedPlatform, api: ApiClient, yang: Follower, clock: MovedClock, action: str
) -> None:
    await platform.do(yang.openid, ACTIONS[action])
    assert await errcodes(api, yang.openid, 4) == [0, 0, 0, 45047]
    clock.move(timedelta(minutes=1))
    assert await errcodes(api, yang.openid, 1) == [45015]


@pytest.mark.parametrize(
    "action",
    [
        pushes.view("https://a.example/", "官网", "1"),
        pushes.position_reported(27.7, 109.2),
        pushes.subscribe_answered({"t": True}),
    ],
    ids=["view", "position", "opt-in"],
)
async def test_what_opens_no_allowance(
    platform: SimulatedPlatform, api: ApiClient, yang: Follower, action: pushes.Push
) -> None:
    await platform.do(yang.openid, action)
    assert await errcodes(api, yang.openid, 1) == [45015]


@pytest.mark.parametrize(("adds_up", "expected"), [(False, 5), (True, 8)])
def test_the_two_readings_of_the_rule(adds_up: bool, expected: int) -> None:
    allowance = Allowance(adds_up).granted(Grant.MESSAGE, NOW).granted(Grant.TAP, NOW)
    sent = 0
    while allowance.left(NOW):
        allowance = allowance.spent(NOW)
        sent += 1
    assert sent == expected
    assert allowance.is_open(NOW)


def test_a_tap_leaves_the_message_window_alone_once_its_minute_is_over() -> None:
    allowance = Allowance(adds_up=True).granted(Grant.MESSAGE, NOW).granted(Grant.TAP, NOW).spent(NOW)
    later = NOW + timedelta(minutes=2)
    assert (allowance.left(NOW), allowance.left(later)) == (7, 5)


async def test_nobody_writes_to_those_who_left_or_are_unknown(
    platform: SimulatedPlatform, api: ApiClient, yang: Follower
) -> None:
    await platform.say(yang.openid, "你好")
    await platform.unfollow(yang.openid)
    assert await errcodes(api, yang.openid, 1) == [45015]
    assert await errcodes(api, "oNobody", 1) == [40003]


async def test_the_offset_closes_the_window(platform: SimulatedPlatform, api: ApiClient, yang: Follower) -> None:
    await platform.say(yang.openid, "你好")
    platform.clock.offset = timedelta(hours=1)
    assert await errcodes(api, yang.openid, 1) == [0]
    assert platform.allowance_left(yang.openid) == 4
    platform.clock.offset = timedelta(hours=49)
    assert platform.allowance_left(yang.openid) == 0


async def test_typing_needs_a_recent_message_and_not_twice(
    platform: SimulatedPlatform, api: ApiClient, yang: Follower, clock: MovedClock
) -> None:
    async def typing(command: str) -> object:
        body = await api.post("/cgi-bin/message/custom/typing", {"touser": yang.openid, "command": command})
        return body["errcode"]

    assert await typing("Typing") == 45080
    await platform.say(yang.openid, "你好")
    assert [await typing(command) for command in ("Nonsense", "Typing", "Typing")] == [45072, 0, 45081]
    assert [await typing(command) for command in ("CancelTyping", "Typing")] == [0, 0]
    await api.send_text(yang.openid)
    assert await typing("Typing") == 0
    clock.move(timedelta(seconds=31))
    assert await typing("Typing") == 45080


async def test_every_channel_is_kept_in_order(platform: SimulatedPlatform, api: ApiClient, yang: Follower) -> None:
    await platform.say(yang.openid, "你好")
    await api.send_text(yang.openid, "第二条")
    notice: JsonObject = {"touser": yang.openid, "template_id": "t", "data": {"thing1": {"value": "受理"}}}
    await api.post("/cgi-bin/message/template/send", notice)
    shown = platform.seen(yang.openid)
    assert [one.channel for one in shown] == [Channel.PASSIVE, Channel.CUSTOMER, Channel.TEMPLATE]
    assert [one.about.allowance_left for one in shown] == [5, 4, 4]
    assert [one.seq for one in shown] == sorted(one.seq for one in shown)
