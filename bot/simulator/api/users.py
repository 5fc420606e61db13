"""Followers, remarks, tags and scene QR codes."""

from urllib.parse import quote

from bot.simulator.api.calls import OK, ApiCall, Endpoint
from bot.simulator.errors import ApiFault
from bot.simulator.json_body import JsonObject, JsonValue
from bot.simulator.models import Follower

PAGE = 10_000
MAX_BATCH = 100
MAX_TAGS, MAX_TAG_NAME_BYTES, MAX_TAGS_PER_USER, MAX_TAGGED = 100, 30, 20, 50
FIRST_TAG_ID = 100
MAX_REMARK_CHARS = 30
MAX_SCENE_CHARS, MAX_SCENE_LIMIT, MAX_EXPIRE_S = 64, 100_000, 2_592_000


async def list_openids(call: ApiCall) -> JsonObject:
    """Return OpenIDs after ``next_openid``, 10,000 at most."""
    return _page(
        [one.openid for one in call.platform.followers.following()], call.request.query.get("next_openid", "")
    )


async def info(call: ApiCall) -> JsonObject:
    """Return one user, without nickname or avatar as since 2021."""
    return _user(call.follower(call.request.query.get("openid", "")), call.platform.scenes)


async def batch_info(call: ApiCall) -> JsonObject:
    """Return up to a hundred users."""
    asked = call.body().objects("user_list")
    if not 1 <= len(asked) <= MAX_BATCH:
        raise ApiFault(40032)
    users: list[JsonValue] = [_user(call.follower(one.text("openid", "")), call.platform.scenes) for one in asked]
    call.openid = ""
    return {"user_info_list": users}


async def update_remark(call: ApiCall) -> JsonObject:
    """Note a remark about a follower."""
    body = call.body()
    remark = body.text("remark", "")
    if len(remark) >= MAX_REMARK_CHARS:
        raise ApiFault(40035)
    call.follower(body.text("openid", "")).remark = remark
    return OK


async def create_tag(call: ApiCall) -> JsonObject:
    """Create a tag."""
    name, tags = call.body().object("tag").text("name", ""), call.platform.tags
    if not name or name in tags.values():
        raise ApiFault(45157)
    if len(name.encode()) > MAX_TAG_NAME_BYTES:
        raise ApiFault(45158)
    if len(tags) >= MAX_TAGS:
        raise ApiFault(45056)
    tag_id = max(tags, default=FIRST_TAG_ID - 1) + 1
    tags[tag_id] = name
    return {"tag": {"id": tag_id, "name": name}}


async def list_tags(call: ApiCall) -> JsonObject:
    """Return every tag with its number of followers."""
    listed: list[JsonValue] = [
        {"id": tag_id, "name": name, "count": len(_tagged(call, tag_id))}
        for tag_id, name in call.platform.tags.items()
    ]
    return {"tags": listed}


async def tag_users(call: ApiCall) -> JsonObject:
    """Put a tag on up to fifty followers."""
    tag_id, followers = _tag_and_users(call)
    if any(tag_id not in one.tags and len(one.tags) >= MAX_TAGS_PER_USER for one in followers):
        raise ApiFault(45059)
    for follower in followers:
        if tag_id not in follower.tags:
            follower.tags.append(tag_id)
    return OK


async def untag_users(call: ApiCall) -> JsonObject:
    """Take a tag off up to fifty followers."""
    tag_id, followers = _tag_and_users(call)
    for follower in followers:
        follower.tags[:] = [known for known in follower.tags if known != tag_id]
    return OK


async def tags_of_user(call: ApiCall) -> JsonObject:
    """Return a follower's tags."""
    return {"tagid_list": [*call.follower(call.body().text("openid", "")).tags]}


async def users_of_tag(call: ApiCall) -> JsonObject:
    """Return the OpenIDs under a tag."""
    body = call.body()
    page = _page(_tagged(call, body.integer("tagid", 0)), body.text("next_openid", ""))
    return {key: page[key] for key in ("count", "data", "next_openid")}


