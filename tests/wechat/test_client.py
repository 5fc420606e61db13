"""The API client against a server that speaks as the platform does."""

import traceback
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import aiohttp
import pytest

from bot.values.clock import LOCAL_ZONE
from bot.wechat import wire
from bot.wechat.client import FollowerPage, Media, QrCode, Quota, UserInfo, VideoUrl, WeChatApi
from bot.wechat.errors import (
    AllowanceUsedUp,
    AnswerTooLarge,
    ApiCallFailed,
    ApiError,
    Blocked,
    ContentTooLong,
    InvalidMedia,
    IpNotAllowed,
    NotAuthorised,
    NotFollowing,
    OutcomeUnknown,
    QuotaUsedUp,
    ReplyWindowClosed,
    SystemBusy,
    TemplateFieldInvalid,
    Throttled,
    TimedOut,
    TokenRejected,
    TypingRefused,
    Unreachable,
    UserRefused,
)
from bot.wechat.models import Choice, CustomerMenu, CustomerText
from bot.wechat.token import StableToken
from tests.wechat.conftest import APP_ID
from tests.wechat.fake_api import FakeApi, Raw

OPENID = "oXbF21AbCdEfGhIjKlMnOpQrStU0"
SEND = "/cgi-bin/message/custom/send"
TOKENS = "/cgi-bin/stable_token"
REFUSED = {"errcode": 40001, "errmsg": "invalid credential, access_token is invalid rid: 6a0b-1"}


@pytest.fixture
async def wechat(http: aiohttp.ClientSession, api: FakeApi, redis: Any) -> WeChatApi:
    tokens = StableToken(redis, http, api.base, APP_ID, "secret", api.clock)
    return WeChatApi(http, tokens, api.base, APP_ID)


class FixedToken:
    """A token source of no platform."""

    async def get(self) -> str:
        return "fixed-token"

    async def replace(self, refused: str) -> str:
        return f"not-{refused}"


def at(http: aiohttp.ClientSession, base: str, **limits: float) -> WeChatApi:
    return WeChatApi(http, FixedToken(), base, APP_ID, **limits)


Use = Callable[[WeChatApi], Awaitable[Any]]
DATA = {"thing1": "勤工俭学", "time2": "2026年7月1日"}
DATA_JSON = {"thing1": {"value": "勤工俭学"}, "time2": {"value": "2026年7月1日"}}
FOLLOWER = {
    "subscribe": 1,
    "openid": OPENID,
    "subscribe_time": 1795276800,
    "unionid": "o6_b",
    "remark": "",
    "tagid_list": [128, 2],
    "subscribe_scene": "ADD_SCENE_QR_CODE",
    "qr_scene": 0,
    "qr_scene_str": "site-07",
}
FOLLOWER_INFO = UserInfo(
    OPENID, True, datetime(2026, 11, 22, tzinfo=LOCAL_ZONE), "o6_b", "", (128, 2), "ADD_SCENE_QR_CODE", "site-07"
)

