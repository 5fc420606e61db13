"""The platform's state as JSON, for the control API and the chat page."""

from datetime import datetime
from typing import assert_never

from bot.simulator.allowances import Window
from bot.simulator.bubbles import (
    Article,
    Bubble,
    CardBubble,
    FaultBubble,
    MediaBubble,
    MenuBubble,
    MusicBubble,
    NewsBubble,
    TemplateBubble,
    TextBubble,
)
from bot.simulator.core import PlatformCore
from bot.simulator.json_body import JsonObject, JsonValue
from bot.simulator.menus import Button
from bot.simulator.models import Attempt, Entry, Exchange, Follower, Said
from bot.simulator.publications import Publication, address_of

RECENT = 40


def state_view(platform: PlatformCore) -> JsonObject:
    """Return the account, its menu, every follower, and the newest exchanges and sent messages."""
    account: JsonObject = {
        "id": platform.config.account_id,
        "name": platform.config.account_name,
        "type": platform.config.account_type,
        "mode": str(platform.config.mode),
        "deadline_s": platform.config.deadline_s,
        "attempts": platform.config.attempts,
    }
    menu: list[JsonValue] = [button_view(button) for button in platform.menu.buttons] if platform.menu else []
    followers: list[JsonValue] = [follower_view(platform, one) for one in platform.followers.everyone()]
    recent: list[JsonValue] = [exchange_view(one) for one in platform.exchanges[-RECENT:]]
    sent: list[JsonValue] = [entry_view(one) for one in platform.transcript.newest_sent(RECENT)]
    scenes: list[JsonValue] = [*dict.fromkeys(platform.scenes.values())]
    publications: list[JsonValue] = [publication_view(platform, one) for one in platform.publications.everything()]
    return {
        "account": account,
        "menu": menu,
        "followers": followers,
        "exchanges": recent,
        "sent": sent,
        "scenes": scenes,
        "publications": publications[:RECENT],
        "last_seq": platform.transcript.last_seq,
        "now": _moment(platform.clock.now()),
        "clock_offset_s": platform.clock.offset.total_seconds(),
    }


def publication_view(platform: PlatformCore, publication: Publication) -> JsonObject:
    """Return a publication: how it stands, and the addresses of its articles."""
    urls: list[JsonValue] = [
        address_of(platform, publication, place) for place in range(1, len(publication.codes) + 1)
    ]
    return {
        "publish_id": str(publication.publish_id),
        "status": int(publication.verdict),
        "article_id": publication.article_id,
        "title": publication.articles[0].title,
        "urls": urls,
    }


def button_view(button: Button) -> JsonObject:
    """Return a menu button; ``children`` is empty for one that acts itself."""
    children: list[JsonValue] = [button_view(child) for child in button.children]
    return {"name": button.name, "kind": button.kind, "key": button.key, "url": button.url, "children": children}


def follower_view(platform: PlatformCore, follower: Follower) -> JsonObject:
    """Return a follower with what the account may still send to them."""
    allowance, now = platform.allowance(follower.openid), platform.clock.now()
    opt_ins: JsonObject = dict(follower.opt_ins)
    return {
        "openid": follower.openid,
        "nickname": follower.nickname,
        "colour": follower.colour,
        "subscribed": follower.subscribed,
        "scene": follower.scene,
        "blocks_templates": follower.blocks_templates,
        "opt_ins": opt_ins,
        "allowance": {
            "left": allowance.left(now),
            "message": _window(allowance.message, now),
            "tap": _window(allowance.tap, now),
        },
    }


def entry_view(entry: Entry) -> JsonObject:
    """Return one line of a conversation; ``side`` says whose it is."""
    common: JsonObject = {"seq": entry.seq, "openid": entry.openid, "at": _moment(entry.at)}
    if isinstance(entry, Said):
        own: JsonObject = {"side": "follower", "kind": entry.kind, "text": entry.text, "media_id": entry.media_id}
        return {**common, **own}
    return {
        **common,
        "side": "account",
        "channel": str(entry.channel),
        "text": entry.text,
        "bubble": bubble_view(entry.bubble),
        "attempts": entry.about.attempts,
        "latency_s": round(entry.about.latency_s, 4),
        "allowance_left": entry.about.allowance_left,
        "ai_label": entry.about.ai_label,
        "sender": entry.about.sender,
    }


def bubble_view(bubble: Bubble) -> JsonObject:
    """Return a bubble with its ``kind`` and what it holds."""
    match bubble:
        case TextBubble(text):
            return {"kind": "text", "text": text}
        case FaultBubble(text):
            return {"kind": "fault", "text": text}
        case MediaBubble(kind, media_id, title, description):
            return {"kind": kind, "media_id": media_id, "title": title, "description": description}
        case MusicBubble(title, description, url):
            return {"kind": "music", "title": title, "description": description, "url": url}
        case NewsBubble(articles):
            listed: list[JsonValue] = [_article(one) for one in articles]
            return {"kind": "news", "articles": listed}
        case MenuBubble(head, items, tail):
            lines: list[JsonValue] = [{"id": item.item_id, "content": item.content} for item in items]
            return {"kind": "menu", "head": head, "items": lines, "tail": tail}
        case TemplateBubble(_, title, fields, url, mini_program):
            pairs: list[JsonValue] = [{"name": name, "value": value} for name, value in fields]
            return {"kind": "template", "title": title, "fields": pairs, "url": url, "mini_program": mini_program}
        case CardBubble(kind, title, url):
            return {"kind": "card", "card": kind, "title": title, "url": url}
    assert_never(bubble)


def exchange_view(exchange: Exchange) -> JsonObject:
    """Return an exchange with its attempts."""
    attempts: list[JsonValue] = [attempt_view(one) for one in exchange.attempts]
    shown: list[JsonValue] = [entry_view(one) for one in exchange.shown]
    push = exchange.delivery.push
    violation = exchange.violation
    return {
        "openid": exchange.openid,
        "serial": exchange.delivery.serial,
        "at": _moment(exchange.ended_at),
        "allowance_left": exchange.allowance_left,
        "msg_type": push.msg_type,
        "event": str(push.fields.get("Event", "")),
        "said": push.said,
        "msg_id": exchange.delivery.msg_id,
        "create_time": exchange.delivery.create_time,
        "attempts": attempts,
        "latency_s": round(exchange.latency_s, 4),
        "shown": shown,
        "violation": f"{violation.rule}: {violation.detail}" if violation else "",
    }


def attempt_view(attempt: Attempt) -> JsonObject:
    """Return one attempt; ``reply_xml`` is the reply in clear."""
    return {
        "url": attempt.url,
        "status": attempt.status,
        "latency_s": round(attempt.latency_s, 4),
        "body_kind": str(attempt.body_kind),
        "reply_xml": attempt.reply_xml,
    }


def _article(article: Article) -> JsonObject:
    return {
        "title": article.title,
        "description": article.description,
        "picture_url": article.picture_url,
        "url": article.url,
    }


def _window(window: Window | None, now: datetime) -> JsonObject | None:
    if window is None or now >= window.until:
        return None
    return {"left": window.left, "until": _moment(window.until)}


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
