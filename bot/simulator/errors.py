"""What can go wrong on the simulated platform, and the platform's own error codes with their sentences."""

import secrets
import time
from typing import ClassVar

from bot.values.errors import BotError

ERRMSG = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40004: "invalid media type",
    40005: "invalid file type",
    40006: "invalid meida size",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid appid",
    40016: "invalid button size",
    40017: "invalid button type",
    40018: "invalid button name size",
    40019: "invalid button key size",
    40020: "invalid button url size",
    40023: "invalid sub button size",
    40024: "invalid sub button type",
    40025: "invalid sub button name size",
    40027: "invalid sub button key size",
    40028: "invalid sub button url size",
    40032: "invalid openid list size",
    40033: "invalid charset. please check your request, if include \\uxxxx will create fail!",
    40035: "invalid parameter",
    40037: "invalid template_id",
    40066: "invalid url",
    40125: "invalid appsecret",
    40130: "invalid openid list size, at least two openid",
    40152: "invalid tag_id",
    41001: "access_token missing",
    41005: "media data missing",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    43004: "require subscribe",
    43101: "user refuse to accept the msg",
    44002: "empty post data",
    44003: "empty news data",
    44004: "empty content",
    45001: "media size out of limit",
    45002: "content size out of limit",
    45008: "article size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45028: "has no masssend quota",
    45047: "out of response count limit",
    45056: "too many tag now, no need to add new",
    45058: "can't modify sys tag",
    45059: "user has too many tags",
    45065: "clientmsgid exist",
    45067: "clientmsgid size out of limit",
    45072: "invalid command",
    45080: "cannot send typing: no message exchanged recently",
    45081: "already typing",
    45157: "invalid tag name",
    45158: "tag name too long",
    45159: "invalid tag_id",
    46003: "menu no exist",
    47001: "data format error",
    47003: "argument invalid!",
    48001: "api unauthorized",
    48006: "forbid to clear quota because of reaching the limit",
    53503: "该草稿未通过发布检查",
    53504: "需前往公众平台官网使用草稿",
    53505: "请手动保存成功后再发表",
    53600: "Article ID 无效",
    76021: "cgi_path not found, please check",
    76001: "rid not found",
}


class ApiFault(BotError):
    """A call of the platform's API is refused: ``errcode`` and ``errmsg`` go out with HTTP 200, as they really do."""

    code: ClassVar[str] = "simulator.api_fault"

    def __init__(self, errcode: int, errmsg: str | None = None) -> None:
        self.errcode = errcode
        self.errmsg = errmsg or ERRMSG.get(errcode, "error")
        super().__init__(errcode=errcode, errmsg=self.errmsg)


class BadField(BotError):
    """A JSON body lacks ``field``, or it has the wrong type."""

    code: ClassVar[str] = "simulator.bad_field"


class UnknownFollower(BotError):
    """No follower has this OpenID."""

    code: ClassVar[str] = "simulator.unknown_follower"


class NotOnScreen(BotError):
    """The follower cannot click what the chat does not show."""

    code: ClassVar[str] = "simulator.not_on_screen"


class ConfigRefused(BotError):
    """The simulator does not start with this configuration; ``key`` names the setting."""

    code: ClassVar[str] = "simulator.config_refused"


class NotForProduction(BotError):
    """The simulator was started without the caller saying that this is not a production system."""

    code: ClassVar[str] = "simulator.not_for_production"


def new_rid() -> str:
    """Return a request id shaped like the platform's: three hexadecimal groups, the first one the time."""
    return f"{int(time.time()):x}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"