async def create_qrcode(call: ApiCall) -> JsonObject:
    """Create a scene QR code and answer its ticket."""
    body = call.body()
    action, scene = body.text("action_name", ""), body.object("action_info").object("scene")
    if action in {"QR_SCENE", "QR_LIMIT_SCENE"}:
        number = scene.integer("scene_id", 0)
        limit = MAX_SCENE_LIMIT if action == "QR_LIMIT_SCENE" else 2**32 - 1
        if not 1 <= number <= limit:
            raise ApiFault(40035)
        value = str(number)
    elif action in {"QR_STR_SCENE", "QR_LIMIT_STR_SCENE"}:
        value = scene.text("scene_str", "")
        if not 1 <= len(value) <= MAX_SCENE_CHARS:
            raise ApiFault(40035)
    else:
        raise ApiFault(40035)
    ticket = call.platform.ticket(value)
    answer: JsonObject = {"ticket": ticket, "url": f"http://weixin.qq.com/q/{quote(ticket)}"}
    if "LIMIT" not in action:
        answer["expire_seconds"] = min(body.integer("expire_seconds", 60), MAX_EXPIRE_S)
    call.platform.changed()
    return answer


def _user(follower: Follower, scenes: dict[str, str]) -> JsonObject:
    if not follower.subscribed or follower.subscribed_at is None:
        return {"subscribe": 0, "openid": follower.openid}
    known = follower.scene in scenes.values()
    return {
        "subscribe": 1,
        "openid": follower.openid,
        "subscribe_time": int(follower.subscribed_at.timestamp()),
        "remark": follower.remark,
        "groupid": 0,
        "tagid_list": [*follower.tags],
        "subscribe_scene": "ADD_SCENE_QR_CODE" if known else "ADD_SCENE_SEARCH",
        "qr_scene": int(follower.scene) if follower.scene.isdecimal() else 0,
        "qr_scene_str": "" if follower.scene.isdecimal() else follower.scene,
    }


def _page(openids: list[str], after: str) -> JsonObject:
    start = openids.index(after) + 1 if after in openids else 0
    page: list[JsonValue] = [*openids[start : start + PAGE]]
    answer: JsonObject = {"total": len(openids), "count": len(page), "next_openid": page[-1] if page else ""}
    return {**answer, "data": {"openid": page}} if page else {**answer, "data": {}}


def _tagged(call: ApiCall, tag_id: int) -> list[str]:
    return [one.openid for one in call.platform.followers.following() if tag_id in one.tags]


def _tag_and_users(call: ApiCall) -> tuple[int, list[Follower]]:
    body = call.body()
    tag_id, openids = body.integer("tagid", 0), body.texts("openid_list")
    if tag_id not in call.platform.tags:
        raise ApiFault(45159)
    if not 1 <= len(openids) <= MAX_TAGGED:
        raise ApiFault(40032)
    followers = [call.follower(openid) for openid in openids]
    call.openid = ""
    return tag_id, followers


ENDPOINTS = (
    Endpoint("GET", "/cgi-bin/user/get", list_openids, daily_limit=500),
    Endpoint("GET", "/cgi-bin/user/info", info, daily_limit=5_000_000),
    Endpoint("POST", "/cgi-bin/user/info/batchget", batch_info, daily_limit=5_000_000),
    Endpoint("POST", "/cgi-bin/user/info/updateremark", update_remark, daily_limit=10_000),
    Endpoint("POST", "/cgi-bin/tags/create", create_tag, daily_limit=1_000),
    Endpoint("GET", "/cgi-bin/tags/get", list_tags, daily_limit=1_000),
    Endpoint("POST", "/cgi-bin/tags/members/batchtagging", tag_users, daily_limit=100_000),
    Endpoint("POST", "/cgi-bin/tags/members/batchuntagging", untag_users, daily_limit=100_000),
    Endpoint("POST", "/cgi-bin/tags/getidlist", tags_of_user),
    Endpoint("POST", "/cgi-bin/user/tag/get", users_of_tag),
    Endpoint("POST", "/cgi-bin/qrcode/create", create_qrcode, daily_limit=100_000),
)
