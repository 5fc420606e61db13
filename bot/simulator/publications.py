"""Drafts, and their publication: a job that ends a moment later, articles with addresses, what becomes of them."""

import asyncio
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING

from bot.simulator import pushes
from bot.simulator.errors import ApiFault

if TYPE_CHECKING:
    from bot.simulator.core import PlatformCore

DIGEST_CHARS = 54
"""How much of the text stands for a digest that was left empty."""
_SCRIPT = re.compile(r"<script\b.*?(</script\s*>|$)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]+>")


class Verdict(IntEnum):
    """How a job stands, as the platform numbers it."""

    PUBLISHED = 0
    RUNNING = 1
    NOT_ORIGINAL = 2
    FAILED = 3
    NOT_ALLOWED = 4
    DELETED = 5
    BANNED = 6


@dataclass(frozen=True, slots=True)
class DraftArticle:
    """One article of a draft; ``body`` is HTML."""

    title: str
    body: str = ""
    author: str = ""
    digest: str = ""
    source_url: str = ""
    thumb_media_id: str = ""

    @property
    def shown_body(self) -> str:
        """The text as the platform shows it: without scripts."""
        return _SCRIPT.sub("", self.body)

    @property
    def shown_digest(self) -> str:
        """The digest, or the beginning of the text."""
        return self.digest or _TAG.sub("", self.shown_body)[:DIGEST_CHARS]


@dataclass(slots=True)
class Publication:
    """One job. ``article_id`` and ``codes`` (one an article, in its address) are there once it is published."""

    publish_id: int
    media_id: str
    articles: tuple[DraftArticle, ...]
    at: datetime
    verdict: Verdict = Verdict.RUNNING
    article_id: str = ""
    codes: tuple[str, ...] = ()
    failed: tuple[int, ...] = ()
    deleted: set[int] = field(default_factory=set)

    @property
    def is_readable(self) -> bool:
        """Whether anything of it can be read."""
        return self.verdict is Verdict.PUBLISHED

    def shows(self, index: int) -> bool:
        """Say whether the article at ``index``, from 1, can be read."""
        return self.is_readable and index not in self.deleted


class PublicationBook:
    """The publications of one account, and the verdicts that its next ones get."""

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []
        self._all: dict[int, Publication] = {}

    def everything(self) -> Sequence[Publication]:
        """Return the jobs, the newest first."""
        return tuple(reversed(self._all.values()))

    def add(self, publication: Publication) -> None:
        """Remember a job."""
        self._all[publication.publish_id] = publication

    def job(self, publish_id: int) -> Publication:
        """Return a job; raises ApiFault 40035 (a guess)."""
        found = self._all.get(publish_id)
        if found is None:
            raise ApiFault(40035)
        return found

    def article(self, article_id: str) -> Publication:
        """Return what was published under the id, also when it was deleted since; raises ApiFault 53600."""
        found = next((one for one in self._all.values() if article_id and one.article_id == article_id), None)
        if found is None:
            raise ApiFault(53600)
        return found

    def at(self, code: str) -> tuple[Publication, int] | None:
        """Return the publication and the place, from 1, of the article with this code in its address."""
        found = next((one for one in self._all.values() if code in one.codes), None)
        return None if found is None else (found, found.codes.index(code) + 1)


async def run_job(platform: "PlatformCore", publication: Publication) -> None:
    """End a job after the platform's time, by the next verdict, and tell the account.

    The draft leaves its box when it is published; whether it stays there after a refusal is a guess.
    """
    await asyncio.sleep(platform.config.publish_latency_s)
    verdicts = platform.publications.verdicts
    publication.verdict = verdicts.pop(0) if verdicts else Verdict.PUBLISHED
    if publication.is_readable:
        platform.drafts.pop(publication.media_id, None)
        publication.article_id = secrets.token_urlsafe(32)
        publication.codes = tuple(secrets.token_urlsafe(16) for _ in publication.articles)
    elif publication.verdict in (Verdict.NOT_ORIGINAL, Verdict.NOT_ALLOWED):
        publication.failed = tuple(range(1, len(publication.articles) + 1))
    platform.changed()
    if platform.config.tells_of_publications:
        tell(platform, publication)


def take_down(platform: "PlatformCore", article_id: str, verdict: Verdict) -> None:
    """Delete a publication on the platform's own pages, or ban it. That an event tells of it is a guess."""
    publication = platform.publications.article(article_id)
    publication.verdict = verdict
    platform.changed()
    tell(platform, publication)


def address_of(platform: "PlatformCore", publication: Publication, index: int) -> str:
    """Return where the article at ``index``, from 1, can be read."""
    return f"{platform.base_url}/s/{publication.codes[index - 1]}"


def tell(platform: "PlatformCore", publication: Publication) -> None:
    """Push the state of a job, in some follower's name; an account without followers hears nothing."""
    sender = next(iter(platform.followers.everyone()), None)
    if sender is not None:
        places = range(1, len(publication.codes) + 1) if publication.is_readable else ()
        urls = [address_of(platform, publication, place) for place in places]
        article_id = publication.article_id if publication.is_readable else ""
        push = pushes.publish_finished(
            publication.publish_id, publication.verdict, article_id, urls, publication.failed
        )
        platform.tell_later(sender.openid, push)
