"""What the platform delivers, as values: one class for each message type and each event or family of events.

Every value keeps the whole delivery in ``raw`` (element name to text, to a list where an element is repeated, or to
a mapping where it has children). ``repr`` shows the class and the delivery key only, because the rest is personal.
Fields and spellings follow the platform's pages "Receiving standard messages", "Receiving event pushes" and
"Custom menu event push".
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from bot.values.clock import LOCAL_ZONE

RawValue: TypeAlias = "str | Sequence[RawValue] | Mapping[str, RawValue]"

DIGEST_BYTES = 12
"""Ninety-six bits: short in a Redis key, and no two deliveries of an account share it by accident."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class InboundBase:
    """What every delivery has.

    ``openid`` is FromUserName (a follower, or a system name such as ``mphelper``), ``account`` is ToUserName (gh_…),
    ``created_s`` is CreateTime in Unix seconds.
    """

    openid: str
    account: str
    created_s: int
    raw: Mapping[str, RawValue]

    @property
    def created_at(self) -> datetime:
        """CreateTime as an aware moment in the business's zone."""
        return datetime.fromtimestamp(self.created_s, LOCAL_ZONE)

    @property
    def delivery_key(self) -> str:
        """The same text for every delivery of one message or event; holds nothing personal."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.delivery_key})"


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=DIGEST_BYTES).hexdigest()


# Messages -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MessageBase(InboundBase):
    """What a follower sent. ``msg_id`` is 0 where the platform gave none; ``article_*`` is set for messages that
    come from an article (MsgDataId, and Idx counted from 1)."""

    msg_id: int
    article_id: str | None = None
    article_index: int | None = None

    @property
    def delivery_key(self) -> str:
        """``m:<MsgId>``, or a digest of the content for a message without an id."""
        if self.msg_id:
            return f"m:{self.msg_id}"
        return f"m:{_digest(*(f'{name}={value}' for name, value in sorted(self.raw.items())))}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TextMessage(MessageBase):
    """A text. ``menu_id`` is the id of the option that was tapped; anybody can type the same, so it is a hint."""

    content: str
    menu_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ImageMessage(MessageBase):
    """A picture; ``media_id`` can be downloaded for three days."""

    media_id: str
    pic_url: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class VoiceMessage(MessageBase):
    """A recording: ``media_id`` in ``format`` (amr, speex), ``media_id_16k`` the better one for recognition.

    ``recognition`` is the platform's own transcript, which it practically no longer delivers.
    """

    media_id: str
    format: str
    media_id_16k: str | None = None
    recognition: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class VideoMessage(MessageBase):
    """A video; ``short`` for one taken in the chat."""

    media_id: str
    thumb_media_id: str
    short: bool


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LocationMessage(MessageBase):
    """A place that the follower sent, in degrees; ``label`` is its address."""

    latitude: float
    longitude: float
    scale: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LinkMessage(MessageBase):
    """A shared page."""

    title: str
    description: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class UnknownMessage(MessageBase):
    """A message of a type that is not modelled; ``kind`` is its MsgType in lower case."""

    kind: str


# Events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class EventBase(InboundBase):
    """Something that happened; ``event`` is its name in lower case."""

    event: str

    @property
    def delivery_key(self) -> str:
        """``e:`` and a digest of FromUserName, CreateTime, Event and EventKey.

        CreateTime counts whole seconds, so the number of the job is added where there is one: two jobs of one
        follower may finish in the same second.
        """
        names = ("EventKey", "MsgID", "MsgId")
        discriminators = (str(self.raw.get(name, "")) for name in names)
        return f"e:{_digest(self.openid, str(self.created_s), self.event, *discriminators)}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Followed(EventBase):
    """A new follower; ``scene`` and ``ticket`` when a QR code with a scene was scanned (without ``qrscene_``)."""

    scene: str | None = None
    ticket: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Unfollowed(EventBase):
    """The follower left: nothing can be delivered, and the platform requires that the data be deleted."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Scanned(EventBase):
    """A follower scanned a QR code with a scene."""

    scene: str
    ticket: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MenuClicked(EventBase):
    """A menu entry of the type click."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MenuViewed(EventBase):
    """A menu entry that opened a page."""

    url: str
    menu_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MiniProgramViewed(EventBase):
    """A menu entry that opened a mini program."""

    page_path: str
    menu_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ScanCode(EventBase):
    """A menu entry that scanned a code; ``waitmsg`` shows the follower that an answer is coming."""

    kind: Literal["push", "waitmsg"]
    key: str
    scan_type: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PicturesChosen(EventBase):
    """A menu entry for pictures; each picture follows as a message of its own."""

    kind: Literal["sysphoto", "photo_or_album", "weixin"]
    key: str
    count: int
    md5_sums: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LocationChosen(EventBase):
    """A menu entry for a place; ``poi_name`` may be empty."""

    key: str
    latitude: float
    longitude: float
    scale: str
    label: str
    poi_name: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LocationReported(EventBase):
    """Where the follower is, sent by the client when the account asks for it; ``precision`` in metres."""

    latitude: float
    longitude: float
    precision: float


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TemplateJobFinished(EventBase):
    """What became of a template message: ``success``, ``failed:user block`` or ``failed: system failed``."""

    msg_id: int
    status: str

    @property
    def delivered(self) -> bool:
        return self.status == "success"


@dataclass(frozen=True, slots=True)
class CopyrightItem:
    """The originality check of one article; states as the platform numbers them."""

    article_index: int
    user_declare_state: int
    audit_state: int
    original_url: str
    original_type: int
    can_reprint: bool
    must_replace_content: bool
    must_show_source: bool


@dataclass(frozen=True, slots=True)
class CopyrightCheckResult:
    """``check_state`` 1: may be sent; 2: a reprint that may be sent; 3: a reprint that may not."""

    check_state: int
    items: tuple[CopyrightItem, ...]


@dataclass(frozen=True, slots=True)
class ArticleUrl:
    """Where an article can be read; ``index`` counts from 1."""

    index: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MassJobFinished(EventBase):
    """The end of a mass sending; counts are approximate. ``status``: ``send success``, ``send fail``, ``err(n)``."""

    msg_id: int
    status: str
    total_count: int
    filter_count: int
    sent_count: int
    error_count: int
    copyright: CopyrightCheckResult | None = None
    article_urls: tuple[ArticleUrl, ...] = ()

    @property
    def error_number(self) -> int | None:
        """The number in ``err(n)``, None for any other status."""
        number = self.status.removeprefix("err(").removesuffix(")")
        return int(number) if self.status.startswith("err(") and number.isascii() and number.isdigit() else None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PublishJobFinished(EventBase):
    """The end of a publication; ``status`` 0 ok, 2 originality, 3 failed, 4 refused, 5 deleted, 6 banned."""

    publish_id: str
    status: int
    article_id: str | None = None
    article_urls: tuple[ArticleUrl, ...] = ()
    failed_indexes: tuple[int, ...] = ()

    @property
    def delivery_key(self) -> str:
        """As for any event, with the job: its number stands inside, and one job ends, is deleted, is banned."""
        parts = (self.openid, str(self.created_s), self.event, self.publish_id, str(self.status))
        return f"e:{_digest(*parts)}"


@dataclass(frozen=True, slots=True)
class SubscribeDecision:
    """One template; ``scene`` is where the question stood, None when the follower changed it in the settings."""

    template_id: str
    accepted: bool
    scene: Literal["h5", "article"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SubscribeDecided(EventBase):
    """What a follower allowed or refused; ``changed`` when it was in the settings, where only refusals are told."""

    items: tuple[SubscribeDecision, ...]
    changed: bool


@dataclass(frozen=True, slots=True)
class SubscribeOutcome:
    """One notification; ``error_code`` 0 means that it was delivered."""

    template_id: str
    msg_id: str
    error_code: int
    error_status: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SubscribeSent(EventBase):
    """What became of subscribe notifications."""

    items: tuple[SubscribeOutcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AuthorizationChanged(EventBase):
    """A user changed or withdrew what the account may know; ``subject`` is the OpenID it is about.

    ``modified``: fetch again or delete; ``revoked``: delete what ``revoke_info`` lists; ``cancelled``: delete or
    anonymise everything.
    """

    kind: Literal["modified", "revoked", "cancelled"]
    subject: str
    app_id: str
    union_id: str | None = None
    revoke_info: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class KfSession(EventBase):
    """A session of the platform's own customer service; ``from_account`` only when it was handed over."""

    kind: Literal["created", "closed", "switched"]
    kf_account: str
    from_account: str | None = None


NoticeKind: TypeAlias = Literal[
    "qualification_verify_success",
    "qualification_verify_fail",
    "naming_verify_success",
    "naming_verify_fail",
    "annual_renew",
    "verify_expired",
]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AccountNotice(EventBase):
    """The account's verification: without it the platform takes rights away. Times are Unix seconds."""

    kind: NoticeKind
    expires_s: int | None = None
    failed_s: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class UnknownEvent(EventBase):
    """An event that is not modelled; ``event`` is its name in lower case."""


Message: TypeAlias = (
    TextMessage | ImageMessage | VoiceMessage | VideoMessage | LocationMessage | LinkMessage | UnknownMessage
)
Event: TypeAlias = (
    Followed
    | Unfollowed
    | Scanned
    | MenuClicked
    | MenuViewed
    | MiniProgramViewed
    | ScanCode
    | PicturesChosen
    | LocationChosen
    | LocationReported
    | TemplateJobFinished
    | MassJobFinished
    | PublishJobFinished
    | SubscribeDecided
    | SubscribeSent
    | AuthorizationChanged
    | KfSession
    | AccountNotice
    | UnknownEvent
)
Inbound: TypeAlias = Message | Event
