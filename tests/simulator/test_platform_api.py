"""The platform's API: tokens, customer-service messages, media, menus, users, quotas, and its error codes."""

from datetime import timedelta

import pytest
from aiohttp import ClientSession

from bot.simulator.bubbles import MediaBubble, MenuBubble, NewsBubble
from bot.simulator.json_body import JsonObject
from bot.simulator.media import KIB, MIB
from bot.simulator.models import Follower
from bot.simulator.platform import AMR_HEADER, SimulatedPlatform
from bot.values.clock import MovedClock
from tests.simulator.client import PNG, ApiClient
from tests.simulator.gateway import APP_ID, APP_SECRET

SEND = "/cgi-bin/message/custom/send"
CREDENTIALS: JsonObject = {"grant_type": "client_credential", "appid": APP_ID, "secret": APP_SECRET}


async def stable(api: ApiClient, **changes: str | bool) -> JsonObject:
    """Ask for the stable token."""
    return await api.post("/cgi-bin/stable_token", {**CREDENTIALS, **changes})


async def test_the_stable_token_stays_the_same_and_rotates_with_an_overlap(api: ApiClient, clock: MovedClock) -> None:
    first = await stable(api)
    clock.move(timedelta(minutes=100))
    assert await stable(api) == {**first, "expires_in": 1200}
    clock.move(timedelta(minutes=16))
    second = await stable(api)
    assert second["access_token"] != first["access_token"]
    api.token = str(first["access_token"])
    assert "errcode" not in await api.get("/cgi-bin/user/get")
    clock.move(timedelta(minutes=4))
    assert (await api.get("/cgi-bin/user/get"))["errcode"] == 42001


async def test_a_forced_refresh_ends_the_old_token_and_is_limited(api: ApiClient, clock: MovedClock) -> None:
    old = api.token
    assert (await stable(api, force_refresh=True))["access_token"] != old
    assert (await api.get("/cgi-bin/user/get"))["errcode"] == 40001
    assert (await stable(api, force_refresh=True))["errcode"] == 45011
    codes = []
    for _ in range(20):
        clock.move(timedelta(seconds=31))
        codes.append((await stable(api, force_refresh=True)).get("errcode", 0))
    assert codes == [0] * 19 + [45009]


async def test_the_older_endpoint_issues_a_new_token_each_time(api: ApiClient, clock: MovedClock) -> None:
    query = {"grant_type": "client_credential", "appid": APP_ID, "secret": APP_SECRET}
    first, second = [(await api.get("/cgi-bin/token", **query))["access_token"] for _ in range(2)]
    assert first != second
    stable_token, api.token = api.token, str(first)
    assert "errcode" not in await api.get("/cgi-bin/user/get")
    clock.move(timedelta(minutes=5))
    assert (await api.get("/cgi-bin/user/get"))["errcode"] == 42001
    api.token = stable_token
    assert "errcode" not in await api.get("/cgi-bin/user/get")


@pytest.mark.parametrize(
    ("change", "errcode"),
    [({"grant_type": "x"}, 40002), ({"appid": "wx"}, 40013), ({"secret": "guess"}, 40125)],
    ids=["grant", "appid", "secret"],
)
async def test_wrong_credentials(api: ApiClient, change: dict[str, str], errcode: int) -> None:
    assert (await stable(api, **change))["errcode"] == errcode


async def test_missing_wrong_and_revoked_tokens_carry_a_rid(platform: SimulatedPlatform, api: ApiClient) -> None:
    assert (await api.post(SEND, {}, token=""))["errcode"] == 41001
    answer = await api.post(SEND, {}, token="guess")
    assert answer["errcode"] == 40001
    rid = str(answer["errmsg"]).rpartition("rid: ")[2]
    assert (await api.post("/cgi-bin/openapi/rid/get", {"rid": rid}))["errcode"] == 0
    platform.tokens.revoke()
    assert (await api.post(SEND, {}))["errcode"] == 40001


def _news(count: int) -> JsonObject:
    article: JsonObject = {"title": "题", "description": "文", "url": "https://a.example/", "picurl": ""}
    return {"msgtype": "news", "news": {"articles": [article] * count}}


REFUSED: dict[str, tuple[JsonObject, int]] = {
    "empty text": ({"msgtype": "text", "text": {"content": ""}}, 44004),
    "long text": ({"msgtype": "text", "text": {"content": "长" * 683}}, 45002),
    "unknown type": ({"msgtype": "sticker", "sticker": {}}, 40008),
    "unknown media": ({"msgtype": "image", "image": {"media_id": "none"}}, 40007),
    "no articles": (_news(0), 44003),
    "two articles": (_news(2), 45008),
    "no content": ({"msgtype": "text"}, 47001),
}


