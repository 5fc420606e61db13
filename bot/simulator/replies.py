"""Reading a passive reply as the platform does: what it shows, or the rule it breaks."""

from collections.abc import Callable, Mapping

from bot.simulator.bubbles import Article, Bubble, MediaBubble, MusicBubble, NewsBubble, TextBubble
from bot.simulator.models import Delivery, HandedOver, SimulatorConfig, Violation

MediaExists = Callable[[str], bool]
Element = Mapping[str, object]
Result = Bubble | HandedOver | Violation

#: Answering one of these with several articles shows only a fault (rule of 2018-10-12).
ONE_ARTICLE_FOR = frozenset({"text", "image", "voice", "video", "shortvideo", "location", "link"})
MAX_ARTICLES = 8


class _Broken(Exception):
    def __init__(self, rule: str, detail: str = "") -> None:
        super().__init__(rule)
        self.violation = Violation(rule, detail)


class ReplyReader:
    """Reads replies in clear for one account; ``media_exists`` looks a media id up."""

    def __init__(self, config: SimulatorConfig, media_exists: MediaExists) -> None:
        self._config = config
        self._media_exists = media_exists
        self._readers: dict[str, Callable[[Element, Delivery], Bubble | HandedOver]] = {
            "text": self._text,
            "image": self._media,
            "voice": self._media,
            "video": self._media,
            "music": self._music,
            "news": self._news,
            "transfer_customer_service": self._hand_over,
        }

    def read(self, reply: Element, delivery: Delivery) -> Result:
        """Return the bubble to show, a hand-over, or the broken rule."""
        try:
            self._check_address(reply, delivery)
            msg_type = _text(reply, "MsgType")
            reader = self._readers.get(msg_type)
            if reader is None:
                return Violation("msg_type", msg_type)
            return reader(reply, delivery)
        except _Broken as broken:
            return broken.violation

    def _check_address(self, reply: Element, delivery: Delivery) -> None:
        if _text(reply, "ToUserName") != delivery.openid:
            raise _Broken("to_user_name", "must be the follower's OpenID")
        if _text(reply, "FromUserName") != self._config.account_id:
            raise _Broken("from_user_name", "must be the account's id")
        if not _text(reply, "CreateTime").isdigit():
            raise _Broken("create_time", "must be a whole number of seconds")

    def _text(self, reply: Element, _delivery: Delivery) -> Bubble:
        content = _text(reply, "Content", strip=False)
        size, limit = len(content.encode()), self._config.passive_text_max_bytes
        if size > limit:
            raise _Broken("text_too_long", f"{size} bytes of UTF-8, {limit} allowed")
        return TextBubble(content)

    def _media(self, reply: Element, _delivery: Delivery) -> Bubble:
        kind = _text(reply, "MsgType")
        part = _part(reply, kind.capitalize())
        media_id = self._known_media(_text(part, "MediaId"))
        return MediaBubble(kind, media_id, _optional(part, "Title"), _optional(part, "Description"))

    def _music(self, reply: Element, _delivery: Delivery) -> Bubble:
        part = _part(reply, "Music")
        self._known_media(_text(part, "ThumbMediaId"))
        return MusicBubble(_optional(part, "Title"), _optional(part, "Description"), _optional(part, "MusicUrl"))

    def _news(self, reply: Element, delivery: Delivery) -> Bubble:
        items = _part(reply, "Articles").get("item")
        listed = items if isinstance(items, list) else [items]
        articles = [item for item in listed if isinstance(item, dict)]
        if len(articles) != len(listed) or _text(reply, "ArticleCount") != str(len(articles)):
            raise _Broken("article_count", "ArticleCount must equal the number of items")
        limit = 1 if delivery.push.msg_type in ONE_ARTICLE_FOR else MAX_ARTICLES
        if len(articles) > limit:
            raise _Broken("too_many_articles", f"{len(articles)} articles, {limit} allowed")
        return NewsBubble(tuple(_article(item) for item in articles))

    def _hand_over(self, reply: Element, _delivery: Delivery) -> HandedOver:
        if "TransInfo" not in reply:
            return HandedOver()
        return HandedOver(_text(_part(reply, "TransInfo"), "KfAccount"))

    def _known_media(self, media_id: str) -> str:
        if not self._media_exists(media_id):
            raise _Broken("media_id", "unknown or expired")
        return media_id


def _article(item: Element) -> Article:
    return Article(
        _text(item, "Title"), _optional(item, "Description"), _optional(item, "PicUrl"), _optional(item, "Url")
    )


def _text(element: Element, name: str, *, strip: bool = True) -> str:
    value = element.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _Broken("element", f"{name} must be there once, with text in it")
    return value.strip() if strip else value


def _optional(element: Element, name: str) -> str:
    value = element.get(name)
    if isinstance(value, list | dict):
        raise _Broken("element", f"{name} may be there once, with text in it")
    return value.strip() if isinstance(value, str) else ""


def _part(reply: Element, name: str) -> Element:
    value = reply.get(name)
    if not isinstance(value, dict):
        raise _Broken("element", f"{name} must be there once, with elements in it")
    return value