# Name: what is called, the expected method, path and body or query, what the platform says, what comes back.
CALLS: dict[str, tuple[Use, str, str, Mapping[str, Any], Mapping[str, Any], Any]] = {
    "customer text": (
        lambda wechat: wechat.send_customer_message(OPENID, CustomerText("您好")),
        "POST",
        "message/custom/send",
        {"touser": OPENID, "msgtype": "text", "text": {"content": "您好"}},
        {"errcode": 0, "errmsg": "ok"},
        None,
    ),
    "customer menu by a person": (
        lambda wechat: wechat.send_customer_message(OPENID, CustomerMenu("选", (Choice("a", "甲"),)), "lawyer1@tr"),
        "POST",
        "message/custom/send",
        {
            "touser": OPENID,
            "msgtype": "msgmenu",
            "msgmenu": {"head_content": "选", "list": [{"id": "a", "content": "甲"}]},
            "customservice": {"kf_account": "lawyer1@tr"},
        },
        {"errcode": 0, "errmsg": "ok"},
        None,
    ),
    "typing": (
        lambda wechat: wechat.typing(OPENID, True),
        "POST",
        "message/custom/typing",
        {"touser": OPENID, "command": "Typing"},
        {"errcode": 0, "errmsg": "ok"},
        None,
    ),
    "typing ends": (
        lambda wechat: wechat.typing(OPENID, False),
        "POST",
        "message/custom/typing",
        {"touser": OPENID, "command": "CancelTyping"},
        {"errcode": 0, "errmsg": "ok"},
        None,
    ),
    "template": (
        lambda wechat: wechat.send_template(OPENID, "tmpl", DATA),
        "POST",
        "message/template/send",
        {"touser": OPENID, "template_id": "tmpl", "data": DATA_JSON},
        {"errcode": 0, "errmsg": "ok", "msgid": 200228332},
        200228332,
    ),
    "template once": (
        lambda wechat: wechat.send_template(OPENID, "tmpl", DATA, url="https://a/", client_msg_id="r-1"),
        "POST",
        "message/template/send",
        {
            "touser": OPENID,
            "template_id": "tmpl",
            "data": DATA_JSON,
            "url": "https://a/",
            "client_msg_id": "r-1",
        },
        {"errcode": 0, "errmsg": "ok", "msgid": 1},
        1,
    ),
    "subscribe": (
        lambda wechat: wechat.send_subscribe(OPENID, "tmpl", DATA),
        "POST",
        "message/subscribe/bizsend",
        {"touser": OPENID, "template_id": "tmpl", "data": DATA_JSON},
        {"errcode": 0, "errmsg": "ok"},
        None,
    ),
    "create menu": (
        lambda wechat: wechat.create_menu({"button": [{"type": "click", "name": "报名", "key": "k"}]}),
        "POST",
        "menu/create",
        {"button": [{"type": "click", "name": "报名", "key": "k"}]},
        {"errcode": 0, "errmsg": "ok"},
        None,
    ),
    "get menu": (
        lambda wechat: wechat.get_menu(),
        "GET",
        "menu/get",
        {},
        {"menu": {"button": []}},
        {"menu": {"button": []}},
    ),
    "no menu": (lambda wechat: wechat.get_menu(), "GET", "menu/get", {}, {"errcode": 46003, "errmsg": "no"}, None),
    "delete menu": (
        lambda wechat: wechat.delete_menu(),
        "GET",
        "menu/delete",
        {},
        {"errcode": 0, "errmsg": "ok"},
        None,
    ),
    "user": (
        lambda wechat: wechat.user_info(OPENID),
        "GET",
        "user/info",
        {"openid": OPENID, "lang": "zh_CN"},
        FOLLOWER,
        FOLLOWER_INFO,
    ),
    "stranger": (
        lambda wechat: wechat.user_info(OPENID),
        "GET",
        "user/info",
        {"openid": OPENID, "lang": "zh_CN"},
        {"subscribe": 0, "openid": OPENID},
        UserInfo(OPENID, False),
    ),
    "users": (
        lambda wechat: wechat.user_infos([OPENID, "o2"]),
        "POST",
        "user/info/batchget",
        {"user_list": [{"openid": OPENID}, {"openid": "o2"}]},
        {"user_info_list": [FOLLOWER, {"subscribe": 0, "openid": "o2"}]},
        [FOLLOWER_INFO, UserInfo("o2", False)],
    ),
    "followers": (
        lambda wechat: wechat.followers(),
        "GET",
        "user/get",
        {},
        {"total": 23000, "count": 2, "data": {"openid": ["o1", "o2"]}, "next_openid": "o2"},
        FollowerPage(("o1", "o2"), "o2", 23000),
    ),
    "last followers": (
        lambda wechat: wechat.followers("o2"),
        "GET",
        "user/get",
        {"next_openid": "o2"},
        {"total": 2, "count": 0, "next_openid": "o2"},
        FollowerPage((), None, 2),
    ),
    "quota": (
        lambda wechat: wechat.quota("/cgi-bin/message/custom/send"),
        "POST",
        "openapi/quota/get",
        {"cgi_path": "/cgi-bin/message/custom/send"},
        {
            "errcode": 0,
            "quota": {"daily_limit": 500000, "used": 7, "remain": 499993},
            "rate_limit": {"call_count": 1000, "refresh_second": 60},
        },
        Quota(500000, 7, 499993, 1000, 60),
    ),
    "QR code": (
        lambda wechat: wechat.create_qr("site-07", 86400),
        "POST",
        "qrcode/create",
        {
            "action_name": "QR_STR_SCENE",
            "action_info": {"scene": {"scene_str": "site-07"}},
            "expire_seconds": 86400,
        },
        {"ticket": "gQH4", "expire_seconds": 86400, "url": "http://weixin.qq.com/q/kZ"},
        QrCode("gQH4", "http://weixin.qq.com/q/kZ", 86400),
    ),
    "permanent QR code": (
        lambda wechat: wechat.create_qr(7),
        "POST",
        "qrcode/create",
        {"action_name": "QR_LIMIT_SCENE", "action_info": {"scene": {"scene_id": 7}}},
        {"ticket": "gQH4", "url": "http://weixin.qq.com/q/kZ"},
        QrCode("gQH4", "http://weixin.qq.com/q/kZ", None),
    ),
    "video": (
        lambda wechat: wechat.download_media("m1"),
        "GET",
        "media/get",
        {"media_id": "m1"},
        {"video_url": "https://a/v.mp4"},
        VideoUrl("https://a/v.mp4"),
    ),
}


