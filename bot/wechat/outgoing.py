"""What the bot wants to say, and the passive replies that can carry it in the answer to a delivery."""

from dataclasses import dataclass
from typing import TypeAlias

MAX_ARTICLES = 8
"""The most that an event's answer may hold; the answer to a message holds one."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An option to tap or to type by its number. ``id`` comes back as ``TextMessage.menu_id``.

    A ``main`` choice stays tappable in a list that is too long for all to be.
    """

    id: str
    label: str
    main: bool = False


@dataclass(frozen=True, slots=True)
class OutText:
    """A text, with the options that answer it."""

    text: str
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class OutImage:
    """A picture that was uploaded to the platform."""

    media_id: str


@dataclass(frozen=True, slots=True)
class OutNews:
    """One card with title, text, picture and link."""

    title: str
    description: str
    picture_url: str
    url: str


Outgoing: TypeAlias = OutText | OutImage | OutNews


# Passive replies ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TextReply:
    content: str


@dataclass(frozen=True, slots=True)
class ImageReply:
    media_id: str


@dataclass(frozen=True, slots=True)
class VoiceReply:
    media_id: str


@dataclass(frozen=True, slots=True)
class VideoReply:
    media_id: str
    title: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class MusicReply:
    thumb_media_id: str
    title: str = ""
    description: str = ""
    url: str = ""
    hq_url: str = ""


@dataclass(frozen=True, slots=True)
class Article:
    title: str
    description: str
    picture_url: str
    url: str


@dataclass(frozen=True, slots=True)
class NewsReply:
    """One article in answer to a message; up to eight in answer to an event."""

    articles: tuple[Article, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.articles) <= MAX_ARTICLES:
            raise ValueError(f"a news reply has 1 to {MAX_ARTICLES} articles, not {len(self.articles)}")


@dataclass(frozen=True, slots=True)
class TransferReply:
    """Hand the message to the platform's own customer service, to one account of it if named."""

    kf_account: str | None = None


PassiveReply: TypeAlias = TextReply | ImageReply | VoiceReply | VideoReply | MusicReply | NewsReply | TransferReply