@pytest.mark.parametrize("case", list(REFUSED))
async def test_a_refused_message_costs_no_allowance(
    platform: SimulatedPlatform, api: ApiClient, yang: Follower, case: str
) -> None:
    await platform.say(yang.openid, "你好")
    body, errcode = REFUSED[case]
    assert (await api.post(SEND, {"touser": yang.openid, **body}))["errcode"] == errcode
    assert platform.allowance_left(yang.openid) == 5


async def test_shown_messages_of_other_types(platform: SimulatedPlatform, api: ApiClient, yang: Follower) -> None:
    await platform.say(yang.openid, "你好")
    media_id = (await api.upload(PNG))["media_id"]
    image: JsonObject = {"msgtype": "image", "image": {"media_id": media_id}}
    items: JsonObject = {"list": [{"id": "1", "content": "满意"}], "head_content": "满意吗", "tail_content": ""}
    menu: JsonObject = {"msgtype": "msgmenu", "msgmenu": items, "aimsgcontext": {"is_ai_msg": 1}}
    for body in (image, _news(1), menu):
        assert await api.post(SEND, {"touser": yang.openid, **body}) == {"errcode": 0, "errmsg": "ok"}
    shown = platform.seen(yang.openid)[1:]
    assert [type(one.bubble) for one in shown] == [MediaBubble, NewsBubble, MenuBubble]
    assert [one.about.ai_label for one in shown] == [False, False, True]
    await platform.click(yang.openid, "满意")
    assert platform.allowance_left(yang.openid) == 3


async def test_bodies_must_be_utf8_and_escapes_stay_literal(
    platform: SimulatedPlatform, api: ApiClient, yang: Follower
) -> None:
    await platform.say(yang.openid, "你好")
    head = f'{{"touser":"{yang.openid}","msgtype":"text","text":{{"content":"'.encode()
    assert (await api.post(SEND, b""))["errcode"] == 44002
    assert (await api.post(SEND, b"{"))["errcode"] == 47001
    assert (await api.post(SEND, head + "你".encode("gbk") + b'"}}'))["errcode"] == 47001
    assert (await api.post(SEND, head + rb"\u4f60\n\\u4f60" + b'"}}'))["errcode"] == 0
    assert platform.seen(yang.openid)[-1].text == "\\u4f60\n\\u4f60"


async def test_media_live_for_three_days(api: ApiClient, clock: MovedClock) -> None:
    media_id = str((await api.upload(PNG))["media_id"])
    query = {"access_token": api.token, "media_id": media_id}
    async with api.session.get(f"{api.base_url}/cgi-bin/media/get", params=query) as response:
        assert response.content_type == "image/png"
        assert "attachment" in response.headers["Content-Disposition"]
        assert await response.read() == PNG
    clock.move(timedelta(days=3))
    await api.renew()
    assert (await api.get("/cgi-bin/media/get", media_id=media_id))["errcode"] == 40007


async def test_a_followers_media_can_be_fetched(platform: SimulatedPlatform, api: ApiClient, yang: Follower) -> None:
    voice = await platform.send_voice(yang.openid, "老板跑路咯")
    media_id = str(voice.delivery.push.fields["MediaId16K"])
    query = {"access_token": api.token, "media_id": media_id}
    async with api.session.get(f"{api.base_url}/cgi-bin/media/get", params=query) as response:
        assert (response.content_type, await response.read()) == ("audio/amr", AMR_HEADER + "老板跑路咯".encode())
    video = await platform.send_video(yang.openid)
    answer = await api.get("/cgi-bin/media/get", media_id=str(video.delivery.push.fields["MediaId"]))
    assert str(answer["video_url"]).startswith(platform.base_url)


@pytest.mark.parametrize(
    ("kind", "data", "errcode"),
    [
        ("hologram", PNG, 40004),
        ("image", b"", 41005),
        ("image", b"GIF? no", 40005),
        ("voice", PNG, 40005),
        ("thumb", b"\xff\xd8\xff" + bytes(64 * KIB), 45001),
        ("voice", AMR_HEADER + bytes(2 * MIB), 45001),
    ],
    ids=["kind", "empty", "not a picture", "not a voice", "big thumb", "big voice"],
)
async def test_refused_uploads(api: ApiClient, kind: str, data: bytes, errcode: int) -> None:
    assert (await api.upload(data, kind))["errcode"] == errcode


def _click(name: str = "名", key: str = "k") -> JsonObject:
    return {"type": "click", "name": name, "key": key}


