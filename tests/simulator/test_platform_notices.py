"""Template messages and subscribe notifications."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.simulator.errors import ApiFault
from bot.simulator.json_body import JsonObject
from bot.simulator.models import Channel, Follower, Template
from bot.simulator.notices import shown_field
from bot.simulator.platform import SimulatedPlatform
from bot.simulator.server import start
from bot.values.clock import MovedClock
from tests.simulator.client import ApiClient
from tests.simulator.gateway import Gateway, config

SEND = "/cgi-bin/message/template/send"


def notice(openid: str, value: str = "受理通知", **more: str) -> JsonObject:
    """Return the body of a template message."""
    return {"touser": openid, "template_id": "t1", "data": {"thing1": {"value": value}}, **more}


async def test_a_template_is_shown_and_its_outcome_follows(
    platform: SimulatedPlatform, api: ApiClient, gateway: Gateway, yang: Follower
) -> None:
    answer = await api.post(SEND, notice(yang.openid))
    await platform.settle()
    assert [(one.channel, "受理通知" in one.text) for one in platform.seen(yang.openid)] == [(Channel.TEMPLATE, True)]
    event = gateway.messages[0]
    assert (event["Event"], event["MsgID"], event["Status"]) == (
        "TEMPLATESENDJOBFINISH",
        str(answer["msgid"]),
        "success",
    )


async def test_who_blocks_templates_sees_nothing(
    platform: SimulatedPlatform, api: ApiClient, gateway: Gateway, yang: Follower
) -> None:
    yang.blocks_templates = True
    assert (await api.post(SEND, notice(yang.openid)))["errcode"] == 0
    await platform.settle()
    assert platform.seen(yang.openid) == []
    assert gateway.messages[0]["Status"] == "failed:user block"


async def test_the_same_client_id_is_sent_once_in_ten_minutes(
    platform: SimulatedPlatform, api: ApiClient, yang: Follower, clock: MovedClock
) -> None:
    other = platform.add_follower("田大姐")
    first, second = [await api.post(SEND, notice(yang.openid, client_msg_id="c1")) for _ in range(2)]
    await api.post(SEND, notice(other.openid, client_msg_id="c1"))
    assert first["msgid"] == second["msgid"]
    assert (len(platform.seen(yang.openid)), len(platform.seen(other.openid))) == (1, 1)
    clock.move(timedelta(minutes=10))
    third = await api.post(SEND, notice(yang.openid, client_msg_id="c1"))
    assert third["msgid"] != first["msgid"]


async def test_refused_templates(platform: SimulatedPlatform, api: ApiClient, yang: Follower) -> None:
    stranger = platform.add_follower("路人", subscribed=False)
    assert (await api.post(SEND, notice(stranger.openid)))["errcode"] == 43004
    assert (await api.post(SEND, notice("oNobody")))["errcode"] == 40003
    long = await api.post(SEND, notice(yang.openid, "长" * 21))
    assert long["errcode"] == 47003
    assert "data.thing1.value" in str(long["errmsg"])
    assert platform.seen(yang.openid) == []


@pytest.fixture
async def strict(gateway: Gateway, clock: MovedClock) -> AsyncIterator[SimulatedPlatform]:
    """A platform whose account has one template."""
    templates = (Template("t1", "受理通知", {"thing1": "事项"}),)
    settings = replace(config(gateway.url), templates=templates)
    async with SimulatedPlatform(settings, clock, acknowledged_not_production=True) as simulated:
        running = await start(simulated, port=0)
        yield simulated
        await simulated.settle()
        await running.close()


async def test_an_accounts_own_templates_are_the_only_ones(strict: SimulatedPlatform, api: ApiClient) -> None:
    openid = strict.add_follower().openid
    api.base_url, api.token = strict.base_url, strict.tokens.stable(strict.clock.now(), force=False).value
    unknown = {**notice(openid), "template_id": "t2"}
    other_field: JsonObject = {**notice(openid), "data": {"thing9": {"value": "x"}}}
    assert (await api.post(SEND, unknown))["errcode"] == 40037
    assert (await api.post(SEND, other_field))["errcode"] == 47003
    assert (await api.post(SEND, notice(openid, "勤工俭学")))["errcode"] == 0
    assert strict.seen(openid)[0].text == "受理通知\n事项: 勤工俭学"


GOOD = [
    ("thing1", "长" * 20),
    ("number2", "3000.5"),
    ("letter1", "abc"),
    ("symbol1", "!?"),
    ("character_string3", "QG26-0713-0042"),
    ("time4", "2026年7月1日 09:30"),
    ("time4", "09:30~10:30"),
    ("date5", "2026年7月1日"),
    ("amount6", "¥3000.00元"),
    ("phone_number7", "0856-12351"),
    ("name8", "杨小芳"),
    ("car_number9", "贵D12345"),
    ("phrase10", "审核通过"),
    ("short_thing1", "碧江"),
    ("enum1", "男"),
    ("const2", "无"),
]
BAD = [
    ("thing1", ""), ("thing1", "两\n行"), ("number2", "三千"), ("letter1", "中"), ("symbol1", "a"),
    ("character_string3", "编号1"), ("time4", "明天"), ("date5", "09:30"), ("amount6", "很多"),
    ("phone_number7", "1" * 18), ("name8", "杨" * 11), ("phrase10", "通过了吗好的"), ("phrase10", "ok"),
    ("unknown1", "x"), ("Thing1", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_a_field_within_its_limits(name: str, value: str) -> None:
    assert shown_field(name, value) == value


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_field_beyond_its_limits(name: str, value: str) -> None:
    with pytest.raises(ApiFault) as caught:
        shown_field(name, value)
    assert caught.value.errcode == 47003
    assert name in caught.value.errmsg


def test_old_templates_are_cut_and_lose_their_ends() -> None:
    assert shown_field("keyword1", "长" * 21) == "长" * 20 + "…"
    assert shown_field("keyword1", "长" * 20) == "长" * 20
    assert shown_field("first", "您好") is None
    assert shown_field("remark", "谢谢") is None


async def test_subscribe_notifications_need_an_opt_in_each(
    platform: SimulatedPlatform, api: ApiClient, gateway: Gateway, yang: Follower
) -> None:
    path = "/cgi-bin/message/subscribe/bizsend"
    await platform.answer_opt_in(yang.openid, {"t1": True, "t2": False})
    assert [(await api.post(path, notice(yang.openid)))["errcode"] for _ in range(2)] == [0, 43101]
    refused: JsonObject = {**notice(yang.openid), "template_id": "t2"}
    assert (await api.post(path, refused))["errcode"] == 43101
    await platform.settle()
    assert [one.channel for one in platform.seen(yang.openid)] == [Channel.SUBSCRIBE]
    assert [message["Event"] for message in gateway.messages] == [
        "subscribe_msg_popup_event",
        "subscribe_msg_sent_event",
    ]
