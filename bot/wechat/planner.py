"""How a turn's answers reach the follower: one passive reply now, and as few customer-service messages as possible.

Pure. Order is kept. Texts that follow one another share a message as long as it fits.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never
from urllib.parse import quote

from bot.wechat.customer_messages import CustomerImage, CustomerMenu, CustomerMessage, CustomerNews, CustomerText
from bot.wechat.outgoing import (
    Article,
    Choice,
    ImageReply,
    NewsReply,
    Outgoing,
    OutImage,
    OutNews,
    OutText,
    PassiveReply,
    TextReply,
)
from bot.wechat.texts import clean, fits, split_text

LinkStyle: TypeAlias = Literal["label", "number", "main", "plain"]
"""What a tapped option sends: its label, or its number; a plain one is not a link."""

MAX_MENU_CHOICES = 10
"""More options than this are easier to read as numbered lines than to tap."""


@dataclass(frozen=True, slots=True)
class DeliveryPlan:
    """``passive`` answers the delivery itself; ``later`` follows in this order, each costing one of the allowance."""

    passive: PassiveReply | None
    later: tuple[CustomerMessage, ...]


def plan(outgoing: Sequence[Outgoing], *, passive_open: bool, link_choices: bool) -> DeliveryPlan:
    """Return how to deliver ``outgoing``.

    ``passive_open`` says whether the delivery can still be answered, ``link_choices`` whether options in a text may
    be links that send themselves (``weixin://bizmsgmenu``). A picture or a card is the passive reply only when it
    comes first; nothing else can be in that reply then.
    """
    queue = deque(_tidied(outgoing))
    passive = _take_passive(queue, link_choices) if passive_open and queue else None
    return DeliveryPlan(passive, tuple(_customer_messages(queue, link_choices)))


def numbered(menu: CustomerMenu, *, link_choices: bool = False) -> CustomerText:
    """Return the menu as a text, for accounts that may not send menus (the platform answers 40200)."""
    text = _joined(menu.head, _choice_lines(menu.choices, "label" if link_choices else "plain"), between="\n")
    return CustomerText(_joined(text, menu.tail, between="\n"))


def _tidied(outgoing: Sequence[Outgoing]) -> list[Outgoing]:
    cleaned = (OutText(clean(out.text), out.choices) if isinstance(out, OutText) else out for out in outgoing)
    return [out for out in cleaned if not isinstance(out, OutText) or out.text or out.choices]


# The passive reply ----------------------------------------------------------------------------------------------


def _take_passive(queue: deque[Outgoing], link_choices: bool) -> PassiveReply:
    """Take what the passive reply holds from the front of ``queue``, which is not empty."""
    first = queue[0]
    match first:
        case OutImage(media_id):
            queue.popleft()
            return ImageReply(media_id)
        case OutNews(title, description, picture_url, url):
            queue.popleft()
            return NewsReply((Article(title, description, picture_url, url),))
        case OutText():
            return TextReply(_take_passive_text(queue, link_choices))
        case _:
            assert_never(first)


def _take_passive_text(queue: deque[Outgoing], link_choices: bool) -> str:
    text = ""
    while queue and isinstance(out := queue[0], OutText):
        longer = _extended(text, out, link_choices)
        if longer is None:
            break
        text = longer
        queue.popleft()
    return text or _take_first_piece(queue)


def _extended(text: str, out: OutText, link_choices: bool) -> str | None:
    """Return ``text`` with ``out`` behind it, options as links if they fit, else as plain lines; None if too long.

    A link that sends its number is shorter than one that sends its label. Of a list that is too long even so only
    the main choices are links.
    """
    for style in ("label", "number", "main", "plain") if link_choices else ("plain",):
        block = _joined(out.text, _choice_lines(out.choices, style), between="\n")
        longer = _joined(text, block)
        if fits(longer):
            return longer
    return None


def _take_first_piece(queue: deque[Outgoing]) -> str:
    """Cut the first piece off the text at the front of ``queue``, which is too long for one message."""
    out = queue.popleft()
    if not isinstance(out, OutText):
        raise TypeError("only a text is cut into pieces")
    first, *others = split_text(out.text or _choice_lines(out.choices, "plain"))
    rest = [OutText(piece) for piece in others]
    if out.text and out.choices:
        last = rest.pop().text if rest else ""
        rest.append(OutText(last, out.choices))
    queue.extendleft(reversed(rest))
    return first


# Customer-service messages --------------------------------------------------------------------------------------


def _customer_messages(queue: deque[Outgoing], link_choices: bool) -> list[CustomerMessage]:
    messages: list[CustomerMessage] = []
    text = ""
    for out in queue:
        match out:
            case OutText():
                *full, text = _appended(text, out.text)
                messages.extend(map(CustomerText, full))
                if out.choices:
                    messages.extend(_choice_messages(text, out.choices, link_choices))
                    text = ""
            case OutImage(media_id):
                messages.extend(_text_messages(text))
                messages.append(CustomerImage(media_id))
                text = ""
            case OutNews(title, description, picture_url, url):
                messages.extend(_text_messages(text))
                messages.append(CustomerNews(title, description, picture_url, url))
                text = ""
            case _:
                assert_never(out)
    messages.extend(_text_messages(text))
    return messages


def _appended(text: str, more: str) -> list[str]:
    """Return the messages that ``text`` and ``more`` make; the last one, possibly empty, is still open."""
    longer = _joined(text, more)
    if fits(longer):
        return [longer]
    pieces = split_text(more)
    return [text, *pieces] if text else pieces


def _text_messages(text: str) -> list[CustomerMessage]:
    return [CustomerText(text)] if text else []


def _choice_messages(text: str, choices: tuple[Choice, ...], link_choices: bool) -> list[CustomerMessage]:
    """Return ``text`` with its options: as a menu where it is short enough, else as numbered lines."""
    if len(choices) <= MAX_MENU_CHOICES:
        if fits("\n".join([text, *(choice.label for choice in choices)])):
            return [CustomerMenu(text, choices)]
        if text:
            return [CustomerText(text), *_choice_messages("", choices, link_choices)]
    whole = _extended("", OutText(text, choices), link_choices)
    if whole is not None:
        return [CustomerText(whole)]
    lines = split_text(_choice_lines(choices, "plain"))
    return [*_text_messages(text), *map(CustomerText, lines)]


# Parts of a text ------------------------------------------------------------------------------------------------


def _joined(first: str, second: str, *, between: str = "\n\n") -> str:
    return f"{first}{between}{second}" if first and second else first or second


def _choice_lines(choices: Sequence[Choice], style: LinkStyle) -> str:
    return "\n".join(_choice_line(number, choice, style) for number, choice in enumerate(choices, start=1))


def _choice_line(number: int, choice: Choice, style: LinkStyle) -> str:
    line = f"{number} {choice.label}"
    if style == "plain" or (style == "main" and not choice.main) or "<" in choice.label:
        return line
    sent = str(number) if style == "number" else choice.label
    content, menu_id = quote(sent, safe=""), quote(choice.id, safe="")
    return f'<a href="weixin://bizmsgmenu?msgmenucontent={content}&msgmenuid={menu_id}">{line}</a>'
