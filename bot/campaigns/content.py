"""What a campaign says: typed, stored as JSON, and checked against the platform's limits before anything is sent."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

from bot.campaigns.errors import ContentRefused
from bot.campaigns.models import SendChannel
from bot.values.problem import Problem

MASS_TEXT_BYTES = 2048
CUSTOMER_TEXT_BYTES = 2048
TITLE_CHARS, AUTHOR_CHARS, DIGEST_CHARS, BODY_CHARS = 32, 16, 128, 20_000
ARTICLES_MAX = 8
CHOICES_MAX = 10
PLACEHOLDERS = ("区县", "类别")
"""What stands for something of the recipient, where each gets a message of their own: ``{区县}``."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_CHARACTER_STRING = re.compile(r"[\x20-\x7e]*")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_FIELD_CHARS = {
    "thing": 20,
    "number": 32,
    "letter": 32,
    "symbol": 5,
    "character_string": 32,
    "phone_number": 17,
    "car_number": 8,
    "name": 10,
    "phrase": 5,
}


@dataclass(frozen=True, slots=True)
class Text:
    """A text."""

    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: chosen by staff (``file_id``), or at the platform already (``media_id``)."""

    media_id: str = ""
    file_id: str = ""


@dataclass(frozen=True, slots=True)
class Article:
    """One article; ``body`` is HTML. Its cover is a chosen picture (``file_id``) or permanent material."""

    title: str
    body: str
    thumb_media_id: str = ""
    author: str = ""
    digest: str = ""
    source_url: str = ""
    file_id: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """Articles; each call makes a draft of them, because a draft that was sent is gone."""

    articles: tuple[Article, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A template message. ``fields`` maps the template's fields to texts."""

    template_id: str
    fields: Mapping[str, str]
    url: str = ""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """A subscribe notification."""

    template_id: str
    fields: Mapping[str, str]
    page: str = ""