@pytest.mark.parametrize("name", CALLS)
async def test_every_call(wechat: WeChatApi, api: FakeApi, name: str) -> None:
    use, method, endpoint, sent, said, result = CALLS[name]
    api.say(f"/cgi-bin/{endpoint}", said)
    assert await use(wechat) == result
    (call,) = api.calls_to(f"/cgi-bin/{endpoint}")
    assert call.method == method
    assert call.query["access_token"] == "token-1"
    if method == "POST":
        assert call.content_type == "application/json"
        assert call.json == sent
    else:
        assert {name: value for name, value in call.query.items() if name != "access_token"} == sent


async def test_json_is_real_utf8(wechat: WeChatApi, api: FakeApi) -> None:
    await wechat.send_customer_message(OPENID, CustomerText("两癌筛查🌸\ud800"))
    (call,) = api.calls_to(SEND)
    assert "两癌筛查🌸?".encode() in call.body
    assert b"\\u" not in call.body


class TestMedia:
    async def test_upload(self, wechat: WeChatApi, api: FakeApi) -> None:
        api.say("/cgi-bin/media/upload", {"type": "image", "media_id": "m1", "created_at": 1795276800})
        assert await wechat.upload_media("image", b"\x89PNG\x00", "receipt.png") == "m1"
        (call,) = api.calls_to("/cgi-bin/media/upload")
        assert (call.query["type"], call.content_type) == ("image", "multipart/form-data")
        assert b'name="media"; filename="receipt.png"' in call.body
        assert b"Content-Type: image/png\r\n" in call.body
        assert b"\x89PNG\x00" in call.body

    async def test_thumbs_have_an_id_of_their_own_name(self, wechat: WeChatApi, api: FakeApi) -> None:
        api.say("/cgi-bin/media/upload", {"type": "thumb", "thumb_media_id": "t1"})
        assert await wechat.upload_media("thumb", b"jpg", "a.jpg") == "t1"

    async def test_an_upload_is_repeated_whole_with_a_new_token(self, wechat: WeChatApi, api: FakeApi) -> None:
        api.say("/cgi-bin/media/upload", REFUSED, {"media_id": "m1"})
        assert await wechat.upload_media("image", b"content", "a.png") == "m1"
        assert [b"content" in call.body for call in api.calls_to("/cgi-bin/media/upload")] == [True, True]

    async def test_download(self, wechat: WeChatApi, api: FakeApi) -> None:
        api.say("/cgi-bin/media/get", Raw(b"\xff\xd8\xff\x00", "image/jpeg"), Raw(b"#!AMR", "audio/amr"))
        assert await wechat.download_media("m1") == Media(b"\xff\xd8\xff\x00", "image/jpeg")
        assert await wechat.download_media("m2") == Media(b"#!AMR", "audio/amr")

    @pytest.mark.parametrize("content_type", ["text/plain", "application/json"])
    async def test_an_error_comes_as_json_with_status_200(
        self, wechat: WeChatApi, api: FakeApi, content_type: str
    ) -> None:
        api.say("/cgi-bin/media/get", Raw(b'{"errcode":40007,"errmsg":"invalid media_id rid: 1-2"}', content_type))
        with pytest.raises(InvalidMedia):
            await wechat.download_media("m1")

    async def test_a_file_is_not_read_beyond_the_limit(self, wechat: WeChatApi, api: FakeApi) -> None:
        api.say("/cgi-bin/media/get", Raw(bytes(wire.MAX_ANSWER_BYTES + 1), "video/mp4"))
        with pytest.raises(AnswerTooLarge):
            await wechat.download_media("m1")

    async def test_an_answer_without_an_id_is_named(self, wechat: WeChatApi, api: FakeApi) -> None:
        api.say("/cgi-bin/media/upload", {"type": "image"})
        with pytest.raises(OutcomeUnknown):
            await wechat.upload_media("image", b"content", "a.png")


