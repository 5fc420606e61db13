"""Pictures of chats: fetched from the platform before it forgets them, and handed to it to be sent."""

from datetime import timedelta

import structlog

from bot.inbox.models import MediaState
from bot.inbox.outbound import OutboundQueue
from bot.inbox.pictures import PictureQueue, WantedPicture
from bot.inbox.views import OutboundMessage
from bot.storage.files import FileRefused, PrivateFiles
from bot.values.clock import Clock
from bot.values.errors import BotError
from bot.wechat.client import Media, WeChatApi
from bot.wechat.errors import AnswerTooLarge, ApiCallFailed, InvalidMedia, OutcomeUnknown
from bot.worker.outbox import NOT_NOW, Delivery, Outcome

log = structlog.get_logger(__name__)

AGAIN_AFTER = timedelta(minutes=1)
UPLOAD_LASTS = timedelta(days=2, hours=12)
"""The platform keeps an upload for three days; half a day is left for the clocks to differ and for sending."""
PURPOSE = "chat"


class ChatPictures:
    """Between the platform's store of pictures and the private files."""

    def __init__(
        self, wanted: PictureQueue, outbound: OutboundQueue, files: PrivateFiles, api: WeChatApi, clock: Clock
    ) -> None:
        self._wanted = wanted
        self._outbound = outbound
        self._files = files
        self._api = api
        self._clock = clock

    async def fetch(self) -> int:
        """Fetch one batch of what followers sent; return how many pictures were taken."""
        pictures = await self._wanted.take()
        for picture in pictures:
            await self._fetch(picture)
        return len(pictures)

    async def media_id(self, message: OutboundMessage) -> str | Delivery:
        """Return the platform's id of a picture to send, or how trying to get one ended."""
        now = self._clock.now()
        if message.media_ref and message.media_until is not None and now < message.media_until:
            return message.media_ref
        try:
            kept = await self._files.read(message.file_id or "")
            ending = "png" if kept.file.media_type == "image/png" else "jpg"
            media_id = await self._api.upload_media("image", kept.data, f"picture.{ending}")
        except (*NOT_NOW, OutcomeUnknown, AnswerTooLarge) as error:
            # A second upload costs nothing and shows to nobody.
            return Delivery(Outcome.LATER, error.code)
        except BotError as error:
            log.warning("a picture could not be handed over", error=error.code)
            return Delivery(Outcome.FAILED, error.code)
        await self._outbound.uploaded(message.id, media_id, now + UPLOAD_LASTS)
        return media_id

    async def _fetch(self, picture: WantedPicture) -> None:
        try:
            media = await self._api.download_media(picture.media_ref)
        except (InvalidMedia, AnswerTooLarge):
            await self._wanted.lost(picture.message_id, MediaState.GONE)
            return
        except ApiCallFailed as error:
            log.warning("a picture could not be fetched", error=error.code)
            await self._later(picture)
            return
        if not isinstance(media, Media):
            await self._wanted.lost(picture.message_id, MediaState.REFUSED)
            return
        try:
            stored = await self._files.save(media.content, owner=picture.openid, purpose=PURPOSE)
        except FileRefused:
            await self._wanted.lost(picture.message_id, MediaState.REFUSED)
            return
        if not await self._wanted.kept(picture.message_id, stored.id):
            # The follower was erased meanwhile, or another worker was quicker.
            await self._files.delete(stored.id)

    async def _later(self, picture: WantedPicture) -> None:
        now = self._clock.now()
        if now >= picture.until:
            await self._wanted.lost(picture.message_id, MediaState.GONE)
        else:
            await self._wanted.postpone(picture.message_id, now + AGAIN_AFTER)