@dataclass(frozen=True, slots=True)
class MenuChoice:
    """A line to tap; ``id`` comes back as the button's payload, such as ``/flow:register``."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Menu:
    """A message with a clickable menu into flows."""

    head: str
    choices: tuple[MenuChoice, ...]
    tail: str = ""


Content: TypeAlias = Text | Picture | News | Template | Subscribe | Menu

_KINDS: Mapping[str, type[Content]] = {
    "text": Text,
    "picture": Picture,
    "news": News,
    "template": Template,
    "subscribe": Subscribe,
    "menu": Menu,
}
_ALLOWED: Mapping[SendChannel, tuple[type[Content], ...]] = {
    SendChannel.MASS_LIST: (Text, Picture, News),
    SendChannel.MASS_TAG: (Text, Picture, News),
    SendChannel.MASS_ALL: (Text, Picture, News),
    SendChannel.TEMPLATE: (Template,),
    SendChannel.SUBSCRIBE: (Subscribe,),
    SendChannel.CUSTOMER: (Text, Picture, Menu),
    SendChannel.PUBLISH: (News,),
    SendChannel.PUBLISH_SEND: (News,),
}


def kinds_of(channels: Iterable[SendChannel]) -> tuple[str, ...]:
    """Return the kinds of content that some of these channels carries, as they are stored."""
    carried = {kind for channel in channels for kind in _ALLOWED[channel]}
    return tuple(name for name, kind in _KINDS.items() if kind in carried)


def to_json(content: Content) -> dict[str, Any]:
    """Return the form in which a content is stored."""
    kind = next(name for name, one in _KINDS.items() if isinstance(content, one))
    return {"kind": kind, **asdict(content)}


def from_json(data: Mapping[str, Any]) -> Content:
    """Return the content that was stored; raises ContentRefused for what is none."""
    kind = _KINDS.get(str(data.get("kind", "")))
    values = {name: value for name, value in data.items() if name != "kind"}
    if kind is None:
        raise ContentRefused(problem="campaign.content_malformed", part="kind")
    try:
        if kind is News:
            return News(tuple(Article(**one) for one in values["articles"]))
        if kind is Menu:
            choices = tuple(MenuChoice(**one) for one in values.pop("choices"))
            return Menu(choices=choices, **values)
        return kind(**values)
    except (TypeError, KeyError) as error:
        raise ContentRefused(problem="campaign.content_malformed", part=str(data.get("kind", ""))) from error


@dataclass(slots=True)
class _Found:
    """Problems, as they are found."""

    problems: list[Problem] = field(default_factory=list)

    def add(self, code: str, **fields: str | int) -> None:
        self.problems.append(Problem(f"campaign.{code}", fields))

    def need(self, part: str, value: str) -> None:
        if not value.strip():
            self.add("part_empty", part=part)

    def at_most(self, part: str, value: str, max_chars: int) -> None:
        if len(value) > max_chars:
            self.add("too_long", part=part, max_chars=max_chars, chars=len(value))

    def sized(self, part: str, value: str, max_bytes: int) -> None:
        self.need(part, value)
        size = len(value.encode())
        if size > max_bytes:
            self.add("too_many_bytes", part=part, max_bytes=max_bytes, bytes=size)

    def placeholders(self, part: str, value: str, allowed: Sequence[str]) -> None:
        for name in _PLACEHOLDER.findall(value):
            if name not in allowed:
                self.add("placeholder_unknown", part=part, name=name[:20], known="、".join(allowed) or "无")


def check(content: Content, channel: SendChannel) -> tuple[Problem, ...]:
    """Return everything that keeps ``content`` from going out by ``channel``; empty when it can go."""
    found = _Found()
    if not isinstance(content, _ALLOWED[channel]):
        found.add("content_not_for_channel", channel=channel.value)
        return tuple(found.problems)
    match content:
        case Text(text):
            found.sized("正文", text, MASS_TEXT_BYTES if channel.is_mass else CUSTOMER_TEXT_BYTES)
            found.placeholders("正文", text, () if channel.is_mass else PLACEHOLDERS)
        case Picture(media_id, file_id):
            found.need("图片", media_id or file_id)
        case News(articles):
            _check_news(found, articles)
        case Template(template_id, fields) | Subscribe(template_id, fields):
            found.need("模板", template_id)
            if not fields:
                found.add("part_empty", part="模板字段")
            for name, value in fields.items():
                _check_field(found, name, value)
        case Menu():
            _check_menu(found, content)
    return tuple(found.problems)


def _check_news(found: _Found, articles: Sequence[Article]) -> None:
    if not 1 <= len(articles) <= ARTICLES_MAX:
        found.add("articles_count", max=ARTICLES_MAX)
    for place, article in enumerate(articles, start=1):
        part = f"第{place}篇"
        found.need(f"{part}标题", article.title)
        found.at_most(f"{part}标题", article.title, TITLE_CHARS)
        found.at_most(f"{part}作者", article.author, AUTHOR_CHARS)
        found.at_most(f"{part}摘要", article.digest, DIGEST_CHARS)
        found.need(f"{part}正文", article.body)
        found.at_most(f"{part}正文", article.body, BODY_CHARS)
        found.need(f"{part}封面", article.thumb_media_id or article.file_id)


def _check_menu(found: _Found, menu: Menu) -> None:
    if not 1 <= len(menu.choices) <= CHOICES_MAX:
        found.add("choices_count", max=CHOICES_MAX)
    readable = "\n".join((menu.head, *(choice.label for choice in menu.choices), menu.tail))
    found.sized("正文", readable, CUSTOMER_TEXT_BYTES)
    found.placeholders("正文", menu.head + menu.tail, PLACEHOLDERS)
    for place, choice in enumerate(menu.choices, start=1):
        found.need(f"第{place}个选项", choice.label)
        found.need(f"第{place}个选项的去处", choice.id)


def _check_field(found: _Found, name: str, value: str) -> None:
    part = f"字段 {name}"
    found.need(part, value)
    found.placeholders(part, value, PLACEHOLDERS)
    kind = name.rstrip("0123456789")
    if "\n" in value:
        found.add("line_break", part=part)
    max_chars = _FIELD_CHARS.get(kind)
    if max_chars is not None and not _PLACEHOLDER.search(value):
        found.at_most(part, value, 2 * max_chars if kind == "name" and value.isascii() else max_chars)
    if kind == "character_string" and not _CHARACTER_STRING.fullmatch(value):
        found.add("only_ascii", part=part)
    if kind == "number" and not _NUMBER.fullmatch(value):
        found.add("only_number", part=part)


def to_confirm(content: Content, channel: SendChannel, reachable: int) -> int:
    """Return the number that people type to confirm: how many people get it, or how many articles are published."""
    return len(content.articles) if isinstance(content, News) and not channel.notifies else reachable


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return ``text`` with its placeholders replaced; one without a value becomes nothing."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], ""), text)


def filled_fields(fields: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """Return template fields filled for one recipient, cut to what the platform takes."""
    texts = {name: filled(value, values) for name, value in fields.items()}
    return {name: text[: _FIELD_CHARS.get(name.rstrip("0123456789"), len(text))] for name, text in texts.items()}
