"""The types of the simulated platform: its configuration, followers, deliveries and what they led to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

from bot.simulator.bubbles import Bubble, Link, bubble_links, bubble_text
from bot.simulator.errors import ConfigRefused
from bot.simulator.pushes import Push, XmlValue

AES_KEY_CHARS = 43
TOKEN_CHARS = range(3, 33)


class Mode(StrEnum):
    """How callbacks travel: 明文, 兼容 or 安全模式."""

    PLAIN = "plain"
    COMPATIBLE = "compatible"
    SAFE = "safe"


class Channel(StrEnum):
    """By which way a message reached the follower."""

    PASSIVE = "passive"
    CUSTOMER = "customer"
    TEMPLATE = "template"
    SUBSCRIBE = "subscribe"
    MASS = "mass"
    NOTICE = "notice"


def is_loopback(host: str | None) -> bool:
    """Say whether ``host`` (without port) is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Template:
    """A message template of the account: ``labels`` by the keys its text uses, such as ``thing1``."""

    template_id: str
    title: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorConfig:
    """The account and the rules that the platform applies to it. Raises ConfigRefused.

    ``attempts`` counts deliveries of one message in all. ``allowances_add_up`` chooses between the two readings
    of the customer-message rule: true, a tap's three come on top of a message's five; false (the stricter one),
    they do not. ``templates`` empty means that any template id is accepted. A mass send to more than
    ``mass_shown_max`` people is in the ledger alone and in nobody's chat.
    """

    callback_url: str
    app_id: str
    app_secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(default="", repr=False)
    mode: Mode = Mode.SAFE
    account_id: str = "gh_3f8a51c0d7e2"
    account_name: str = "铜仁市总工会"
    account_type: str = "service"
    deadline_s: float = 5.0
    attempts: int = 3
    keep_alive: bool = False
    distinct_event_times: bool = True
    passive_text_max_bytes: int = 2048
    customer_text_max_bytes: int = 2048
    allowances_add_up: bool = False
    token_life_s: int = 7200
    media_life_s: int = 3 * 24 * 3600
    job_event_delay_s: float = 0.02
    mass_latency_s: float = 0.0
    mass_calls_per_minute: int = 60
    mass_shown_max: int = 1_000
    tells_of_mass_jobs: bool = True
    publish_latency_s: float = 0.05
    tells_of_publications: bool = True
    templates: tuple[Template, ...] = ()
    daily_limits: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Callers write mode="safe" as often as Mode.SAFE; an unknown word is refused here.
        if self.mode not in set(Mode):
            raise ConfigRefused(key="mode", reason="plain, compatible or safe")
        object.__setattr__(self, "mode", Mode(self.mode))
        if len(self.token) not in TOKEN_CHARS:
            raise ConfigRefused(key="token", reason="3 to 32 characters")
        if self.mode is not Mode.PLAIN and len(self.aes_key) != AES_KEY_CHARS:
            raise ConfigRefused(key="aes_key", reason=f"{AES_KEY_CHARS} characters")
        if not self.app_id or not self.app_secret:
            raise ConfigRefused(key="app_id, app_secret", reason="empty")
        require_loopback(self.callback_url)


def require_loopback(url: str) -> None:
    """Raise ConfigRefused unless ``url`` is on this machine: the simulator never posts to anything real."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not is_loopback(parts.hostname):
        raise ConfigRefused(key="callback_url", reason="only http(s) on this machine itself")


@dataclass(slots=True)
class Follower:
    """A WeChat user, following the account or not yet.

    ``opt_ins`` counts the subscribe notifications the follower still accepts, by template id.
    """

    openid: str
    nickname: str
    colour: int
    subscribed: bool = False
    scene: str = ""
    subscribed_at: datetime | None = None
    remark: str = ""
    tags: list[int] = field(default_factory=list)
    blocks_templates: bool = False
    opt_ins: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message or event on its way to the account; delivering it again repeats ``msg_id`` and ``create_time``."""

    serial: int
    openid: str
    push: Push
    create_time: int
    msg_id: int | None

    def fields(self, account_id: str) -> dict[str, XmlValue]:
        """Return the elements of the callback's XML, in the platform's order."""
        fields: dict[str, XmlValue] = {
            "ToUserName": account_id,
            "FromUserName": self.openid,
            "CreateTime": self.create_time,
            "MsgType": self.push.msg_type,
            **self.push.fields,
        }
        if self.msg_id is not None:
            fields["MsgId"] = self.msg_id
        return fields


