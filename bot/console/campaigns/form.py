"""Reading a campaign from its form, and filling the form from a campaign."""

from collections.abc import Iterable, Iterator
from typing import Final

from bot.campaigns.audience import Audience, Everyone, Tagged
from bot.campaigns.content import (
    ARTICLES_MAX,
    Article,
    Content,
    Menu,
    MenuChoice,
    News,
    Picture,
    Subscribe,
    Template,
    Text,
)
from bot.campaigns.drafts import CampaignDraft
from bot.campaigns.models import SendChannel
from bot.campaigns.reach import TAG_PREFIX
from bot.campaigns.rules import MASS_CALLS_PER_MINUTE, SINGLES_PER_MINUTE_MAX, SendingHours
from bot.campaigns.views import CampaignView
from bot.console.campaigns.audience import Offers, Values, audience_values, read_audience
from bot.console.forms import Form
from bot.values.problem import Problem

KINDS: Final = ("text", "picture", "news", "template", "subscribe", "menu")
WEEKDAYS: Final = ("1", "2", "3", "4", "5", "6", "7")
MANY: Final = 30_000
"""How much is shown again when it was too much; the rules of the subject are stricter."""
ARTICLE_PARTS: Final = ("title", "author", "digest", "body", "thumb_media_id", "source_url", "file_id")
DAY_END_MINUTE: Final = 24 * 60
_MOMENT: Final = "%Y-%m-%dT%H:%M"


def read_draft(form: Form, offers: Offers, stored: Audience | None = None) -> CampaignDraft | None:
    """Return what was written; ``None`` with the problems beside the fields of ``form``.

    ``stored`` is an audience that the form cannot show; it stays while “keep_audience” is ticked.
    """
    content = _content(form)
    channel, tag_id, audience, purpose = read_reach(form, offers, stored)
    title = form.text("title", "名称", max_chars=80)
    programme_id = form.option("programme_id", "关联活动", offers.programmes, required=False)
    starts_at = form.moment("starts_at", "开始时间", required=False)
    per_minute = form.number("per_minute", "每分钟速度", least=1, most=SINGLES_PER_MINUTE_MAX)
    hours = _hours(form)
    failed = form.number("max_failed_percent", "自动暂停的失败比例", least=1, most=100)
    attribution = form.number("attribution_days", "统计天数", least=1, most=90)
    if form.problems or per_minute is None or failed is None or attribution is None:
        return None
    return CampaignDraft(
        title=title,
        channel=SendChannel(channel),
        content=content,
        audience=audience,
        purpose=purpose,
        programme_id=programme_id or None,
        tag_id=tag_id,
        starts_at=starts_at,
        per_minute=per_minute,
        hours=hours,
        max_failed_percent=failed,
        attribution_days=attribution,
    )


def read_reach(form: Form, offers: Offers, stored: Audience | None = None) -> tuple[str, int | None, Audience, str]:
    """Return channel, tag, audience and purpose: all that says who is reached."""
    channel = form.option("channel", "渠道", [one.value for one in SendChannel])
    tag_id = form.number("tag_id", "平台标签编号", least=0, most=10**6, required=False)
    if channel == SendChannel.MASS_TAG and not form.raw("tag_id"):
        form.note("tag_id", Problem("campaign.tag_needed"))
    purpose = form.option("purpose", "需要的同意", offers.purposes, required=False)
    audience = read_audience(form, offers)
    if stored is not None and form.flag("keep_audience"):
        if audience != Everyone():
            form.note("keep_audience", Problem("campaign.kept_or_chosen"))
        audience = stored
    if channel in list(SendChannel) and not SendChannel(channel).chooses:
        # Conditions would be ignored, so they are refused.
        by_tag = channel == SendChannel.MASS_TAG and tag_id is not None
        whole = Tagged(f"{TAG_PREFIX}{tag_id}") if by_tag else Everyone()
        if audience not in (Everyone(), whole):
            form.note("channel", Problem(f"campaign.conditions_not_with_{channel}"))
        if purpose:
            form.note("purpose", Problem("campaign.consent_not_with_channel"))
        audience = whole
    return channel, tag_id, audience, purpose


def _content(form: Form) -> Content:
    kind = form.option("kind", "内容类型", KINDS)
    match kind:
        case "picture":
            picture = Picture(form.raw("media_id").strip(), form.raw("file_id"))
            if not picture.media_id and not picture.file_id:
                form.note("picture", Problem("campaign.picture_needed"))
            return picture
        case "news":
            return News(_articles(form))
        case "template" | "subscribe":
            template_id = form.text("template_id", "模板编号", max_chars=100)
            fields = dict(_pairs(form, "fields", "模板字段", "="))
            link = form.text("link", "点开去哪里", max_chars=500, required=False)
            return Template(template_id, fields, link) if kind == "template" else Subscribe(template_id, fields, link)
        case "menu":
            choices = read_choices(form)
            if not choices:
                form.text("choices", "选项")
            head = form.text("head", "开头", max_chars=MANY)
            return Menu(head, choices, form.text("tail", "结尾", max_chars=MANY, required=False))
        case _:
            return Text(form.text("text", "正文", max_chars=MANY))