class TestErrors:
    @pytest.mark.parametrize(
        ("errcode", "kind"),
        [
            (40003, NotFollowing),
            (40007, InvalidMedia),
            (40164, IpNotAllowed),
            (43004, NotFollowing),
            (43101, UserRefused),
            (45002, ContentTooLong),
            (45009, QuotaUsedUp),
            (45011, Throttled),
            (45015, ReplyWindowClosed),
            (45047, AllowanceUsedUp),
            (45080, TypingRefused),
            (48001, NotAuthorised),
            (48002, Blocked),
            (99999, ApiError),
        ],
    )
    async def test_codes_are_typed(self, wechat: WeChatApi, api: FakeApi, errcode: int, kind: type[ApiError]) -> None:
        api.say(SEND, {"errcode": errcode, "errmsg": f"refused openid {OPENID} rid: 6a0b-11-ff"})
        with pytest.raises(ApiError) as error:
            await wechat.send_customer_message(OPENID, CustomerText("您好"))
        assert type(error.value) is kind
        assert (error.value.errcode, error.value.rid) == (errcode, "6a0b-11-ff")
        assert OPENID in error.value.errmsg
        assert len(api.calls_to(SEND)) == 1

    async def test_a_code_may_be_a_text(self, wechat: WeChatApi, api: FakeApi) -> None:
        api.say(SEND, {"errcode": "45047", "errmsg": "out of response count limit"})
        with pytest.raises(AllowanceUsedUp):
            await wechat.send_customer_message(OPENID, CustomerText("您好"))

    async def test_the_wrong_field_of_a_template_is_named(self, wechat: WeChatApi, api: FakeApi) -> None:
        said = {"errcode": 47003, "errmsg": "argument invalid! data.thing1.value invalid rid: 6a-1"}
        api.say("/cgi-bin/message/template/send", said)
        with pytest.raises(TemplateFieldInvalid) as error:
            await wechat.send_template(OPENID, "tmpl", DATA)
        assert error.value.field == "thing1"

    @pytest.mark.parametrize(
        "answer",
        [
            {"errcode": 45015, "errmsg": f"{OPENID} 10.1.2.3"},
            {"errcode": "many", "errmsg": OPENID},
            Raw(b"<html>", "text/html"),
            Raw(b"[]", "application/json"),
            Raw(b"\x00\x01", "image/png"),
            Raw(status=502),
            Raw(status=302),
            Raw(hangs_up=True),
        ],
        ids=str,
    )
    async def test_no_error_holds_anything_personal_or_the_token(
        self, http: aiohttp.ClientSession, api: FakeApi, answer: Mapping[str, Any] | Raw
    ) -> None:
        # Twice, because the HTTP client repeats a GET whose connection broke.
        api.say("/cgi-bin/user/info", answer, answer)
        with pytest.raises(ApiCallFailed) as error:
            await at(http, api.base).user_info(OPENID)
        told = "".join(traceback.format_exception(error.value))
        assert OPENID not in told
        assert "fixed-token" not in told
        assert "10.1.2.3" not in told


