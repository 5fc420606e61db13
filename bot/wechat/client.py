"""The platform's API as the project uses it: typed in, typed out, every failure an error of ``errors.py``."""

import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import aiohttp

from bot.values.clock import LOCAL_ZONE
from bot.wechat.customer_messages import CustomerMessage
from bot.wechat.errors import NoMenu
from bot.wechat.token import TokenSource
from bot.wechat.transport import AiohttpWeChatClient
from bot.wechat.wire import Call, FileAnswer, JsonAnswer, Upload, Wire, expect_json, number_of, text_of

CALL_TIMEOUT_S = 5.0
FILE_TIMEOUT_S = 20.0
MAX_USER_INFOS = 100
MAX_SCENE_CHARS = 64
MAX_QR_EXPIRE_S = 2_592_000

MediaKind: TypeAlias = Literal["image", "voice", "video", "thumb"]


@dataclass(frozen=True, slots=True)
class Media:
    """A downloaded file."""

    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class VideoUrl:
    """Where a video can be fetched; the platform does not send videos themselves."""

    url: str


@dataclass(frozen=True, slots=True, repr=False)
class UserInfo:
    """What the platform still tells of a user: no name, picture, sex or region. All but ``openid`` is empty for one
    who does not follow. ``scene`` is how they came (ADD_SCENE_…)."""

    openid: str
    is_following: bool
    followed_at: datetime | None = None
    union_id: str | None = None
    remark: str = ""
    tag_ids: tuple[int, ...] = ()
    scene: str = ""
    qr_scene: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class FollowerPage:
    """Up to 10,000 followers; ask on with ``next_openid`` until it is None. ``total`` counts all."""

    openids: tuple[str, ...]
    next_openid: str | None
    total: int