def _under(*children: JsonObject, name: str = "上") -> JsonObject:
    return {"name": name, "sub_button": [*children]}


MENUS: dict[str, tuple[list[JsonObject], int]] = {
    "none": ([], 40016),
    "four": ([_click()] * 4, 40016),
    "six children": ([_under(*[_click()] * 6)], 40023),
    "long name": ([_click("名" * 6)], 40018),
    "long child name": ([_under(_click("名" * 21))], 40025),
    "empty name": ([_click("")], 40018),
    "long key": ([_click(key="k" * 129)], 40019),
    "long child key": ([_under(_click(key="k" * 129))], 40027),
    "no url": ([{"type": "view", "name": "名"}], 40020),
    "long child url": ([_under({"type": "view", "name": "名", "url": "https://" + "u" * 1020})], 40028),
    "unknown type": ([{"type": "hover", "name": "名"}], 40017),
    "unknown child type": ([_under({"type": "hover", "name": "名"})], 40024),
    "largest": ([_under(*[_click("名" * 20)] * 5, name="名字名字名")] * 3, 0),
}


@pytest.mark.parametrize("case", list(MENUS))
async def test_menu_limits(api: ApiClient, case: str) -> None:
    buttons, errcode = MENUS[case]
    assert (await api.post("/cgi-bin/menu/create", {"button": [*buttons]}))["errcode"] == errcode


async def test_a_menu_is_kept_tapped_and_deleted(platform: SimulatedPlatform, api: ApiClient, yang: Follower) -> None:
    assert (await api.get("/cgi-bin/menu/get"))["errcode"] == 46003
    website: JsonObject = {"type": "view", "name": "官网", "url": "https://a.example/"}
    menu: JsonObject = {"button": [_under(_click("查进度", "status"), website)]}
    await api.post("/cgi-bin/menu/create", menu)
    assert (await api.get("/cgi-bin/menu/get"))["menu"] == menu
    click = await platform.tap(yang.openid, "查进度")
    view = await platform.tap(yang.openid, "官网")
    assert click.delivery.push.fields == {"Event": "CLICK", "EventKey": "status"}
    assert view.delivery.push.fields["EventKey"] == "https://a.example/"
    assert (await api.get("/cgi-bin/menu/delete"))["errcode"] == 0
    assert platform.menu is None


async def test_an_escaped_menu_is_refused(api: ApiClient) -> None:
    escaped = rb'{"button":[{"type":"click","name":"\u540d","key":"k"}]}'
    assert (await api.post("/cgi-bin/menu/create", escaped))["errcode"] == 40033


async def test_users_have_no_nickname(platform: SimulatedPlatform, api: ApiClient, yang: Follower) -> None:
    await platform.scan(platform.add_follower("田大姐", subscribed=False).openid, "bijiang")
    page = await api.get("/cgi-bin/user/get")
    assert (page["total"], page["count"]) == (2, 2)
    info = await api.get("/cgi-bin/user/info", openid=str(page["next_openid"]))
    assert (info["subscribe"], info["qr_scene_str"], info["subscribe_scene"]) == (1, "bijiang", "ADD_SCENE_QR_CODE")
    assert "nickname" not in info
    await platform.unfollow(yang.openid)
    batch = await api.post("/cgi-bin/user/info/batchget", {"user_list": [{"openid": yang.openid}]})
    assert batch == {"user_info_list": [{"subscribe": 0, "openid": yang.openid}]}
    many: JsonObject = {"user_list": [{"openid": yang.openid}] * 101}
    assert (await api.post("/cgi-bin/user/info/batchget", many))["errcode"] == 40032


async def test_tags_and_a_mass_send_to_one(platform: SimulatedPlatform, api: ApiClient, yang: Follower) -> None:
    other = platform.add_follower("田大姐")
    tag = (await api.post("/cgi-bin/tags/create", {"tag": {"name": "碧江"}}))["tag"]
    assert tag == {"id": 100, "name": "碧江"}
    assert (await api.post("/cgi-bin/tags/create", {"tag": {"name": "碧江"}}))["errcode"] == 45157
    assert (await api.post("/cgi-bin/tags/create", {"tag": {"name": "名" * 11}}))["errcode"] == 45158
    await api.post("/cgi-bin/tags/members/batchtagging", {"tagid": 100, "openid_list": [yang.openid]})
    text: JsonObject = {"msgtype": "text", "text": {"content": "通知"}}
    sent: JsonObject = {"filter": {"is_to_all": False, "tag_id": 100}, "clientmsgid": "c1", **text}
    first = await api.post("/cgi-bin/message/mass/sendall", sent)
    again = await api.post("/cgi-bin/message/mass/sendall", sent)
    assert (first["errcode"], again["errcode"], again["msg_id"]) == (0, 45065, first["msg_id"])
    await platform.settle()
    assert [shown.text for shown in platform.seen(yang.openid)] == ["通知"]
    assert platform.seen(other.openid) == []
    finished = platform.exchanges[-1].delivery.push.fields
    assert (finished["Event"], finished["SentCount"]) == ("MASSSENDJOBFINISH", 1)
    assert (await api.post("/cgi-bin/message/mass/send", {"touser": [yang.openid], **text}))["errcode"] == 40130


