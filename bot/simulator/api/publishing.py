"""freepublish: a draft becomes articles on the account's page, as a job with an outcome event."""

from bot.simulator.api.calls import OK, ApiCall, Endpoint
from bot.simulator.api.notices import new_msg_id
from bot.simulator.errors import ApiFault
from bot.simulator.json_body import JsonObject, JsonValue
from bot.simulator.publications import Publication, Verdict, address_of, run_job

LISTED_MAX = 20


async def submit(call: ApiCall) -> JsonObject:
    """Begin a job. The same draft submitted again while its job runs is one more job (a guess)."""
    media_id = call.body().text("media_id", "")
    articles = call.platform.drafts.get(media_id)
    if articles is None:
        raise ApiFault(40007)
    publication = Publication(new_msg_id(), media_id, articles, call.now)
    call.platform.publications.add(publication)
    call.platform.in_background(run_job(call.platform, publication))
    return {**OK, "publish_id": str(publication.publish_id), "msg_data_id": str(publication.publish_id + 1)}


async def get(call: ApiCall) -> JsonObject:
    """Return how a job stands."""
    number = call.body().text("publish_id", "")
    publication = call.platform.publications.job(int(number) if number.isdecimal() else 0)
    failed: list[JsonValue] = [*publication.failed]
    answer: JsonObject = {
        "publish_id": str(publication.publish_id),
        "publish_status": int(publication.verdict),
        "fail_idx": failed,
    }
    if publication.is_readable:
        items: list[JsonValue] = [
            {"idx": place, "article_url": address_of(call.platform, publication, place)}
            for place in range(1, len(publication.codes) + 1)
        ]
        answer["article_id"] = publication.article_id
        answer["article_detail"] = {"count": len(items), "item": items}
    return answer


async def get_article(call: ApiCall) -> JsonObject:
    """Return the articles of a publication, with their texts."""
    return _content(call, call.platform.publications.article(call.body().text("article_id", "")), has_body=True)


async def batch_get(call: ApiCall) -> JsonObject:
    """List what was published, the newest first."""
    body = call.body()
    offset, count = body.integer("offset", 0), body.integer("count", LISTED_MAX)
    if not 1 <= count <= LISTED_MAX or offset < 0:
        raise ApiFault(40035)
    known = [one for one in call.platform.publications.everything() if one.is_readable]
    has_body = body.integer("no_content", 0) == 0
    items: list[JsonValue] = [
        {
            "article_id": one.article_id,
            "content": _content(call, one, has_body=has_body),
            "update_time": int(one.at.timestamp()),
        }
        for one in known[offset : offset + count]
    ]
    return {"total_count": len(known), "item_count": len(items), "item": items}


async def delete(call: ApiCall) -> JsonObject:
    """Delete one article, or with index 0 all of them. What is deleted already is not found (a guess)."""
    body = call.body()
    publication, index = call.platform.publications.article(body.text("article_id", "")), body.integer("index", 0)
    if not publication.is_readable:
        raise ApiFault(53600)
    if not 0 <= index <= len(publication.articles):
        raise ApiFault(40035)
    publication.deleted |= {index} if index else set(range(1, len(publication.articles) + 1))
    if len(publication.deleted) == len(publication.articles):
        publication.verdict = Verdict.DELETED
    call.platform.changed()
    return OK


def _content(call: ApiCall, publication: Publication, *, has_body: bool) -> JsonObject:
    items: list[JsonValue] = []
    for place, one in enumerate(publication.articles, start=1):
        item: JsonObject = {
            "title": one.title,
            "author": one.author,
            # Only single articles have a digest.
            "digest": one.shown_digest if len(publication.articles) == 1 else "",
            "content_source_url": one.source_url,
            "thumb_media_id": one.thumb_media_id,
            "url": address_of(call.platform, publication, place),
            "is_deleted": not publication.shows(place),
        }
        items.append({**item, "content": one.shown_body} if has_body else item)
    return {"news_item": items}


ENDPOINTS = (
    Endpoint("POST", "/cgi-bin/freepublish/submit", submit, daily_limit=100),
    Endpoint("POST", "/cgi-bin/freepublish/get", get, daily_limit=100),
    Endpoint("POST", "/cgi-bin/freepublish/getarticle", get_article, daily_limit=100),
    Endpoint("POST", "/cgi-bin/freepublish/batchget", batch_get, daily_limit=100),
    Endpoint("POST", "/cgi-bin/freepublish/delete", delete, daily_limit=10),
)
