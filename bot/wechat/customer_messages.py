"""Customer-service messages: what may be sent within a follower's allowance, as values and as the API's JSON.

Source: the platform's page "sendCustomMessage".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from bot.wechat.outgoing import Choice

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = "dict[str, JsonValue]"


@dataclass(frozen=True, slots=True)
class CustomerText:
    content: str

    def as_json(self, openid: str) -> JsonObject:
        """Return the body of the API call."""
        return _message(openid, "text", {"content": self.content})


@dataclass(frozen=True, slots=True)
class CustomerImage:
    media_id: str

    def as_json(self, openid: str) -> JsonObject:
        """Return the body of the API call."""
        return _message(openid, "image", {"media_id": self.media_id})


@dataclass(frozen=True, slots=True)
class CustomerVoice:
    media_id: str

    def as_json(self, openid: str) -> JsonObject:
        """Return the body of the API call."""
        return _message(openid, "voice", {"media_id": self.media_id})


@dataclass(frozen=True, slots=True)
class CustomerVideo:
    media_id: str
    thumb_media_id: str
    title: str = ""
    description: str = ""

    def as_json(self, openid: str) -> JsonObject:
        """Return the body of the API call."""
        content = {"media_id": self.media_id, "thumb_media_id": self.thumb_media_id}
        return _message(openid, "video", content | _given(title=self.title, description=self.description))


@dataclass(frozen=True, slots=True)
class CustomerMusic:
    title: str
    description: str
    url: str
    thumb_media_id: str
    hq_url: str = ""

    def as_json(self, openid: str) -> JsonObject:
        """Return the body of the API call."""
        content = {
            "title": self.title,
            "description": self.description,
            "musicurl": self.url,
            "hqmusicurl": self.hq_url or self.url,
            "thumb_media_id": self.thumb_media_id,
        }
        return _message(openid, "music", content)


@dataclass(frozen=True, slots=True)
class CustomerNews:
    """One card with an outside link; the platform takes no more than one."""

    title: str
    description: str
    picture_url: str
    url: str

    def as_json(self, openid: str) -> JsonObject:
        """Return the body of the API call."""
        article: JsonObject = {
            "title": self.title,
            "description": self.description,
            "url": self.url,
            "picurl": self.picture_url,
        }
        return _message(openid, "news", {"articles": [article]})


@dataclass(frozen=True, slots=True)
class CustomerArticle:
    """An article that was published on the account."""

    article_id: str

    def as_json(self, openid: str) -> JsonObject:
        """Return the body of the API call."""
        return _message(openid, "mpnewsarticle", {"article_id": self.article_id})


@dataclass(frozen=True, slots=True)
class CustomerMenu:
    """Options to tap. The tap comes back as a text with ``menu_id``, and counts as a menu tap (3 messages, 1 min)."""

    head: str
    choices: tuple[Choice, ...]
    tail: str = ""

    def as_json(self, openid: str) -> JsonObject:
        """Return the body of the API call."""
        options: list[JsonValue] = [{"id": choice.id, "content": choice.label} for choice in self.choices]
        texts = _given(head_content=self.head, tail_content=self.tail)
        return _message(openid, "msgmenu", {**texts, "list": options})


@dataclass(frozen=True, slots=True)
class CustomerMiniProgram:
    title: str
    app_id: str
    page_path: str
    thumb_media_id: str

    def as_json(self, openid: str) -> JsonObject:
        """Return the body of the API call."""
        content = {
            "title": self.title,
            "appid": self.app_id,
            "pagepath": self.page_path,
            "thumb_media_id": self.thumb_media_id,
        }
        return _message(openid, "miniprogrampage", content)


CustomerMessage: TypeAlias = (
    CustomerText
    | CustomerImage
    | CustomerVoice
    | CustomerVideo
    | CustomerMusic
    | CustomerNews
    | CustomerArticle
    | CustomerMenu
    | CustomerMiniProgram
)


def _given(**texts: str) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text}


def _message(openid: str, kind: str, content: Mapping[str, JsonValue]) -> JsonObject:
    return {"touser": openid, "msgtype": kind, kind: dict(content)}
