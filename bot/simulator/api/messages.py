"""message/custom/send and message/custom/typing."""

from collections.abc import Callable
from datetime import timedelta

from bot.simulator.api.calls import OK, ApiCall, Endpoint
from bot.simulator.bubbles import (
    Article,
    Bubble,
    CardBubble,
    MediaBubble,
    MenuBubble,
    MenuItem,
    MusicBubble,
    NewsBubble,
    TextBubble,
)
from bot.simulator.errors import ApiFault
from bot.simulator.json_body import Fields, JsonObject
from bot.simulator.models import About, Channel, TypingChanged
from bot.simulator.publications import address_of

TYPING_LIFE = timedelta(seconds=15)


async def send(call: ApiCall) -> JsonObject:
    """Show a customer-service message to one follower, within the allowance that the follower's actions opened."""
    body = call.body()
    follower = call.follower(body.text("touser", ""))
    bubble = read_bubble(call, body)
    call.platform.spend_allowance(follower.openid)
    labelled = "aimsgcontext" in body and body.object("aimsgcontext").integer("is_ai_msg", 0) == 1
    sender = body.object("customservice").text("kf_account", "") if "customservice" in body else ""
    call.platform.show(follower.openid, Channel.CUSTOMER, bubble, About(ai_label=labelled, sender=sender))
    call.platform.changed()
    return OK


async def typing(call: ApiCall) -> JsonObject:
    """Show or hide “对方正在输入”."""
    body = call.body()
    openid = call.follower(body.text("touser", "")).openid
    command = body.text("command", "")
    platform, until = call.platform, call.platform.typing_until.get(openid)
    if command not in {"Typing", "CancelTyping"}:
        raise ApiFault(45072)
    if not platform.in_contact(openid):
        raise ApiFault(45080)
    if command == "CancelTyping":
        platform.typing_until.pop(openid, None)
    elif until is not None and call.now < until:
        raise ApiFault(45081)
    else:
        platform.typing_until[openid] = call.now + TYPING_LIFE
    platform.transcript.publish(TypingChanged(openid, command == "Typing"))
    return OK


def read_bubble(call: ApiCall, body: Fields) -> Bubble:
    """Return what a customer-service message shows; raises ApiFault for what the platform would not take."""
    msg_type = body.text("msgtype", "")
    reader = _READERS.get(msg_type)
    if reader is None:
        raise ApiFault(40008)
    return reader(call, body.object(msg_type), msg_type)


def _text(call: ApiCall, part: Fields, _kind: str) -> Bubble:
    return TextBubble(sized_text(part.text("content", ""), call.platform.config.customer_text_max_bytes))


def sized_text(content: str, max_bytes: int) -> str:
    """Return ``content``; raises ApiFault 44004 when it is empty and 45002 when it is too long."""
    if not content:
        raise ApiFault(44004)
    if len(content.encode("utf-8", "replace")) > max_bytes:
        raise ApiFault(45002)
    return content


def _media(call: ApiCall, part: Fields, kind: str) -> Bubble:
    media = call.platform.media.get(part.text("media_id", ""), call.now)
    if media.kind != kind:
        raise ApiFault(40007)
    return MediaBubble(kind, media.media_id, part.text("title", ""), part.text("description", ""))


def _music(call: ApiCall, part: Fields, _kind: str) -> Bubble:
    call.platform.media.get(part.text("thumb_media_id", ""), call.now)
    return MusicBubble(part.text("title", ""), part.text("description", ""), part.text("musicurl", ""))


def _news(_call: ApiCall, part: Fields, _kind: str) -> Bubble:
    articles = part.objects("articles")
    if not articles:
        raise ApiFault(44003)
    if len(articles) > 1:
        raise ApiFault(45008)
    one = articles[0]
    return NewsBubble(
        (Article(one.text("title"), one.text("description", ""), one.text("picurl", ""), one.text("url")),)
    )


def _menu(call: ApiCall, part: Fields, _kind: str) -> Bubble:
    items = tuple(MenuItem(item.text("id"), item.text("content")) for item in part.objects("list"))
    if not items:
        raise ApiFault(44004)
    bubble = MenuBubble(part.text("head_content", ""), items, part.text("tail_content", ""))
    readable = "\n".join((bubble.head, *(item.content for item in items), bubble.tail))
    sized_text(readable, call.platform.config.customer_text_max_bytes)
    return bubble


def _published(call: ApiCall, part: Fields, kind: str) -> Bubble:
    """A published article. That one which is not there answers 53600, as getarticle does, is a guess."""
    publication = call.platform.publications.article(part.text("article_id"))
    shown = [place for place in range(1, len(publication.articles) + 1) if publication.shows(place)]
    if not shown:
        raise ApiFault(53600)
    place = shown[0]
    return CardBubble(kind, publication.articles[place - 1].title, address_of(call.platform, publication, place))


def _card(_call: ApiCall, part: Fields, kind: str) -> Bubble:
    key = {"wxcard": "card_id", "miniprogrampage": "pagepath"}[kind]
    reference = part.text(key)
    return CardBubble(kind, part.text("title", reference))


_READERS: dict[str, Callable[[ApiCall, Fields, str], Bubble]] = {
    "text": _text,
    "image": _media,
    "voice": _media,
    "video": _media,
    "music": _music,
    "news": _news,
    "msgmenu": _menu,
    "mpnewsarticle": _published,
    "wxcard": _card,
    "miniprogrampage": _card,
}

ENDPOINTS = (
    Endpoint("POST", "/cgi-bin/message/custom/send", send, daily_limit=500_000),
    Endpoint("POST", "/cgi-bin/message/custom/typing", typing, daily_limit=500_000),
)
