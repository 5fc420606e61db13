"""Publishes the articles of campaigns: a draft is made and submitted, once, whatever dies in between."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from bot.campaigns.content import News
from bot.campaigns.pictures import CampaignPictures
from bot.campaigns.publications import Publications, Turn
from bot.campaigns.sending import A_MINUTE, SHORTLY, STOPPERS, drafts_of
from bot.campaigns.stopping import Stops
from bot.storage.files import FileMissing
from bot.wechat.errors import (
    AnswerTooLarge,
    ApiError,
    DraftNotAccepted,
    InvalidMedia,
    OutcomeUnknown,
    SystemBusy,
    Throttled,
    TransportFailed,
    Unreachable,
)
from bot.wechat.mass import MassApi
from bot.wechat.publishing import PublishApi

log = structlog.get_logger(__name__)

_WHY_NOT_ACCEPTED = {53503: "draft_check", 53504: "draft_console", 53505: "draft_unsaved"}


class Publisher:
    """Begins publications that wait."""

    def __init__(
        self,
        publications: Publications,
        stops: Stops,
        mass: MassApi,
        publishing: PublishApi,
        *,
        pictures: CampaignPictures | None = None,
    ) -> None:
        self._publications = publications
        self._stops = stops
        self._mass = mass
        self._publishing = publishing
        self._pictures = pictures

    async def run_due(self) -> int:
        """Begin what waits; return how many were taken."""
        due = await self._publications.due()
        return sum([await self.run(campaign_id) for campaign_id in due])

    async def run(self, campaign_id: int) -> bool:
        """Begin a publication if it is free; say whether there was anything to do."""
        turn = await self._publications.claim(campaign_id)
        if turn is None:
            return False
        media_id = turn.media_id or await self._draft(turn)
        if media_id is not None and await self._publications.begin(turn):
            await _to_its_end(self._submit(turn, media_id))
        return True

    async def _draft(self, turn: Turn) -> str | None:
        """Return the number of a new draft; None when there is none now, which is written down."""
        try:
            content = turn.content
            if self._pictures is not None:
                content = await self._pictures.ready(content, self._mass)
            assert isinstance(content, News), "the check lets nothing but articles be published"
            media_id = await self._mass.add_draft(drafts_of(content))
        except (TransportFailed, AnswerTooLarge, SystemBusy):
            # A draft whose answer was lost is published by nobody: another one is made.
            await self._publications.later(turn, SHORTLY)
        except Throttled:
            await self._publications.later(turn, A_MINUTE)
        except (*STOPPERS, FileMissing) as error:
            await self._stop(turn, error)
        except InvalidMedia as error:
            await self._publications.refused(turn, "cover", error.errcode)
        except ApiError as error:
            await self._refused(turn, error)
        else:
            return media_id if await self._publications.keep_draft(turn, media_id) else None
        return None

    async def _submit(self, turn: Turn, media_id: str) -> None:
        try:
            publish_id = await self._publishing.submit(media_id)
        except (OutcomeUnknown, AnswerTooLarge) as error:
            log.warning("nobody knows whether a publication began", campaign=turn.campaign_id, error=error.code)
            await self._publications.unknown(turn)
        except (Unreachable, SystemBusy):
            await self._publications.later(turn, SHORTLY)
        except Throttled:
            await self._publications.later(turn, A_MINUTE)
        except STOPPERS as error:
            await self._stop(turn, error)
        except InvalidMedia as error:
            # Somebody deleted the draft on the platform's own pages, or published it from there.
            await self._publications.refused(turn, "draft_gone", error.errcode)
        except DraftNotAccepted as error:
            await self._publications.refused(turn, _WHY_NOT_ACCEPTED[error.errcode], error.errcode)
        except ApiError as error:
            await self._refused(turn, error)
        else:
            await self._publications.submitted(turn, publish_id)

    async def _refused(self, turn: Turn, error: ApiError) -> None:
        log.warning("a publication was refused", campaign=turn.campaign_id, errcode=error.errcode, rid=error.rid)
        await self._publications.refused(turn, "refused", error.errcode)

    async def _stop(self, turn: Turn, error: ApiError | FileMissing) -> None:
        """Put it back and pause: nothing has begun, and nothing will until somebody has looked."""
        await self._publications.later(turn, SHORTLY)
        await self._stops.pause(turn.campaign_id, error)


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Do what is not to be broken off: a worker that is told to stop hears the platform's answer first."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