class BodyKind(StrEnum):
    """What came back from the callback URL."""

    REPLY = "reply"
    SUCCESS = "success"
    EMPTY = "empty"
    VIOLATION = "violation"
    HTTP_ERROR = "http_error"
    TIMEOUT = "timeout"
    DISCONNECTED = "disconnected"


#: The platform is satisfied, or complains to the follower, and does not deliver again.
ANSWERED = frozenset({BodyKind.REPLY, BodyKind.SUCCESS, BodyKind.EMPTY, BodyKind.VIOLATION})


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a passive reply broke; ``detail`` is for developers."""

    rule: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The reply hands the message to the customer-service system: nothing is shown."""

    kf_account: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One delivery over HTTP: ``status`` is None when nothing came back; ``reply_xml`` is the reply in clear."""

    url: str
    status: int | None
    latency_s: float
    body_kind: BodyKind
    body: bytes = b""
    reply_xml: str = ""
    result: Bubble | HandedOver | Violation | None = None

    @property
    def answered(self) -> bool:
        """Whether the platform stops delivering after this attempt."""
        return self.body_kind in ANSWERED


@dataclass(frozen=True, slots=True)
class Said:
    """What the follower's side of the chat shows, or a grey line for what the follower did (``kind`` "event")."""

    seq: int
    openid: str
    at: datetime
    kind: str
    text: str
    media_id: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """How a shown message came about.

    ``attempts`` and ``latency_s`` belong to passive replies and notices: how many deliveries it took, and the time
    from the first delivery to the answer. ``allowance_left`` is how many customer-service messages were left then.
    """

    attempts: int = 0
    latency_s: float = 0.0
    allowance_left: int = 0
    ai_label: bool = False
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the follower sees from the account, in order of ``seq``."""

    seq: int
    openid: str
    at: datetime
    channel: Channel
    bubble: Bubble
    about: About

    @property
    def text(self) -> str:
        """Everything readable in the message, as one text."""
        return bubble_text(self.bubble)

    @property
    def links(self) -> tuple[Link, ...]:
        """What can be clicked in it."""
        return bubble_links(self.bubble)


Entry = Said | Shown


@dataclass(frozen=True, slots=True)
class Exchange:
    """A message or event, its deliveries, and what the follower saw at once (not what came later)."""

    openid: str
    delivery: Delivery
    attempts: list[Attempt]
    shown: list[Shown]
    ended_at: datetime
    allowance_left: int
    violation: Violation | None = None

    @property
    def text(self) -> str:
        """The shown texts, one after another; empty when nothing was shown."""
        return "\n".join(shown.text for shown in self.shown)

    @property
    def latency_s(self) -> float:
        """The time from the first delivery to the last attempt's end."""
        return sum(attempt.latency_s for attempt in self.attempts)


@dataclass(frozen=True, slots=True)
class EntryAdded:
    """A line was added to a conversation."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class ExchangeEnded:
    """An exchange is over, answered or given up."""

    exchange: Exchange


@dataclass(frozen=True, slots=True)
class TypingChanged:
    """The account shows, or stops showing, that it is typing."""

    openid: str
    on: bool


@dataclass(frozen=True, slots=True)
class AccountChanged:
    """Followers, menu, allowances or the clock changed: look at the state again."""


Update = EntryAdded | ExchangeEnded | TypingChanged | AccountChanged
