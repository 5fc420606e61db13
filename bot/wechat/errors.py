"""Every failure of the platform's edge: callbacks that are refused, and API calls that did not succeed.

Nothing personal is in an error's fields or text. The platform's own ``errmsg`` may hold an OpenID or an IP address;
it stays in an attribute for the caller and is never part of what a log line prints.
"""

import re
from typing import ClassVar

from bot.values.errors import BotError


class WechatError(BotError):
    """The base of every error of this package."""

    code: ClassVar[str] = "wechat"


# Callbacks ------------------------------------------------------------------------------------------------------


class CallbackRefused(WechatError):
    """A delivery that is not answered. The closed set is its subclasses.

    ``status`` is the HTTP status to answer with an empty body, ``label`` the value for a counter.
    """

    code: ClassVar[str] = "wechat.callback"
    status: ClassVar[int] = 400
    label: ClassVar[str] = "refused"


class BadSignature(CallbackRefused):
    """``signature`` or ``msg_signature`` does not fit the token: it was not the platform."""

    code: ClassVar[str] = "wechat.bad_signature"
    status: ClassVar[int] = 403
    label: ClassVar[str] = "bad_signature"


class ForeignApp(CallbackRefused):
    """The message opens with our key but is addressed to another AppID."""

    code: ClassVar[str] = "wechat.foreign_app"
    status: ClassVar[int] = 403
    label: ClassVar[str] = "foreign_app"


class TooLarge(CallbackRefused):
    """The body is larger than any message of the platform."""

    code: ClassVar[str] = "wechat.too_large"
    status: ClassVar[int] = 413
    label: ClassVar[str] = "too_large"


class Malformed(CallbackRefused):
    """The body is not a message; ``reason`` names the place, never the content."""

    code: ClassVar[str] = "wechat.malformed"
    label: ClassVar[str] = "malformed"

    def __init__(self, reason: str) -> None:
        super().__init__(reason=reason)
        self.reason = reason


class Undecipherable(CallbackRefused):
    """No key at hand opens the message."""

    code: ClassVar[str] = "wechat.undecipherable"
    label: ClassVar[str] = "undecipherable"


# API calls ------------------------------------------------------------------------------------------------------


class ApiCallFailed(WechatError):
    """A call to the platform that brought no usable answer."""

    code: ClassVar[str] = "wechat.api"


class TransportFailed(ApiCallFailed):
    """No answer, or one that is not the platform's; its subclasses say whether the call can have had an effect."""

    code: ClassVar[str] = "wechat.api.transport"


class Unreachable(TransportFailed):
    """No connection could be made: the call had no effect and may be repeated."""

    code: ClassVar[str] = "wechat.api.unreachable"


class OutcomeUnknown(TransportFailed):
    """The call went out and no usable answer came back: it may or may not have had its effect."""

    code: ClassVar[str] = "wechat.api.outcome_unknown"


class TimedOut(OutcomeUnknown):
    """The answer did not come in time."""

    code: ClassVar[str] = "wechat.api.timed_out"


class AnswerTooLarge(ApiCallFailed):
    """The platform answered with more bytes than are accepted; nothing of it was kept."""

    code: ClassVar[str] = "wechat.api.answer_too_large"


class ApiError(ApiCallFailed):
    """The platform answered with an error code.

    ``errcode`` and ``rid`` (its request id, empty when absent) may be logged; ``errmsg`` may not. The page with all
    codes: https://developers.weixin.qq.com/doc/oplatform/developers/errCode/errCode.html
    """

    code: ClassVar[str] = "wechat.api.error"

    def __init__(self, errcode: int, errmsg: str = "", rid: str = "", **fields: str | int) -> None:
        super().__init__(errcode=errcode, rid=rid, **fields)
        self.errcode = errcode
        self.errmsg = errmsg
        self.rid = rid


class TokenRejected(ApiError):
    """40001, 40014, 42001: the access token is wrong, malformed or expired."""

    code: ClassVar[str] = "wechat.api.token_rejected"


class CredentialsWrong(ApiError):
    """40013, 40125: the AppID or the AppSecret is wrong. Asking again does not help."""

    code: ClassVar[str] = "wechat.api.credentials_wrong"


class SecretFrozen(ApiError):
    """40243: the AppSecret was frozen in the platform's console; thawing takes ten minutes."""

    code: ClassVar[str] = "wechat.api.secret_frozen"


class IpNotAllowed(ApiError):
    """40164: this machine's outgoing address is not on the account's list; ``errmsg`` names it."""

    code: ClassVar[str] = "wechat.api.ip_not_allowed"


class NotAuthorised(ApiError):
    """48001, 48004: the account does not have this interface, or it was taken away."""

    code: ClassVar[str] = "wechat.api.not_authorised"


class SystemBusy(ApiError):
    """-1: the platform is busy; the client has already tried again."""

    code: ClassVar[str] = "wechat.api.system_busy"


