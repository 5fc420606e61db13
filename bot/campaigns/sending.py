"""Sends batches: each recipient once, whatever dies in between.

A mass batch carries a ``clientmsgid`` that was stored before the first attempt. After a crash, or an answer that
never came, the same call is made again, and the platform says “sent already, as number …” instead of sending twice.
Single messages have no such promise, except templates for ten minutes: they are marked before the call, and what was
under way when a worker died stays *unknown* and is never repeated.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import assert_never

import structlog

from bot.campaigns.batch_rows import Hold
from bot.campaigns.batches import Batches
from bot.campaigns.content import Content, Menu, News, Picture, Subscribe, Template, Text, filled, filled_fields
from bot.campaigns.errors import CampaignError
from bot.campaigns.models import Outcome, SendChannel
from bot.campaigns.pace import Pace
from bot.campaigns.pictures import CampaignPictures
from bot.campaigns.rules import TEMPLATE_ID_LIFE
from bot.campaigns.singles import Addressee, Result
from bot.campaigns.stopping import Stops
from bot.storage.files import FileMissing
from bot.values.clock import Clock
from bot.values.counties import County
from bot.wechat.client import WeChatApi
from bot.wechat.customer_messages import CustomerArticle, CustomerImage, CustomerMenu, CustomerMessage, CustomerText
from bot.wechat.errors import (
    AlreadySubmitted,
    AnswerTooLarge,
    ApiCallFailed,
    ApiError,
    CredentialsWrong,
    InvalidMedia,
    IpNotAllowed,
    MassQuotaUsedUp,
    NotAuthorised,
    OutcomeUnknown,
    QuotaUsedUp,
    RetriedTooFast,
    SecretFrozen,
    SystemBusy,
    Throttled,
    TokenRejected,
    TransportFailed,
    Unreachable,
)
from bot.wechat.mass import DraftArticle, MassApi, MassContent, MassImage, MassNews, MassText
from bot.wechat.outgoing import Choice

log = structlog.get_logger(__name__)

WAVE = 20
"""How many single messages are under way at once: as many can become unknown by one crash."""
SHORTLY, A_MINUTE = timedelta(seconds=3), timedelta(seconds=60)
STOPPERS = (
    QuotaUsedUp,
    MassQuotaUsedUp,
    NotAuthorised,
    CredentialsWrong,
    SecretFrozen,
    IpNotAllowed,
    TokenRejected,
)
"""Nothing goes out until somebody has looked: the campaign is paused."""


class BatchSender:
    """Sends one batch after the other, as the workers are told."""

    def __init__(
        self,
        batches: Batches,
        pace: Pace,
        stops: Stops,
        mass: MassApi,
        api: WeChatApi,
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        pictures: CampaignPictures | None = None,
    ) -> None:
        self._batches = batches
        self._pace = pace
        self._stops = stops
        self._mass = mass
        self._api = api
        self._clock = clock
        self._sleep = sleep
        self._pictures = pictures

    async def run(self, batch_id: int) -> bool:
        """Send a batch if it is free; say whether there was anything to do."""
        hold = await self._batches.claim(batch_id)
        if hold is None:
            return False
        if hold.channel.is_mass:
            await self._send_mass(hold)
        else:
            await self._send_singles(hold)
        await self._stops.after_batch(hold.campaign_id)
        return True

    # Mass sends -------------------------------------------------------------------------------------------------

    async def _send_mass(self, hold: Hold) -> None:
        if not await self._turn(hold, 1):
            return
        try:
            msg_id = await self._call_mass(hold)
        except AlreadySubmitted as already:
            log.info("a batch was sent already", batch=hold.batch_id)
            await self._batches.submitted(hold, already.msg_id or None)
        except (OutcomeUnknown, AnswerTooLarge):
            await self._batches.later(hold, SHORTLY, may_have_arrived=True)
        except (Unreachable, SystemBusy, RetriedTooFast):
            await self._batches.later(hold, SHORTLY)
        except Throttled:
            await self._batches.later(hold, A_MINUTE)
        except STOPPERS as error:
            await self._batches.later(hold, SHORTLY)
            await self._stops.pause(hold.campaign_id, error)
        except InvalidMedia as error:
            # The draft of an earlier attempt is gone: perhaps because that attempt sent it.
            await (self._batches.unknown(hold) if hold.attempts > 1 else self._batches.failed(hold, error.errcode))
        except FileMissing as error:
            await self._without_picture(hold, error)
        except ApiError as error:
            log.warning("a batch was refused", batch=hold.batch_id, errcode=error.errcode, rid=error.rid)
            await self._batches.failed(hold, error.errcode)
        else:
            if msg_id is not None:
                await self._batches.submitted(hold, msg_id)

    async def _call_mass(self, hold: Hold) -> int | None:
        content = await self._mass_content(hold)
        if content is None:
            return None
        if hold.channel is SendChannel.MASS_LIST:
            openids = await self._batches.openids(hold)
            # None are left when another worker has taken the batch over and sent it, because this one was too slow.
            return await self._mass.send_list(openids, content, hold.client_id) if openids else None
        return await self._mass.send_all(content, hold.client_id, tag_id=hold.tag_id)

    async def _mass_content(self, hold: Hold) -> MassContent | None:
        content = await self._ready(hold.content)
        match content:
            case Text(text):
                return MassText(text)
            case Picture(media_id):
                return MassImage(media_id)
            case News():
                if hold.media_id is not None:
                    return MassNews(hold.media_id)
                media_id = await self._mass.add_draft(drafts_of(content))
                return MassNews(media_id) if await self._batches.keep_media(hold, media_id) else None
            case _:
                raise CampaignError

    # Single messages --------------------------------------------------------------------------------------------

    async def _send_singles(self, hold: Hold) -> None:
        try:
            hold = replace(hold, content=await self._ready(hold.content))
        except (ApiCallFailed, FileMissing) as error:
            await self._without_picture(hold, error)
            return
        is_repeatable = hold.channel is SendChannel.TEMPLATE
        since = self._clock.now() - TEMPLATE_ID_LIFE if is_repeatable else None
        wave: list[Addressee] | None = await self._batches.singles.interrupted(hold, since)
        while True:
            if wave:
                stopped = await self._send_wave(hold, wave)
                if stopped is not None:
                    await self._stop(hold, stopped)
                    return
            if not await self._turn(hold, WAVE):
                return
            wave = await self._batches.singles.next_wave(hold, WAVE)
            if wave is None:
                await self._batches.later(hold, SHORTLY)
                return
            if not wave:
                await self._batches.singles.finished(hold)
                return

    async def _send_wave(self, hold: Hold, wave: list[Addressee]) -> ApiError | Unreachable | None:
        """Send to some at once; return what keeps the others from being sent to, if anything does."""
        done = await asyncio.gather(*(self._send_one(hold, one) for one in wave))
        await self._batches.singles.results(hold, [result for result, _ in done])
        return next((error for _, error in done if error is not None), None)

    async def _send_one(self, hold: Hold, whom: Addressee) -> tuple[Result, ApiError | Unreachable | None]:
        try:
            try:
                msg_id = await self._call_single(hold, whom)
            except OutcomeUnknown:
                if hold.channel is not SendChannel.TEMPLATE:
                    raise
                # The same id within ten minutes: the platform sends it once.
                msg_id = await self._call_single(hold, whom)
        except (OutcomeUnknown, AnswerTooLarge):
            return Result(whom.openid, Outcome.UNKNOWN), None
        except (Unreachable, SystemBusy, Throttled, *STOPPERS) as error:
            return Result(whom.openid, Outcome.QUEUED), error
        except ApiError as error:
            return Result(whom.openid, Outcome.FAILED, code=error.errcode), None
        return Result(whom.openid, Outcome.SUBMITTED, msg_id=msg_id), None

    async def _call_single(self, hold: Hold, whom: Addressee) -> int | None:
        values = {"区县": _county(whom.county), "类别": whom.category or ""}
        match hold.content:
            case Template(template_id, fields, url):
                data = filled_fields(fields, values)
                return await self._api.send_template(
                    whom.openid, template_id, data, url or None, client_msg_id=hold.client_id
                )
            case Subscribe(template_id, fields, page):
                await self._api.send_subscribe(whom.openid, template_id, filled_fields(fields, values), page or None)
            case Text() | Picture() | Menu() as content:
                await self._api.send_customer_message(whom.openid, customer_message(content, values))
            case News() if hold.article_id is not None:
                await self._api.send_customer_message(whom.openid, CustomerArticle(hold.article_id))
            case News():
                raise CampaignError
            case _:
                assert_never(hold.content)
        return None

    async def _ready(self, content: Content) -> Content:
        """Return the content with its pictures at the platform."""
        return content if self._pictures is None else await self._pictures.ready(content, self._mass)

    async def _without_picture(self, hold: Hold, error: ApiCallFailed | FileMissing) -> None:
        """Nobody was sent anything yet: try later what may pass, and pause for what somebody has to mend."""
        await self._batches.later(hold, A_MINUTE)
        if not isinstance(error, (TransportFailed, SystemBusy, Throttled)):
            await self._stops.pause(hold.campaign_id, error)

    async def _stop(self, hold: Hold, error: ApiError | Unreachable) -> None:
        await self._batches.later(hold, A_MINUTE if isinstance(error, Throttled) else SHORTLY)
        if isinstance(error, STOPPERS):
            await self._stops.pause(hold.campaign_id, error)

    async def _turn(self, hold: Hold, calls: int) -> bool:
        """Wait for the batch's turn; without one soon it is put back."""
        wait_s = await self._pace.take(hold.campaign_id, hold.channel, hold.per_minute, calls=calls)
        if wait_s is None:
            await self._batches.later(hold, SHORTLY)
            return False
        await self._sleep(wait_s)
        return True


def drafts_of(content: Content) -> list[DraftArticle]:
    """Return the articles of a content as a draft takes them; none for any other content."""
    articles = content.articles if isinstance(content, News) else ()
    return [
        DraftArticle(one.title, one.body, one.thumb_media_id, one.author, one.digest, one.source_url)
        for one in articles
    ]


def customer_message(content: Text | Picture | Menu, values: Mapping[str, str]) -> CustomerMessage:
    """Return a content as a customer-service message to one recipient."""
    match content:
        case Text(text):
            return CustomerText(filled(text, values))
        case Picture(media_id=media_id):
            return CustomerImage(media_id)
        case Menu(head, choices, tail):
            shown = tuple(Choice(choice.id, choice.label) for choice in choices)
            return CustomerMenu(filled(head, values), shown, filled(tail, values))
        case _:
            assert_never(content)


def _county(code: str | None) -> str:
    return County.by_code(code).short if code in set(County) else ""
