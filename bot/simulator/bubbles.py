"""What a chat shows from the account: one type per kind of bubble, its readable text and its links."""

import html
import re
from dataclasses import dataclass
from typing import assert_never
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class TextBubble:
    """A text; ``<a href>`` in it is a link, any other tag is shown as it is written."""

    text: str


@dataclass(frozen=True, slots=True)
class MediaBubble:
    """A picture, voice or video (``kind``) from the media store."""

    kind: str
    media_id: str
    title: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class MusicBubble:
    """A music card."""

    title: str
    description: str
    url: str


@dataclass(frozen=True, slots=True)
class Article:
    """One article of a news card."""

    title: str
    description: str
    picture_url: str
    url: str


@dataclass(frozen=True, slots=True)
class NewsBubble:
    """A card with one or several articles."""

    articles: tuple[Article, ...]


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A clickable line of a message menu."""

    item_id: str
    content: str


@dataclass(frozen=True, slots=True)
class MenuBubble:
    """A message menu (msgmenu)."""

    head: str
    items: tuple[MenuItem, ...]
    tail: str


@dataclass(frozen=True, slots=True)
class TemplateBubble:
    """A template message or a subscribe notification: a title and labelled fields."""

    template_id: str
    title: str
    fields: tuple[tuple[str, str], ...]
    url: str = ""
    mini_program: str = ""


@dataclass(frozen=True, slots=True)
class CardBubble:
    """A message whose content lives elsewhere on the platform (published article, coupon, mini program).

    ``url`` is where a published article can be read.
    """

    kind: str
    title: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class FaultBubble:
    """The platform's own notice that the account did not answer properly."""

    text: str


Bubble = TextBubble | MediaBubble | MusicBubble | NewsBubble | MenuBubble | TemplateBubble | CardBubble | FaultBubble


@dataclass(frozen=True, slots=True)
class Link:
    """Something clickable: a click sends ``sends`` with ``menu_id``, or opens ``url``; one of the two is set."""

    label: str
    url: str = ""
    sends: str = ""
    menu_id: str = ""


_ANCHOR = re.compile(r"<a\s[^>]*?href\s*=\s*(?:\"([^\"]*)\"|'([^']*)')[^>]*>(.*?)</a>", re.IGNORECASE | re.DOTALL)
_OPENABLE = frozenset({"http", "https", "tel"})


def plain_text(text: str) -> str:
    """Return ``text`` as the reader sees it: links by their labels, everything else as written."""
    return _ANCHOR.sub(lambda found: found[0] if _link(found) is None else found[3], text)


def text_links(text: str) -> tuple[Link, ...]:
    """Return the links in a text, in order."""
    return tuple(link for found in _ANCHOR.finditer(text) if (link := _link(found)) is not None)


def _link(found: re.Match[str]) -> Link | None:
    href = html.unescape(found[1] or found[2] or "").strip()
    parts = urlsplit(href)
    if (parts.scheme, parts.netloc) == ("weixin", "bizmsgmenu"):
        query = parse_qs(parts.query, keep_blank_values=True)
        return Link(found[3], sends=query.get("msgmenucontent", [""])[0], menu_id=query.get("msgmenuid", [""])[0])
    return Link(found[3], url=href) if parts.scheme in _OPENABLE else None


def bubble_text(bubble: Bubble) -> str:
    """Return what a person can read in the bubble, lines separated by newlines."""
    match bubble:
        case TextBubble(text) | FaultBubble(text):
            return plain_text(text)
        case MediaBubble(_, _, title, description) | MusicBubble(title, description, _):
            return "\n".join(filter(None, (title, description)))
        case NewsBubble(articles):
            return "\n".join(line for one in articles for line in (one.title, one.description) if line)
        case MenuBubble(head, items, tail):
            return "\n".join(filter(None, (head, *(item.content for item in items), tail)))
        case TemplateBubble(_, title, fields):
            return "\n".join((title, *(f"{name}: {value}" for name, value in fields)))
        case CardBubble(_, title):
            return title
    assert_never(bubble)


def bubble_links(bubble: Bubble) -> tuple[Link, ...]:
    """Return what can be clicked in the bubble, in order."""
    match bubble:
        case TextBubble(text):
            return text_links(text)
        case NewsBubble(articles):
            return tuple(Link(one.title, url=one.url) for one in articles)
        case MenuBubble(head, items, tail):
            own = tuple(Link(item.content, sends=item.content, menu_id=item.item_id) for item in items)
            return (*text_links(head), *own, *text_links(tail))
        case TemplateBubble(_, title, _, url) if url:
            return (Link(title, url=url),)
        case MusicBubble(title, _, url) | CardBubble(_, title, url) if url:
            return (Link(title, url=url),)
        case _:
            return ()