class QuotaUsedUp(ApiError):
    """45009: the daily number of calls is used up."""

    code: ClassVar[str] = "wechat.api.quota_used_up"


class Throttled(ApiError):
    """45011: too many calls this minute; try again after ``retry_after_s``."""

    code: ClassVar[str] = "wechat.api.throttled"
    retry_after_s: ClassVar[int] = 60


class ReplyWindowClosed(ApiError):
    """45015: the follower has been silent for too long, or no longer follows."""

    code: ClassVar[str] = "wechat.api.reply_window_closed"


class AllowanceUsedUp(ApiError):
    """45047: no customer-service message is left until the follower acts again. Do not retry."""

    code: ClassVar[str] = "wechat.api.allowance_used_up"


class NotFollowing(ApiError):
    """43004, 40003: the OpenID is not a follower of this account."""

    code: ClassVar[str] = "wechat.api.not_following"


class Blocked(ApiError):
    """48002: the follower does not want messages of this account."""

    code: ClassVar[str] = "wechat.api.blocked"


class UserRefused(ApiError):
    """43101: the user refused the subscription, or its one message is used up."""

    code: ClassVar[str] = "wechat.api.user_refused"


class InvalidMedia(ApiError):
    """40007: the media id is unknown or older than three days."""

    code: ClassVar[str] = "wechat.api.invalid_media"


class ContentTooLong(ApiError):
    """45002: the text is longer than the platform sends."""

    code: ClassVar[str] = "wechat.api.content_too_long"


class TemplateFieldInvalid(ApiError):
    """47003: a template's field has a value that its kind does not allow; ``field`` is its name, if given."""

    code: ClassVar[str] = "wechat.api.template_field_invalid"

    def __init__(self, errcode: int, errmsg: str = "", rid: str = "") -> None:
        found = _TEMPLATE_FIELD.search(errmsg)
        self.field = found[1] if found else ""
        super().__init__(errcode, errmsg, rid, field=self.field)


class AlreadySubmitted(ApiError):
    """45065: this clientmsgid was sent before; ``msg_id`` is the number of that sending, 0 where none was given."""

    code: ClassVar[str] = "wechat.api.already_submitted"
    msg_id: int = 0


class RetriedTooFast(ApiError):
    """45066: the same clientmsgid again while the first is still being worked on; ask again later."""

    code: ClassVar[str] = "wechat.api.retried_too_fast"


class MassQuotaUsedUp(ApiError):
    """45028: no mass send is left today, or this month."""

    code: ClassVar[str] = "wechat.api.mass_quota_used_up"


class DraftNotAccepted(ApiError):
    """53503: the draft failed the check before publication; 53504: it can be published on the platform's own pages
    alone; 53505: it has to be saved there first. Nothing was published."""

    code: ClassVar[str] = "wechat.api.draft_not_accepted"


class NoSuchArticle(ApiError):
    """53600: nothing is published under this article id."""

    code: ClassVar[str] = "wechat.api.no_such_article"


class TypingRefused(ApiError):
    """45072, 45080, 45081: the typing sign cannot be shown now."""

    code: ClassVar[str] = "wechat.api.typing_refused"


class NoMenu(ApiError):
    """46003: the account has no menu made by the API."""

    code: ClassVar[str] = "wechat.api.no_menu"


_RID = re.compile(r"\brid:\s*([\w-]+)")
_TEMPLATE_FIELD = re.compile(r"data\.(\w+)")

_CLASS_BY_ERRCODE: dict[int, type[ApiError]] = {
    -1: SystemBusy,
    40001: TokenRejected,
    40003: NotFollowing,
    40007: InvalidMedia,
    40013: CredentialsWrong,
    40014: TokenRejected,
    40125: CredentialsWrong,
    40164: IpNotAllowed,
    40243: SecretFrozen,
    42001: TokenRejected,
    43004: NotFollowing,
    43101: UserRefused,
    45002: ContentTooLong,
    45009: QuotaUsedUp,
    45011: Throttled,
    45015: ReplyWindowClosed,
    45028: MassQuotaUsedUp,
    45047: AllowanceUsedUp,
    45065: AlreadySubmitted,
    45066: RetriedTooFast,
    45072: TypingRefused,
    45080: TypingRefused,
    45081: TypingRefused,
    46003: NoMenu,
    47003: TemplateFieldInvalid,
    48001: NotAuthorised,
    48002: Blocked,
    48004: NotAuthorised,
    53503: DraftNotAccepted,
    53504: DraftNotAccepted,
    53505: DraftNotAccepted,
    53600: NoSuchArticle,
}


def api_error(errcode: int, errmsg: str) -> ApiError:
    """Return the error of the class that ``errcode`` stands for, with the request id that ``errmsg`` ends with."""
    found = _RID.search(errmsg)
    return _CLASS_BY_ERRCODE.get(errcode, ApiError)(errcode, errmsg, found[1] if found else "")