class TestRetries:
    @pytest.mark.parametrize("errcode", [40001, 40014, 42001])
    async def test_a_refused_token_is_replaced_once(self, wechat: WeChatApi, api: FakeApi, errcode: int) -> None:
        await wechat.typing(OPENID, True)
        api.rotate()
        api.say(SEND, {"errcode": errcode, "errmsg": "access_token expired"})
        await wechat.send_customer_message(OPENID, CustomerText("您好"))
        assert [call.query["access_token"] for call in api.calls_to(SEND)] == ["token-1", "token-2"]
        assert api.fetches == 2

    async def test_a_token_refused_for_ever_costs_two_calls(self, wechat: WeChatApi, api: FakeApi) -> None:
        api.say(SEND, *[REFUSED] * 10)
        with pytest.raises(TokenRejected):
            await wechat.send_customer_message(OPENID, CustomerText("您好"))
        assert len(api.calls_to(SEND)) == 2
        assert len(api.calls_to(TOKENS)) == 2

    async def test_a_busy_platform_is_tried_again_with_pauses(self, wechat: WeChatApi, api: FakeApi) -> None:
        pauses = recorded_pauses(wechat)
        busy = {"errcode": -1, "errmsg": "system error"}
        api.say(SEND, busy, busy)
        await wechat.send_customer_message(OPENID, CustomerText("您好"))
        assert pauses == [0.2, 0.8]
        api.say(SEND, busy, busy, busy)
        with pytest.raises(SystemBusy):
            await wechat.send_customer_message(OPENID, CustomerText("您好"))
        assert len(api.calls_to(SEND)) == 6

    async def test_what_may_have_arrived_is_not_sent_twice(self, wechat: WeChatApi, api: FakeApi) -> None:
        api.say(SEND, Raw(hangs_up=True))
        with pytest.raises(OutcomeUnknown):
            await wechat.send_customer_message(OPENID, CustomerText("您好"))
        assert len(api.calls_to(SEND)) == 1


def recorded_pauses(wechat: WeChatApi) -> list[float]:
    """Let the client's pauses pass at once, and return them as they come."""
    pauses: list[float] = []

    async def pass_at_once(delay_s: float) -> None:
        pauses.append(delay_s)

    wechat.client._sleep = pass_at_once
    return pauses


class TestTime:
    async def test_a_call_has_an_end(self, http: aiohttp.ClientSession, api: FakeApi) -> None:
        api.say(SEND, Raw(stays_away=True))
        with pytest.raises(TimedOut):
            await at(http, api.base, call_timeout_s=0.05).send_customer_message(OPENID, CustomerText("您好"))

    async def test_files_have_more_time(self, http: aiohttp.ClientSession, api: FakeApi) -> None:
        api.say("/cgi-bin/media/get", Raw(stays_away=True))
        with pytest.raises(TimedOut):
            await at(http, api.base, call_timeout_s=20, file_timeout_s=0.05).download_media("m1")

    async def test_nobody_there(self, http: aiohttp.ClientSession) -> None:
        with pytest.raises(Unreachable):
            await at(http, "http://127.0.0.1:1").typing(OPENID, True)


@pytest.mark.parametrize(
    "use",
    [
        lambda wechat: wechat.user_infos([]),
        lambda wechat: wechat.user_infos(["o"] * 101),
        lambda wechat: wechat.create_qr(""),
        lambda wechat: wechat.create_qr("x" * 65),
        lambda wechat: wechat.create_qr("x", 2_592_001),
    ],
)
async def test_what_the_platform_would_refuse_is_not_sent(wechat: WeChatApi, api: FakeApi, use: Use) -> None:
    with pytest.raises(ValueError, match=r"1 to"):
        await use(wechat)
    assert api.calls == []
