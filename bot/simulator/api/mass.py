"""message/mass and draft: sends to a list of OpenIDs, a tag or everybody, as jobs with an outcome event."""

import asyncio
from datetime import timedelta

from bot.simulator.api.calls import OK, ApiCall, Endpoint
from bot.simulator.api.messages import sized_text
from bot.simulator.api.notices import new_msg_id
from bot.simulator.bubbles import Bubble, CardBubble, MediaBubble, TextBubble
from bot.simulator.errors import ApiFault
from bot.simulator.json_body import Fields, JsonObject
from bot.simulator.mass_jobs import MassJob, run_job
from bot.simulator.models import Channel, Follower
from bot.simulator.publications import DraftArticle

MAX_OPENIDS = 10_000
MAX_CLIENT_ID_BYTES = 32
MASS_TEXT_MAX_BYTES = 2048
CLIENT_ID_LIFE = timedelta(hours=24)
MINUTE = timedelta(minutes=1)
PREVIEWS = "/cgi-bin/message/mass/preview"


async def send(call: ApiCall) -> JsonObject:
    """Send to 2 to 10,000 OpenIDs; service accounts only."""
    if call.platform.config.account_type != "service":
        raise ApiFault(48001)
    body = call.body()
    openids = body.texts("touser")
    if len(openids) < 2:
        raise ApiFault(40130)
    if len(openids) > MAX_OPENIDS:
        raise ApiFault(40032)
    found = [call.platform.followers.find(openid) for openid in dict.fromkeys(openids)]
    return await _submit(call, body, [follower for follower in found if follower is not None])


async def send_all(call: ApiCall) -> JsonObject:
    """Send to a tag's followers or to everybody; a subscription account once a day."""
    body = call.body()
    audience = body.object("filter")
    following = call.platform.followers.following()
    if not audience.flag("is_to_all"):
        tag_id = audience.integer("tag_id", -1)
        if tag_id not in call.platform.tags:
            raise ApiFault(40152)
        following = [follower for follower in following if tag_id in follower.tags]
    today = call.now.date()
    jobs = call.platform.mass_jobs.values()
    if call.platform.config.account_type != "service" and any(
        job.at.date() == today and job.client_id != body.text("clientmsgid", "") for job in jobs
    ):
        raise ApiFault(45028)
    return await _submit(call, body, following)


async def get(call: ApiCall) -> JsonObject:
    """Return a job's status."""
    msg_id = call.body().integer("msg_id", 0)
    job = call.platform.mass_jobs.get(msg_id)
    return {"msg_id": msg_id, "msg_status": "SEND_FAIL" if job is None else job.status}


async def delete(call: ApiCall) -> JsonObject:
    """Take back the articles of a job; texts and pictures cannot be."""
    job = call.platform.mass_jobs.get(call.body().integer("msg_id", 0))
    if job is None or not job.is_article:
        raise ApiFault(40035)
    job.status = "DELETE"
    return OK


async def preview(call: ApiCall) -> JsonObject:
    """Show the message to one named follower."""
    body = call.body()
    follower = call.follower(body.text("touser", ""))
    call.platform.show(follower.openid, Channel.MASS, _bubble(call, body))
    call.platform.changed()
    return {**OK, "msg_id": new_msg_id()}


async def add_draft(call: ApiCall) -> JsonObject:
    """Keep articles for one send or publication; afterwards the id is dead."""
    articles = call.body().objects("articles")
    if not articles:
        raise ApiFault(44003)
    media_id = f"draft-{new_msg_id()}"
    call.platform.drafts[media_id] = tuple(
        DraftArticle(
            title=one.text("title"),
            body=one.text("content", ""),
            author=one.text("author", ""),
            digest=one.text("digest", ""),
            source_url=one.text("content_source_url", ""),
            thumb_media_id=one.text("thumb_media_id", ""),
        )
        for one in articles
    )
    return {"media_id": media_id}


