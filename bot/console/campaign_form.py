"""Reading a campaign from its form, and filling the form from a campaign."""

from collections.abc import Mapping
from typing import Final

from bot.campaigns.audience import (
    AllOf,
    Audience,
    Consented,
    Everyone,
    FollowedWithin,
    GotCampaign,
    InCategory,
    InCounty,
    Not,
    Registered,
    SeenWithin,
    Tagged,
)
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
from bot.campaigns.planning import TAG_PREFIX
from bot.campaigns.rules import MASS_CALLS_PER_MINUTE, SINGLES_PER_MINUTE_MAX, SendingHours
from bot.campaigns.views import CampaignView
from bot.console.forms import Form
from bot.registrations.statuses import Status
from bot.values.counties import County
from bot.values.problem import Problem

KINDS: Final = ("text", "picture", "news", "template", "subscribe", "menu")
WEEKDAYS: Final = ("1", "2", "3", "4", "5", "6", "7")
MANY: Final = 30_000
"""How much is shown again when it was too much; the rules of the subject are stricter."""
ARTICLE_PARTS: Final = ("title", "author", "digest", "body", "thumb_media_id", "source_url")
_MOMENT: Final = "%Y-%m-%dT%H:%M"

Values = dict[str, str | tuple[str, ...]]


def read_draft(form: Form, programmes: Mapping[str, str], categories: Mapping[str, str]) -> CampaignDraft | None:
    """Return what was written; ``None`` with the problems beside the fields of ``form``."""
    channel = form.option("channel", "渠道", [one.value for one in SendChannel])
    content = _content(form)
    tag_id = form.number("tag_id", "平台标签编号", least=0, most=10**6, required=channel == SendChannel.MASS_TAG)
    audience = _audience(form, programmes, categories)
    if channel == SendChannel.MASS_TAG and tag_id is not None:
        audience = Tagged(f"{TAG_PREFIX}{tag_id}")
    title = form.text("title", "名称", max_chars=80)
    purpose = form.text("purpose", "需要的同意", max_chars=24, required=False)
    programme_id = form.option("programme_id", "关联活动", programmes, required=False)
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


def _content(form: Form) -> Content:
    kind = form.option("kind", "内容类型", KINDS)
    match kind:
        case "picture":
            return Picture(form.text("media_id", "图片", max_chars=200))
        case "news":
            return News(_articles(form))
        case "template" | "subscribe":
            template_id = form.text("template_id", "模板编号", max_chars=100)
            fields = dict(_pairs(form, "fields", "模板字段", "="))
            link = form.text("link", "点开去哪里", max_chars=500, required=False)
            return Template(template_id, fields, link) if kind == "template" else Subscribe(template_id, fields, link)
        case "menu":
            choices = tuple(MenuChoice(place, label) for label, place in _pairs(form, "choices", "选项", "="))
            head = form.text("head", "开头", max_chars=MANY)
            return Menu(head, choices, form.text("tail", "结尾", max_chars=MANY, required=False))
        case _:
            return Text(form.text("text", "正文", max_chars=MANY))


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


def _pairs(form: Form, name: str, label: str, mark: str) -> list[tuple[str, str]]:
    """Return the lines ``left=right`` of an area; a line without the mark is a problem that names it."""
    found = []
    for line in form.text(name, label, max_chars=MANY).splitlines():
        left, sign, right = line.partition(mark)
        if not sign and line.strip():
            form.note(name, Problem("campaign.line_without_mark", {"line": line.strip()[:20], "mark": mark}))
        elif line.strip():
            found.append((left.strip(), right.strip()))
    return found


def _audience(form: Form, programmes: Mapping[str, str], categories: Mapping[str, str]) -> Audience:
    parts: list[Audience] = []
    if counties := form.options("counties", "区县", [one.code for one in County]):
        parts.append(InCounty(tuple(counties)))
    if chosen := form.options("categories", "职工类别", categories):
        parts.append(InCategory(tuple(chosen)))
    of_programme = form.option("registered", "报过的活动", programmes, required=False)
    statuses = form.options("statuses", "报名状态", [one.value for one in Status])
    if of_programme or statuses:
        parts.append(Registered(of_programme, tuple(statuses)))
    if purpose := form.text("consented", "同意", max_chars=24, required=False):
        parts.append(Consented(purpose))
    if tag := form.text("tag", "标签", max_chars=64, required=False):
        parts.append(Tagged(tag))
    if (days := form.number("seen_days", "最近互动", least=1, most=3650, required=False)) is not None:
        parts.append(SeenWithin(days))
    if (days := form.number("followed_days", "最近关注", least=1, most=3650, required=False)) is not None:
        parts.append(FollowedWithin(days))
    if (number := form.number("got", "收到过的群发", least=1, most=10**9, required=False)) is not None:
        parts.append(GotCampaign(number))
    if (number := form.number("not_got", "没收到过的群发", least=1, most=10**9, required=False)) is not None:
        parts.append(Not(GotCampaign(number)))
    if not parts:
        return Everyone()
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _hours(form: Form) -> SendingHours:
    opening, closing = form.time("open", "最早", required=False), form.time("close", "最晚", required=False)
    ticked = form.options("weekdays", "可以发送的日子", WEEKDAYS)
    usual = SendingHours()
    return SendingHours(
        usual.open_minute if opening is None else opening.hour * 60 + opening.minute,
        usual.close_minute if closing is None else closing.hour * 60 + closing.minute,
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
        **(_audience_values(view.audience) or {}),
    }


def is_in_form(audience: Audience) -> bool:
    """Say whether the form can show this audience; the shell makes others, which an edit would lose."""
    return _audience_values(audience) is not None


def _clock(minute: int) -> str:
    # A day's end is the last minute that the browser's field can hold.
    return "23:59" if minute >= 24 * 60 else f"{minute // 60:02}:{minute % 60:02}"


def _content_values(content: Content) -> Values:
    match content:
        case Text(text):
            return {"kind": "text", "text": text}
        case Picture(media_id):
            return {"kind": "picture", "media_id": media_id}
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
            lines = "\n".join(f"{one.label}={one.id}" for one in choices)
            return {"kind": "menu", "head": head, "choices": lines, "tail": tail}


def _audience_values(audience: Audience) -> Values | None:
    if isinstance(audience, Everyone):
        return {}
    values: Values = {}
    for part in audience.parts if isinstance(audience, AllOf) else (audience,):
        found = _part_values(part)
        if found is None or found.keys() & values.keys():
            return None
        values |= found
    return values


def _part_values(part: Audience) -> Values | None:
    match part:
        case InCounty(counties):
            return {"counties": counties}
        case InCategory(categories):
            return {"categories": categories}
        case Registered(programme_id, statuses):
            return {"registered": programme_id, "statuses": statuses} if programme_id or statuses else None
        case Consented(purpose):
            return {"consented": purpose}
        case Tagged(tag):
            return {"tag": tag}
        case SeenWithin(days):
            return {"seen_days": str(days)}
        case FollowedWithin(days):
            return {"followed_days": str(days)}
        case GotCampaign(number):
            return {"got": str(number)}
        case Not(GotCampaign(number)):
            return {"not_got": str(number)}
        case _:
            return None
