"""Publishing: a draft becomes articles with lasting addresses on the account's page, and nobody is notified.

Success of ``submit`` means that a job began; its end is reported as PUBLISHJOBFINISH. Sources: the platform's pages
"freepublish_submit", "freepublish_get", "freepublish_batchget", "freepublishGetarticle" and "freepublishDelete".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from bot.values.clock import LOCAL_ZONE
from bot.wechat.inbound import ArticleUrl
from bot.wechat.transport import AiohttpWeChatClient
from bot.wechat.wire import Call, JsonAnswer, expect_json, number_of, text_of

LISTED_MAX = 20
"""How many publications one call lists."""


class PublishStatus(IntEnum):
    """How far the platform is with a publication. ``DELETED`` and ``BANNED`` follow upon ``PUBLISHED``."""

    PUBLISHED = 0
    RUNNING = 1
    NOT_ORIGINAL = 2
    FAILED = 3
    NOT_ALLOWED = 4
    DELETED = 5
    BANNED = 6


@dataclass(frozen=True, slots=True)
class PublishResult:
    """What became of a job. ``status`` is None for a number that is not known.

    ``article_id`` and ``article_urls`` are there once it is published; ``failed_indexes`` are the places, from 1, of
    the articles that were refused.
    """

    status: PublishStatus | None
    article_id: str | None = None
    article_urls: tuple[ArticleUrl, ...] = ()
    failed_indexes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PublishedArticle:
    """One article as readers see it; the platform fills in a ``digest`` that was left empty."""

    title: str
    author: str
    digest: str
    source_url: str
    url: str
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class Published:
    """One publication with its articles. ``at`` is when it was published or last changed, None where nobody says."""

    article_id: str
    articles: tuple[PublishedArticle, ...]
    at: datetime | None = None

    @property
    def is_deleted(self) -> bool:
        """Whether nothing of it is left."""
        return all(one.is_deleted for one in self.articles)


class PublishApi:
    """The publications of one account. Raises the errors of ``WeChatApi``."""

    def __init__(self, client: AiohttpWeChatClient) -> None:
        self._client = client

    async def submit(self, media_id: str) -> str:
        """Begin to publish a draft and return the job's number; 100 a day. Each call begins a job of its own.

        Raises InvalidMedia for a draft that is not there, DraftNotAccepted for one that the platform does not publish
        as it is, NotAuthorised for an account that is not verified.
        """
        return _id_of(await self._post("submit", {"media_id": media_id}), "publish_id", "submit")

    async def status(self, publish_id: str) -> PublishResult:
        """Return how far a job is; 100 a day."""
        answer = await self._post("get", {"publish_id": publish_id})
        number = number_of(answer, "publish_status", "freepublish/get")
        known = number in set(PublishStatus)
        detail = answer.get("article_detail") or {}
        return PublishResult(
            PublishStatus(number) if known else None,
            str(answer.get("article_id") or "") or None,
            tuple(
                ArticleUrl(number_of(one, "idx", "freepublish/get"), str(one.get("article_url", "")))
                for one in detail.get("item") or ()
            ),
            tuple(int(one) for one in answer.get("fail_idx") or ()),
        )

    async def article(self, article_id: str) -> Published:
        """Return what was published under an id, also when it was deleted since; raises NoSuchArticle; 100 a day."""
        answer = await self._post("getarticle", {"article_id": article_id})
        return Published(article_id, _articles(answer))

    async def newest(self) -> list[Published]:
        """Return the newest publications, ``LISTED_MAX`` at most; 100 calls a day. Mass sends are not among them."""
        answer = await self._post("batchget", {"offset": 0, "count": LISTED_MAX, "no_content": 1})
        return [
            Published(
                text_of(one, "article_id", "freepublish/batchget"),
                _articles(one.get("content") or {}),
                _moment(number_of(one, "update_time", "freepublish/batchget")),
            )
            for one in answer.get("item") or ()
        ]

    async def delete(self, article_id: str) -> None:
        """Delete all articles of a publication, for good; 10 a day. Raises NoSuchArticle for what is not there."""
        await self._post("delete", {"article_id": article_id, "index": 0})

    async def _post(self, name: str, body: Mapping[str, Any]) -> JsonAnswer:
        path = f"/cgi-bin/freepublish/{name}"
        return expect_json(await self._client.ask(Call("POST", path, body=body)), path)


def _id_of(answer: JsonAnswer, name: str, path: str) -> str:
    """Return an id that the platform writes as a text, and in some answers as a number."""
    value = answer.get(name)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else text_of(answer, name, path)


def _articles(answer: Mapping[str, Any]) -> tuple[PublishedArticle, ...]:
    return tuple(
        PublishedArticle(
            title=str(one.get("title", "")),
            author=str(one.get("author", "")),
            digest=str(one.get("digest", "")),
            source_url=str(one.get("content_source_url", "")),
            url=str(one.get("url", "")),
            is_deleted=bool(one.get("is_deleted", False)),
        )
        for one in answer.get("news_item") or ()
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).astimezone(LOCAL_ZONE)