async def test_a_draft_stays_in_its_box_until_it_is_sent_or_deleted(api: ApiClient, yang: Follower) -> None:
    articles: JsonObject = {"articles": [{"title": "活动", "content": "<p>您好</p>", "thumb_media_id": "thumb"}]}
    first, second = [str((await api.post("/cgi-bin/draft/add", articles))["media_id"]) for _ in range(2)]
    content: JsonObject = {"msgtype": "mpnews", "mpnews": {"media_id": first}}
    for _ in range(2):
        shown = await api.post("/cgi-bin/message/mass/preview", {"touser": yang.openid, **content})
        assert shown["errcode"] == 0
    assert (await api.get("/cgi-bin/draft/count"))["total_count"] == 2
    to_all: JsonObject = {"filter": {"is_to_all": True}, **content}
    assert (await api.post("/cgi-bin/message/mass/sendall", to_all))["errcode"] == 0
    assert (await api.get("/cgi-bin/draft/count"))["total_count"] == 1
    deletions = [(await api.post("/cgi-bin/draft/delete", {"media_id": one}))["errcode"] for one in (first, second)]
    assert deletions == [40007, 0]
    assert (await api.post("/cgi-bin/draft/delete", {"media_id": second}))["errcode"] == 40007
    assert (await api.get("/cgi-bin/draft/count"))["total_count"] == 0


async def test_the_fifth_mass_message_of_a_month_does_not_arrive(
    platform: SimulatedPlatform, api: ApiClient, yang: Follower
) -> None:
    body: JsonObject = {"filter": {"is_to_all": True}, "msgtype": "text", "text": {"content": "通知"}}
    for _ in range(5):
        assert (await api.post("/cgi-bin/message/mass/sendall", body))["errcode"] == 0
    await platform.settle()
    assert len(platform.seen(yang.openid)) == 4
    assert platform.exchanges[-1].delivery.push.fields["ErrorCount"] == 1


async def test_a_scene_code_can_be_looked_at(platform: SimulatedPlatform, api: ApiClient) -> None:
    scene: JsonObject = {"scene": {"scene_str": "bijiang"}}
    code = await api.post("/cgi-bin/qrcode/create", {"action_name": "QR_LIMIT_STR_SCENE", "action_info": scene})
    url = f"{platform.base_url}/cgi-bin/showqrcode"
    async with ClientSession() as session, session.get(url, params={"ticket": str(code["ticket"])}) as response:
        assert (response.status, response.content_type) == (200, "image/png")
    assert platform.ticket("bijiang") == code["ticket"]
    empty: JsonObject = {"action_name": "QR_STR_SCENE", "action_info": {"scene": {"scene_str": ""}}}
    assert (await api.post("/cgi-bin/qrcode/create", empty))["errcode"] == 40035


async def test_quotas_are_counted_used_up_and_cleared(api: ApiClient) -> None:
    for _ in range(10):
        await api.get("/cgi-bin/menu/get")
    quota = (await api.post("/cgi-bin/openapi/quota/get", {"cgi_path": "/cgi-bin/menu/get"}))["quota"]
    assert quota == {"daily_limit": 10_000, "used": 10, "remain": 9_990}
    unknown = await api.post("/cgi-bin/openapi/quota/get", {"cgi_path": "/cgi-bin/none"})
    assert unknown["errcode"] == 76021
    answers = [(await api.get("/cgi-bin/user/get")).get("errcode", 0) for _ in range(501)]
    assert answers == [0] * 500 + [45009]
    clears = [(await api.post("/cgi-bin/clear_quota", {"appid": APP_ID}))["errcode"] for _ in range(11)]
    assert clears == [0] * 10 + [48006]
    assert "errcode" not in await api.get("/cgi-bin/user/get")


async def test_method_and_path_are_checked(api: ApiClient) -> None:
    assert (await api.get(SEND))["errcode"] == 43002
    assert (await api.post("/cgi-bin/menu/get", {}))["errcode"] == 43001
    assert (await api.post("/cgi-bin/none", {}))["errcode"] == 40066
