"""message/mass: sends to a list of OpenIDs, a tag or everybody, and their outcome event."""

from bot.simulator import pushes
from bot.simulator.api.calls import ApiCall, Endpoint
from bot.simulator.api.messages import sized_text
from bot.simulator.api.notices import new_msg_id
from bot.simulator.bubbles import Bubble, MediaBubble, TextBubble
from bot.simulator.errors import ApiFault
from bot.simulator.json_body import Fields, JsonObject
from bot.simulator.models import Channel, Follower

MAX_PER_MONTH = 4
MAX_OPENIDS = 10_000
MAX_CLIENT_ID_BYTES = 32
MASS_TEXT_MAX_BYTES = 2048


async def send(call: ApiCall) -> JsonObject:
    """Send to 2 to 10,000 OpenIDs."""
    body = call.body()
    openids = body.texts("touser")
    if len(openids) < 2:
        raise ApiFault(40130)
    if len(openids) > MAX_OPENIDS:
        raise ApiFault(40032)
    found = [call.platform.followers.find(openid) for openid in dict.fromkeys(openids)]
    return _submit(call, body, [follower for follower in found if follower is not None])


async def send_all(call: ApiCall) -> JsonObject:
    """Send to a tag's followers or to everybody."""
    body = call.body()
    audience = body.object("filter")
    following = call.platform.followers.following()
    if not audience.flag("is_to_all"):
        tag_id = audience.integer("tag_id", -1)
        if tag_id not in call.platform.tags:
            raise ApiFault(40152)
        following = [follower for follower in following if tag_id in follower.tags]
    return _submit(call, body, following)


async def get(call: ApiCall) -> JsonObject:
    """Return a job's status."""
    msg_id = call.body().integer("msg_id", 0)
    return {"msg_id": msg_id, "msg_status": call.platform.mass_status.get(msg_id, "SEND_FAIL")}


def _submit(call: ApiCall, body: Fields, audience: list[Follower]) -> JsonObject:
    bubble = _bubble(call, body)
    client_id = body.text("clientmsgid", "")
    if len(client_id.encode()) > MAX_CLIENT_ID_BYTES:
        raise ApiFault(45067)
    sent = call.platform.sent_ids.get(f"mass {client_id}")
    if client_id and sent is not None and call.now.date() == sent[1].date():
        return {"errcode": 45065, "errmsg": "clientmsgid exist", "msg_id": sent[0]}
    msg_id = new_msg_id()
    if client_id:
        call.platform.sent_ids[f"mass {client_id}"] = (msg_id, call.now)
    counts = _show(call, audience, bubble)
    call.platform.mass_status[msg_id] = "SEND_SUCCESS"
    teller = audience[0].openid if audience else ""
    if teller:
        call.platform.tell_later(teller, pushes.mass_finished(msg_id, "send success", counts))
    return {"errcode": 0, "errmsg": "send job submission success", "msg_id": msg_id, "msg_data_id": msg_id + 1}


def _show(call: ApiCall, audience: list[Follower], bubble: Bubble) -> dict[str, int]:
    month = f"{call.now:%Y-%m}"
    received = call.platform.mass_received
    # The fifth mass message of a calendar month fails for that follower only.
    reached = [
        follower
        for follower in audience
        if follower.subscribed and received.get((follower.openid, month), 0) < MAX_PER_MONTH
    ]
    for follower in reached:
        received[follower.openid, month] = received.get((follower.openid, month), 0) + 1
        call.platform.show(follower.openid, Channel.MASS, bubble)
    return {
        "TotalCount": len(audience),
        "FilterCount": len(reached),
        "SentCount": len(reached),
        "ErrorCount": len(audience) - len(reached),
    }


def _bubble(call: ApiCall, body: Fields) -> Bubble:
    match body.text("msgtype", ""):
        case "text":
            return TextBubble(sized_text(body.object("text").text("content", ""), MASS_TEXT_MAX_BYTES))
        case "image":
            images = body.object("images") if "images" in body else body.object("image")
            media_id = images.texts("media_ids")[0] if "media_ids" in images else images.text("media_id", "")
            return MediaBubble("image", call.platform.media.get(media_id, call.now).media_id)
        case _:
            raise ApiFault(40008)


ENDPOINTS = (
    Endpoint("POST", "/cgi-bin/message/mass/send", send, daily_limit=100),
    Endpoint("POST", "/cgi-bin/message/mass/sendall", send_all, daily_limit=100),
    Endpoint("POST", "/cgi-bin/message/mass/get", get),
)
