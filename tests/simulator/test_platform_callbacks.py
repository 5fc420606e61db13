"""Deliveries over real HTTP: envelope, deadline, redelivery, and what the follower sees of the answer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiohttp import web

from bot.simulator import pushes
from bot.simulator.bubbles import MediaBubble, NewsBubble, TextBubble
from bot.simulator.core import BROKEN_ANSWER, NO_ANSWER
from bot.simulator.errors import NotOnScreen, UnknownFollower
from bot.simulator.models import BodyKind, Channel, Follower, Mode
from bot.simulator.platform import SimulatedPlatform
from bot.values.clock import MovedClock
from tests.simulator.client import PNG
from tests.simulator.gateway import Gateway, Message, config, reply_xml, text_xml


@asynccontextmanager
async def serving(mode: Mode) -> AsyncIterator[tuple[SimulatedPlatform, Gateway]]:
    """A platform and an account server in ``mode``."""
    account = Gateway(mode)
    runner = await account.start()
    try:
        async with SimulatedPlatform(config(account.url, mode), acknowledged_not_production=True) as simulated:
            yield simulated, account
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_text_is_signed_read_and_answered_in_every_mode(mode: Mode) -> None:
    async with serving(mode) as (simulated, account):
        openid = simulated.add_follower().openid
        exchange = await simulated.say(openid, "你好 ]]> <b>&")
        assert exchange.text == "收到:你好 ]]> <b>&"
        assert [shown.channel for shown in simulated.seen(openid)] == [Channel.PASSIVE]
        assert account.messages[0]["FromUserName"] == openid
        assert account.messages[0]["ToUserName"] == simulated.config.account_id
        assert await simulated.verify_callback()


@pytest.mark.parametrize(("mode", "clear", "sealed"), [(Mode.PLAIN, True, False), (Mode.SAFE, False, True)])
async def test_what_travels_is_what_the_mode_says(mode: Mode, clear: bool, sealed: bool) -> None:
    async with serving(mode) as (simulated, account):
        await simulated.say(simulated.add_follower().openid, "明文在哪里")
        assert ("明文在哪里".encode() in account.bodies[0]) is clear
        assert (b"<Encrypt>" in account.bodies[0]) is sealed
        assert (account.queries[0].get("encrypt_type") == "aes") is sealed
        assert ("msg_signature" in account.queries[0]) is sealed


async def test_compatible_mode_carries_both_and_takes_either_reply() -> None:
    async with serving(Mode.COMPATIBLE) as (simulated, account):
        openid = simulated.add_follower().openid
        await simulated.say(openid, "两份")
        assert "两份".encode() in account.bodies[0]
        assert b"<Encrypt>" in account.bodies[0]
        account.encrypts = False
        assert (await simulated.say(openid, "再来")).text == "收到:再来"


async def test_the_second_delivery_comes_while_the_first_is_still_worked_on(
    hasty: SimulatedPlatform, gateway: Gateway
) -> None:
    gateway.hangs = 1
    exchange = await hasty.say(hasty.add_follower().openid, "慢")
    assert [attempt.body_kind for attempt in exchange.attempts] == [BodyKind.TIMEOUT, BodyKind.REPLY]
    assert [message["MsgId"] for message in gateway.messages] == [str(exchange.delivery.msg_id)] * 2
    assert [message["CreateTime"] for message in gateway.messages] == [str(exchange.delivery.create_time)] * 2
    assert len({query["nonce"] for query in gateway.queries}) == 2
    assert exchange.text == "收到:慢"
    assert exchange.shown[0].about.attempts == 2
    assert exchange.attempts[0].latency_s >= hasty.config.deadline_s


async def test_after_three_deliveries_without_an_answer_the_follower_is_told(
    hasty: SimulatedPlatform, gateway: Gateway
) -> None:
    gateway.hangs = 4
    exchange = await hasty.say(hasty.add_follower().openid, "没人")
    assert len(gateway.messages) == 3
    assert [(shown.channel, shown.text) for shown in exchange.shown] == [(Channel.NOTICE, NO_ANSWER)]


async def test_an_event_nobody_waits_for_fails_in_silence(hasty: SimulatedPlatform, gateway: Gateway) -> None:
    gateway.hangs = 4
    exchange = await hasty.do(hasty.add_follower().openid, pushes.position_reported(27.7, 109.2))
    assert (len(exchange.attempts), exchange.shown) == (3, [])


async def test_an_error_status_and_a_dead_port_are_delivered_again(
    platform: SimulatedPlatform, gateway: Gateway, yang: Follower
) -> None:
    async def broken(_message: Message) -> web.Response:
        return web.Response(status=502)

    gateway.answer = broken
    exchange = await platform.say(yang.openid, "在吗")
    assert [(attempt.status, attempt.body_kind) for attempt in exchange.attempts] == [(502, BodyKind.HTTP_ERROR)] * 3
    dead = await platform.say(yang.openid, "在吗", callback_url="http://127.0.0.1:9/wechat")
    assert [attempt.body_kind for attempt in dead.attempts] == [BodyKind.DISCONNECTED] * 3
    assert dead.text == NO_ANSWER


@pytest.mark.parametrize(("body", "kind"), [("success", BodyKind.SUCCESS), ("", BodyKind.EMPTY)])
async def test_success_and_an_empty_body_show_nothing(
    platform: SimulatedPlatform, gateway: Gateway, yang: Follower, body: str, kind: BodyKind
) -> None:
    async def answer(_message: Message) -> str:
        return body

    gateway.answer = answer
    exchange = await platform.say(yang.openid, "收到没")
    assert [attempt.body_kind for attempt in exchange.attempts] == [kind]
    assert platform.seen(yang.openid) == []


_ARTICLE = "<item><Title>题</Title><Description>文</Description><PicUrl/><Url>https://a.example/</Url></item>"
BROKEN_REPLIES: dict[str, Callable[[Message], str]] = {
    "xml": lambda _message: '{"content": "JSON"}',
    "to_user_name": lambda message: text_xml({**message, "FromUserName": "oSomebodyElse"}, "好"),
    "from_user_name": lambda message: text_xml({**message, "ToUserName": "gh_other"}, "好"),
    "create_time": lambda message: text_xml(message, "好").replace("1750000000", "now"),
    "msg_type": lambda message: reply_xml(message, "<Content>好</Content>", "markdown"),
    "text_too_long": lambda message: text_xml(message, "长" * 683),
    "element": lambda message: reply_xml(message, "<Content></Content>"),
    "media_id": lambda message: reply_xml(message, "<Image><MediaId>none</MediaId></Image>", "image"),
    "too_many_articles": lambda message: reply_xml(
        message, f"<ArticleCount>2</ArticleCount><Articles>{_ARTICLE * 2}</Articles>", "news"
    ),
    "article_count": lambda message: reply_xml(
        message, f"<ArticleCount>2</ArticleCount><Articles>{_ARTICLE}</Articles>", "news"
    ),
}


@pytest.mark.parametrize("rule", list(BROKEN_REPLIES))
async def test_a_broken_reply_is_recorded_and_shown_as_a_fault(
    platform: SimulatedPlatform, gateway: Gateway, yang: Follower, rule: str
) -> None:
    async def answer(message: Message) -> str:
        return BROKEN_REPLIES[rule](message)

    gateway.answer = answer
    exchange = await platform.say(yang.openid, "你好")
    assert exchange.violation is not None
    assert exchange.violation.rule == rule
    assert platform.violations == [(yang.openid, exchange.violation)]
    assert (exchange.text, len(exchange.attempts)) == (BROKEN_ANSWER, 1)


async def test_text_that_breaks_out_of_its_cdata_is_a_fault(
    platform: SimulatedPlatform, gateway: Gateway, yang: Follower
) -> None:
    async def answer(message: Message) -> str:
        injected = "好]]></Content><Content><![CDATA[坏"
        return reply_xml(message, f"<Content><![CDATA[{injected}]]></Content>")

    gateway.answer = answer
    exchange = await platform.say(yang.openid, "你好")
    assert exchange.violation is not None
    assert exchange.violation.rule == "element"


async def test_the_longest_text_and_every_other_reply_type_are_shown(
    platform: SimulatedPlatform, gateway: Gateway, yang: Follower, clock: MovedClock
) -> None:
    media_id = platform.media.upload("image", PNG, clock.now()).media_id
    replies = {
        "文": lambda message: text_xml(message, "长" * 682 + "ab"),
        "图": lambda message: reply_xml(message, f"<Image><MediaId>{media_id}</MediaId></Image>", "image"),
        "闻": lambda message: reply_xml(
            message, f"<ArticleCount>1</ArticleCount><Articles>{_ARTICLE}</Articles>", "news"
        ),
        "转": lambda message: reply_xml(message, "", "transfer_customer_service"),
    }

    async def answer(message: Message) -> str:
        return replies[message["Content"]](message)

    gateway.answer = answer
    bubbles = [(await platform.say(yang.openid, word)).shown for word in replies]
    assert [type(shown[0].bubble) for shown in bubbles[:3]] == [TextBubble, MediaBubble, NewsBubble]
    assert bubbles[3] == []
    assert platform.violations == []


async def test_an_unencrypted_reply_in_safe_mode_is_a_fault(
    platform: SimulatedPlatform, gateway: Gateway, yang: Follower
) -> None:
    gateway.encrypts = False
    exchange = await platform.say(yang.openid, "你好")
    assert exchange.violation is not None
    assert exchange.violation.rule == "not_encrypted"


@pytest.mark.parametrize(
    ("spoil", "rule"), [("MsgSignature", "signature"), ("Encrypt", "signature"), ("Nonce", "signature")]
)
async def test_a_reply_whose_envelope_was_changed_is_a_fault(
    platform: SimulatedPlatform, gateway: Gateway, yang: Follower, spoil: str, rule: str
) -> None:
    async def answer(message: Message) -> web.Response:
        sealed = gateway.sealed(text_xml(message, "好"))
        return web.Response(text=sealed.replace(f"<{spoil}><![CDATA[", f"<{spoil}><![CDATA[x"))

    gateway.answer = answer
    exchange = await platform.say(yang.openid, "你好")
    assert exchange.violation is not None
    assert exchange.violation.rule == rule


async def test_one_delivery_sent_three_times_at_once_to_two_gateways_is_shown_once(
    platform: SimulatedPlatform, gateway: Gateway, yang: Follower
) -> None:
    other = Gateway()
    runner = await other.start()
    delivery = platform.prepare(yang.openid, pushes.text("报名"))
    attempts = await platform.deliver(delivery, times=3, callback_urls=[gateway.url, other.url])
    again = await platform.deliver(delivery, callback_urls=[other.url])
    await runner.cleanup()
    assert (len(gateway.messages), len(other.messages)) == (2, 2)
    assert {message["MsgId"] for message in (*gateway.messages, *other.messages)} == {str(delivery.msg_id)}
    assert len({attempt.reply_xml for attempt in (*attempts, *again)}) == 1
    assert [shown.text for shown in platform.seen(yang.openid)] == ["收到:报名"]
    assert len(platform.conversation(yang.openid)) == 2


async def test_two_equal_events_in_one_second_can_be_told_apart(
    platform: SimulatedPlatform, gateway: Gateway, yang: Follower
) -> None:
    first = await platform.do(yang.openid, pushes.click("status", "查进度"))
    second = await platform.do(yang.openid, pushes.click("status", "查进度"))
    assert second.delivery.create_time == first.delivery.create_time + 1
    assert "MsgId" not in gateway.messages[0]


async def test_the_fields_of_messages_and_events(
    platform: SimulatedPlatform, gateway: Gateway, yang: Follower
) -> None:
    await platform.say(yang.openid, "满意", menu_id="s1")
    await platform.send_image(yang.openid, PNG)
    await platform.send_voice(yang.openid, "老板跑路咯")
    await platform.send_location(yang.openid, 27.7, 109.2, "锦江广场")
    await platform.follow(yang.openid, "ws2026")
    await platform.scan(yang.openid, "ws2026")
    menu_text, image, voice, place, follow, scan = gateway.messages
    assert menu_text["bizmsgmenuid"] == "s1"
    assert platform.media.has(image["MediaId"], platform.clock.now())
    assert image["PicUrl"].endswith(f"/mmbiz_pic/{image['MediaId']}/0")
    assert {"MediaId", "MediaId16K", "Format"} <= voice.keys()
    assert "Recognition" not in voice
    assert (place["Location_X"], place["Location_Y"], place["Label"]) == ("27.7", "109.2", "锦江广场")
    assert (follow["Event"], follow["EventKey"]) == ("subscribe", "qrscene_ws2026")
    assert (scan["Event"], scan["EventKey"], scan["Ticket"]) == ("SCAN", "ws2026", follow["Ticket"])


async def test_lists_in_events_repeat_the_platforms_way(
    platform: SimulatedPlatform, gateway: Gateway, yang: Follower
) -> None:
    await platform.answer_opt_in(yang.openid, {"t1": True, "t2": False})
    await platform.do(yang.openid, pushes.picture_chosen("pic_weixin", "k", "照片", ["a", "b"]))
    popup: object = gateway.messages[0]["SubscribeMsgPopupEvent"]
    pictures: object = gateway.messages[1]["SendPicsInfo"]
    first = {"TemplateId": "t1", "SubscribeStatusString": "accept", "PopupScene": "1"}
    assert popup == {"List": [first, {**first, "TemplateId": "t2", "SubscribeStatusString": "reject"}]}
    assert pictures == {"Count": "2", "PicList": {"item": [{"PicMd5Sum": "a"}, {"PicMd5Sum": "b"}]}}


async def test_nothing_reaches_somebody_who_left(
    platform: SimulatedPlatform, gateway: Gateway, yang: Follower
) -> None:
    async def answer(message: Message) -> str:
        return text_xml(message, "再见")

    gateway.answer = answer
    await platform.unfollow(yang.openid)
    assert gateway.messages[0]["Event"] == "unsubscribe"
    assert platform.seen(yang.openid) == []
    assert platform.allowance_left(yang.openid) == 0


async def test_hostile_bodies_can_be_posted_as_they_are(platform: SimulatedPlatform, gateway: Gateway) -> None:
    sealed = platform.seal("<xml><MsgType>nothing</MsgType></xml>", "oNobody")
    assert (await platform.post(sealed.query, b"garbage")).status == 500
    assert (await platform.post({**sealed.query, "signature": "0" * 40}, sealed.body)).status == 500
    assert gateway.messages == []


async def test_clicking_sends_what_the_newest_link_says(
    platform: SimulatedPlatform, gateway: Gateway, yang: Follower
) -> None:
    async def answer(message: Message) -> str:
        link = '<a href="weixin://bizmsgmenu?msgmenucontent=我同意&amp;msgmenuid=c1">同意</a> 或 <b>不</b>'
        return text_xml(message, link)

    gateway.answer = answer
    exchange = await platform.say(yang.openid, "你好")
    assert exchange.text == "同意 或 <b>不</b>"
    await platform.click(yang.openid, "同意")
    assert (gateway.messages[1]["Content"], gateway.messages[1]["bizmsgmenuid"]) == ("我同意", "c1")
    with pytest.raises(NotOnScreen):
        await platform.click(yang.openid, "不")


async def test_waiting_for_a_message_that_comes_later(platform: SimulatedPlatform, yang: Follower) -> None:
    waiting = asyncio.create_task(platform.wait_for(yang.openid, lambda shown: "晚到" in shown.text))
    await asyncio.sleep(0)
    platform.show(yang.openid, Channel.CUSTOMER, TextBubble("先来"))
    platform.show(yang.openid, Channel.CUSTOMER, TextBubble("晚到的回答"))
    assert (await waiting).text == "晚到的回答"
    with pytest.raises(TimeoutError):
        await platform.wait_for(yang.openid, lambda shown: "永远" in shown.text, timeout_s=0.01)


async def test_the_offset_moves_the_rules_but_not_the_callbacks(
    platform: SimulatedPlatform, gateway: Gateway, yang: Follower, clock: MovedClock
) -> None:
    platform.clock.offset = timedelta(days=10)
    await platform.say(yang.openid, "几点")
    assert gateway.queries[0]["timestamp"] == str(int(clock.now().timestamp()))


async def test_an_unknown_follower_is_an_error(platform: SimulatedPlatform) -> None:
    with pytest.raises(UnknownFollower):
        await platform.say("oNobody", "你好")


async def test_the_check_of_the_settings_page_needs_the_echo(platform: SimulatedPlatform, gateway: Gateway) -> None:
    assert await platform.verify_callback()
    assert not await platform.verify_callback(gateway.url.replace("/wechat", "/elsewhere"))
    assert not await platform.verify_callback("http://127.0.0.1:9/wechat")