@dataclass(frozen=True, slots=True)
class Quota:
    """Calls of one interface: the day's limit, and the rate (``rate_calls`` in ``rate_s``; None where unlimited)."""

    daily_limit: int
    used: int
    remaining: int
    rate_calls: int | None = None
    rate_s: int | None = None


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code with a scene: ``ticket`` fetches the picture, ``url`` is what it holds; no ``expires_s`` is for
    ever."""

    ticket: str
    url: str
    expires_s: int | None


class WeChatApi:
    """Calls to the platform for one account.

    Each raises the errors of ``ApiCallFailed``: Unreachable (no effect), TimedOut and OutcomeUnknown (effect
    unknown), AnswerTooLarge, or the ApiError of the platform's code. ``client`` is there for tests of its limits.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        tokens: TokenSource,
        api_base: str,
        app_id: str,
        *,
        call_timeout_s: float = CALL_TIMEOUT_S,
        file_timeout_s: float = FILE_TIMEOUT_S,
    ) -> None:
        wire, files_wire = Wire(http, api_base, call_timeout_s), Wire(http, api_base, file_timeout_s)
        self.client = AiohttpWeChatClient(wire, files_wire, tokens, app_id)

    # Messages ---------------------------------------------------------------------------------------------------

    async def send_customer_message(
        self, openid: str, message: CustomerMessage, kf_account: str | None = None
    ) -> None:
        """Send one message of the follower's allowance, in the name of ``kf_account`` if given.

        Raises ReplyWindowClosed, AllowanceUsedUp, NotFollowing, Blocked, ContentTooLong, InvalidMedia.
        """
        body: dict[str, Any] = dict(message.as_json(openid))
        if kf_account is not None:
            body["customservice"] = {"kf_account": kf_account}
        await self._post("message/custom/send", body)

    async def typing(self, openid: str, on: bool) -> None:
        """Show or hide that an answer is being written. Raises TypingRefused when there was no message for 30 s."""
        command = "Typing" if on else "CancelTyping"
        await self._post("message/custom/typing", {"touser": openid, "command": command})

    async def send_template(
        self,
        openid: str,
        template_id: str,
        data: Mapping[str, str],
        url: str | None = None,
        client_msg_id: str | None = None,
    ) -> int:
        """Send a template message and return its id, under which its outcome is reported.

        ``data`` maps the template's fields to texts. The same ``client_msg_id`` for the same follower is sent only
        once in ten minutes. Raises TemplateFieldInvalid, NotFollowing, Blocked.
        """
        body: dict[str, Any] = {"touser": openid, "template_id": template_id, "data": _template_data(data)}
        if url is not None:
            body["url"] = url
        if client_msg_id is not None:
            # wechatpy's send_template does not know this field.
            body["client_msg_id"] = client_msg_id
        answer = await self._post("message/template/send", body)
        return number_of(answer, "msgid", "message/template/send")

    async def send_subscribe(
        self, openid: str, template_id: str, data: Mapping[str, str], page: str | None = None
    ) -> None:
        """Send a subscribe notification; its outcome is reported as an event. Raises UserRefused,
        TemplateFieldInvalid."""
        await self.client.message.send_subscribe_message(openid, template_id, _template_data(data), page=page)

    # Media ------------------------------------------------------------------------------------------------------

    async def upload_media(self, kind: MediaKind, data: bytes, filename: str) -> str:
        """Store a file for three days and return its media id. ``filename`` is ASCII; its ending names the type."""
        content_type = mimetypes.guess_type(filename)[0] or "application/octet-stream"
        answer = expect_json(
            await self.client.media.upload(kind, Upload(data, filename, content_type)), "media/upload"
        )
        name = "thumb_media_id" if kind == "thumb" and "media_id" not in answer else "media_id"
        return text_of(answer, name, "media/upload")

    async def download_media(self, media_id: str) -> Media | VideoUrl:
        """Return a file, or the address of a video. Raises InvalidMedia, AnswerTooLarge."""
        answer = await self.client.media.download(media_id)
        if isinstance(answer, FileAnswer):
            return Media(answer.content, answer.content_type)
        return VideoUrl(text_of(answer, "video_url", "media/get"))

    # The account ------------------------------------------------------------------------------------------------

    async def create_menu(self, menu: Mapping[str, Any]) -> None:
        """Replace the account's menu; ``menu`` is what ``read_menu`` returns."""
        await self.client.menu.create(dict(menu))

    async def get_menu(self) -> JsonAnswer | None:
        """Return the menu that was made by the API, None if there is none."""
        try:
            # wechatpy's menu.get looks for its own exception and would let ours pass.
            return await self._get("menu/get")
        except NoMenu:
            return None

    async def delete_menu(self) -> None:
        """Delete the menu, and with it all conditional menus."""
        await self.client.menu.delete()

    async def quota(self, path: str) -> Quota:
        """Return what is left of the interface ``path``, which begins with a slash (``/cgi-bin/…``)."""
        answer = await self._post("openapi/quota/get", {"cgi_path": path})
        quota, rate = answer.get("quota") or {}, answer.get("rate_limit") or {}
        return Quota(
            daily_limit=number_of(quota, "daily_limit", "openapi/quota/get"),
            used=number_of(quota, "used", "openapi/quota/get"),
            remaining=number_of(quota, "remain", "openapi/quota/get"),
            rate_calls=rate.get("call_count"),
            rate_s=rate.get("refresh_second"),
        )

    async def create_qr(self, scene: str | int, expire_s: int | None = None) -> QrCode:
        """Return a QR code that tells ``scene`` to the bot: a number, or up to 64 characters.

        ``expire_s`` is at most 30 days; without it the code is one of the account's 100,000 permanent ones. Anybody
        can read and forge a scene.
        """
        if isinstance(scene, str) and not 1 <= len(scene) <= MAX_SCENE_CHARS:
            raise ValueError(f"a scene has 1 to {MAX_SCENE_CHARS} characters")
        if expire_s is not None and not 1 <= expire_s <= MAX_QR_EXPIRE_S:
            raise ValueError(f"a QR code lasts 1 to {MAX_QR_EXPIRE_S} seconds")
        name = "QR_" + ("" if expire_s else "LIMIT_") + ("STR_SCENE" if isinstance(scene, str) else "SCENE")
        field = "scene_str" if isinstance(scene, str) else "scene_id"
        body: dict[str, Any] = {"action_name": name, "action_info": {"scene": {field: scene}}}
        if expire_s is not None:
            body["expire_seconds"] = expire_s
        answer = expect_json(await self.client.qrcode.create(body), "qrcode/create")
        return QrCode(text_of(answer, "ticket", "qrcode/create"), str(answer.get("url", "")), expire_s)

    # Users ------------------------------------------------------------------------------------------------------

    async def user_info(self, openid: str) -> UserInfo:
        """Return what the platform tells of one user."""
        return _user_info(expect_json(await self.client.user.get(openid), "user/info"))

    async def user_infos(self, openids: Sequence[str]) -> list[UserInfo]:
        """Return what the platform tells of up to 100 users."""
        if not 1 <= len(openids) <= MAX_USER_INFOS:
            raise ValueError(f"1 to {MAX_USER_INFOS} users can be asked for, not {len(openids)}")
        answer = await self._post("user/info/batchget", {"user_list": [{"openid": openid} for openid in openids]})
        return [_user_info(info) for info in answer.get("user_info_list", ())]

    async def followers(self, next_openid: str | None = None) -> FollowerPage:
        """Return the page of followers behind ``next_openid``, the first one without it."""
        answer = expect_json(await self.client.user.get_followers(next_openid), "user/get")
        openids = tuple((answer.get("data") or {}).get("openid", ()))
        # The last page may name a next one although nothing is left.
        following = str(answer.get("next_openid") or "") if openids else ""
        return FollowerPage(openids, following or None, number_of(answer, "total", "user/get"))

    # Parts ------------------------------------------------------------------------------------------------------

    async def _post(self, endpoint: str, body: Mapping[str, Any]) -> JsonAnswer:
        path = f"/cgi-bin/{endpoint}"
        return expect_json(await self.client.ask(Call("POST", path, body=body)), path)

    async def _get(self, endpoint: str) -> JsonAnswer:
        path = f"/cgi-bin/{endpoint}"
        return expect_json(await self.client.ask(Call("GET", path)), path)


def _template_data(data: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {name: {"value": value} for name, value in data.items()}


def _user_info(info: Mapping[str, Any]) -> UserInfo:
    openid = str(info.get("openid", ""))
    if not info.get("subscribe"):
        return UserInfo(openid, is_following=False)
    followed_s = number_of(info, "subscribe_time", "user/info")
    return UserInfo(
        openid,
        is_following=True,
        followed_at=datetime.fromtimestamp(followed_s, UTC).astimezone(LOCAL_ZONE),
        union_id=info.get("unionid") or None,
        remark=str(info.get("remark", "")),
        tag_ids=tuple(info.get("tagid_list", ())),
        scene=str(info.get("subscribe_scene", "")),
        qr_scene=str(info.get("qr_scene_str") or info.get("qr_scene") or ""),
    )