def read_choices(form: Form) -> tuple[MenuChoice, ...]:
    """Return the buttons that the lines ``label=where it leads`` of the area ``choices`` name."""
    return tuple(MenuChoice(place, label) for label, place in _pairs(form, "choices", "选项", "=", required=False))


def choice_lines(choices: Iterable[MenuChoice]) -> str:
    """Return buttons as the lines of the area."""
    return "\n".join(f"{one.label}={one.id}" for one in choices)


def _articles(form: Form) -> tuple[Article, ...]:
    """Return the articles of which anything was filled in; what is missing in one is the check's to say."""
    found = []
    for place in range(1, ARTICLES_MAX + 1):
        parts = {part: form.raw(f"a{place}_{part}").strip() for part in ARTICLE_PARTS}
        if any(parts.values()):
            found.append(Article(**parts))
    if not found:
        form.text("a1_title", "标题")
    return tuple(found)


def picture_fields(kind: str) -> Iterator[tuple[str, str]]:
    """Give the fields in which a kind of content takes files, each with the field that keeps the file's id."""
    if kind == "picture":
        yield "picture", "file_id"
    if kind == "news":
        for place in range(1, ARTICLES_MAX + 1):
            yield f"a{place}_picture", f"a{place}_file_id"


def _pairs(form: Form, name: str, label: str, mark: str, *, required: bool = True) -> list[tuple[str, str]]:
    """Return the lines ``left=right`` of an area; a line without the mark is a problem that names it."""
    found = []
    for line in form.text(name, label, max_chars=MANY, required=required).splitlines():
        left, sign, right = line.partition(mark)
        if not sign and line.strip():
            form.note(name, Problem("campaign.line_without_mark", {"line": line.strip()[:20], "mark": mark}))
        elif line.strip():
            found.append((left.strip(), right.strip()))
    return found


def _hours(form: Form) -> SendingHours:
    opening, closing = form.time("open", "最早", required=False), form.time("close", "最晚", required=False)
    ticked = form.options("weekdays", "可以发送的日子", WEEKDAYS)
    # The browser's field has no 24:00; left empty it is the day's end.
    return SendingHours(
        0 if opening is None else opening.hour * 60 + opening.minute,
        DAY_END_MINUTE if closing is None else closing.hour * 60 + closing.minute,
        "".join("1" if day in ticked else "0" for day in WEEKDAYS),
    )


def fresh_values() -> Values:
    """Return what a new campaign's form begins with."""
    return {
        "channel": SendChannel.MASS_LIST.value,
        "kind": "text",
        "per_minute": str(MASS_CALLS_PER_MINUTE),
        "max_failed_percent": "10",
        "attribution_days": "7",
        "open": "08:00",
        "close": "21:00",
        "weekdays": WEEKDAYS,
    }


def values_of(view: CampaignView) -> Values:
    """Return what the form of a stored campaign shows."""
    hours = view.hours
    return {
        "title": view.title,
        "channel": view.channel.value,
        "purpose": view.purpose,
        "programme_id": view.programme_id or "",
        "tag_id": "" if view.tag_id is None else str(view.tag_id),
        "starts_at": view.starts_at.strftime(_MOMENT) if view.starts_at else "",
        "per_minute": str(view.per_minute),
        "max_failed_percent": str(view.max_failed_percent),
        "attribution_days": str(view.attribution_days),
        "open": _clock(hours.open_minute),
        "close": _clock(hours.close_minute),
        "weekdays": tuple(day for day, letter in zip(WEEKDAYS, hours.weekdays, strict=True) if letter == "1"),
        **_content_values(view.content),
        **(audience_values(shown_audience(view)) or {}),
    }


def shown_audience(view: CampaignView) -> Audience:
    """Return the conditions that the form shows: a mass send by tag has none besides its tag."""
    is_the_tag = view.channel is SendChannel.MASS_TAG and view.audience == Tagged(f"{TAG_PREFIX}{view.tag_id}")
    return Everyone() if is_the_tag else view.audience


def audience_not_in_form(view: CampaignView | None) -> Audience | None:
    """Return the audience that the form cannot show, as the shell may make it; ``None`` for every other."""
    return None if view is None or audience_values(shown_audience(view)) is not None else view.audience


def _clock(minute: int) -> str:
    return "" if minute >= DAY_END_MINUTE else f"{minute // 60:02}:{minute % 60:02}"


def _content_values(content: Content) -> Values:
    match content:
        case Text(text):
            return {"kind": "text", "text": text}
        case Picture(media_id, file_id):
            return {"kind": "picture", "media_id": media_id, "file_id": file_id}
        case News(articles):
            values: Values = {"kind": "news"}
            values |= {
                f"a{place}_{part}": str(getattr(one, part))
                for place, one in enumerate(articles, start=1)
                for part in ARTICLE_PARTS
            }
            return values
        case Template(template_id, fields, link) | Subscribe(template_id, fields, link):
            kind = "template" if isinstance(content, Template) else "subscribe"
            lines = "\n".join(f"{name}={value}" for name, value in fields.items())
            return {"kind": kind, "template_id": template_id, "fields": lines, "link": link}
        case Menu(head, choices, tail):
            return {"kind": "menu", "head": head, "choices": choice_lines(choices), "tail": tail}