async def delete_draft(call: ApiCall) -> JsonObject:
    """Take a draft out of the draft box; what was sent is there no more."""
    if call.platform.drafts.pop(call.body().text("media_id", ""), None) is None:
        raise ApiFault(40007)
    return OK


async def count_drafts(call: ApiCall) -> JsonObject:
    """Say how many drafts are in the draft box."""
    return {"total_count": len(call.platform.drafts)}


async def _submit(call: ApiCall, body: Fields, audience: list[Follower]) -> JsonObject:
    platform, now = call.platform, call.now
    client_id = body.text("clientmsgid", "")
    if len(client_id.encode()) > MAX_CLIENT_ID_BYTES:
        raise ApiFault(45067)
    sent = platform.sent_ids.get(f"mass {client_id}")
    if client_id and sent is not None and now - sent[1] < CLIENT_ID_LIFE:
        return {"errcode": 45065, "errmsg": "clientmsgid exist", "msg_id": sent[0]}
    _pace(call)
    is_article = body.text("msgtype", "") == "mpnews"
    bubble = _bubble(call, body)
    if is_article:
        # A draft that was sent leaves the draft box.
        platform.drafts.pop(body.object("mpnews").text("media_id", ""), None)
    msg_id = new_msg_id()
    if client_id:
        platform.sent_ids[f"mass {client_id}"] = (msg_id, now)
    job = MassJob(msg_id, client_id, now, [one.openid for one in audience], bubble, is_article=is_article)
    platform.mass_jobs[msg_id] = job
    if platform.config.mass_latency_s:
        platform.in_background(_run_later(call, job))
    else:
        run_job(platform, job)
    return {"errcode": 0, "errmsg": "send job submission success", "msg_id": msg_id, "msg_data_id": msg_id + 1}


async def _run_later(call: ApiCall, job: MassJob) -> None:
    await asyncio.sleep(call.platform.config.mass_latency_s)
    run_job(call.platform, job)


def _pace(call: ApiCall) -> None:
    """Refuse the 61st send within a minute."""
    limit, times = call.platform.config.mass_calls_per_minute, call.platform.mass_times
    while times and call.now - times[0] >= MINUTE:
        times.popleft()
    if len(times) >= limit:
        raise ApiFault(45011)
    times.append(call.now)


def _bubble(call: ApiCall, body: Fields) -> Bubble:
    match body.text("msgtype", ""):
        case "text":
            return TextBubble(sized_text(body.object("text").text("content", ""), MASS_TEXT_MAX_BYTES))
        case "image":
            images = body.object("images") if "images" in body else body.object("image")
            media_id = images.texts("media_ids")[0] if "media_ids" in images else images.text("media_id", "")
            return MediaBubble("image", call.platform.media.get(media_id, call.now).media_id)
        case "mpnews":
            media_id = body.object("mpnews").text("media_id", "")
            articles = call.platform.drafts.get(media_id)
            if articles is None:
                raise ApiFault(40007)
            return CardBubble("mpnews", articles[0].title)
        case _:
            raise ApiFault(40008)


ENDPOINTS = (
    Endpoint("POST", "/cgi-bin/message/mass/send", send, daily_limit=100),
    Endpoint("POST", "/cgi-bin/message/mass/sendall", send_all, daily_limit=100),
    Endpoint("POST", "/cgi-bin/message/mass/get", get),
    Endpoint("POST", "/cgi-bin/message/mass/delete", delete, daily_limit=10),
    Endpoint("POST", PREVIEWS, preview, daily_limit=100),
    Endpoint("POST", "/cgi-bin/draft/add", add_draft, daily_limit=1_000),
    Endpoint("POST", "/cgi-bin/draft/delete", delete_draft, daily_limit=1_000),
    Endpoint("GET", "/cgi-bin/draft/count", count_drafts, daily_limit=1_000),
)
