"""The figures of a period as an Excel workbook."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from typing import Final

import xlsxwriter

from bot.campaigns.figures import CampaignFigures
from bot.reports.models import ChatFigures, Messages, Registered, Turns, Waits
from bot.reports.overview import Figures
from bot.reports.rules import STEPS_MIN, in_steps, percentile
from bot.values.clock import LOCAL_ZONE
from bot.values.counties import County

Cell = str | int | float
Label = Callable[[str, str], str]
"""What a code of a kind is called: ``label("greet", "intent")``."""

HIDDEN: Final = "不显示"
"""What stands for a group that is too small to be shown, or that would give one away."""
NOT_WRITTEN: Final = "没有写区县"
NOTHING: Final = "—"
SMALL_GROUPS: Final = "健康筛查按整期统计，不足 10 人的分组和能推算出它的分组不显示。"
HOUR_MIN: Final = 60
FIRST_COLUMN_WIDTH, COLUMN_WIDTH = 30, 14


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its name, a line about it, the heads of its columns, and its rows."""

    name: str
    about: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def sheets_of(now: Figures, before: Figures, label: Label) -> list[Sheet]:
    """Return the sheets; ``before`` are the figures of the period before, for comparison."""
    sheets = [Sheet("总览", _span(now), ["项目", "本期", "上期"], _overview(now, before))]
    if now.messages is not None:
        sheets += _of_messages(now.messages, label)
        asked = [
            [label(one.kind, "service"), one.asked, one.registered, _share(one.share)] for one in now.conversions
        ]
        about = "提问后 14 天内报名的人；同一个人问几次算一次。"
        sheets.append(Sheet("从咨询到报名", about, ["服务", "问过的人", "其中报名", "比例"], asked))
    sheets.append(_of_programmes(now.programmes, label))
    sheets.append(_of_chats(now.chats))
    return sheets


def campaign_sheet(campaigns: Sequence[CampaignFigures], label: Label) -> Sheet:
    """Return what came of each campaign, as its page compares them."""
    rows: list[list[Cell]] = [
        [
            one.campaign.title,
            one.campaign.id,
            label(one.campaign.channel.value, "campaign_channel"),
            f"{one.campaign.frozen_at.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M}" if one.campaign.frozen_at else NOTHING,
            one.reached,
            one.failed,
            one.registered,
            one.opted_out,
        ]
        for one in campaigns
    ]
    about = "到达的含已交给平台、还没有回执的。报名和退订是到达的人里的，每条各算到自己的统计天数为止。"
    return Sheet("群发", about, ["群发", "编号", "渠道", "开始", "到达", "失败", "之后报名", "之后退订"], rows)


def workbook(sheets: Sequence[Sheet], mark: str) -> bytes:
    """Return the workbook; ``mark`` (who and when) stands at the foot of each printed page."""
    file = BytesIO()
    # What people typed, the title of a programme for instance, is never taken for a formula or a link.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        head = book.add_format({"bold": True, "bg_color": "#eceff2", "bottom": 1})
        quiet = book.add_format({"font_color": "#57606a"})
        for sheet in sheets:
            page = book.add_worksheet(sheet.name)
            page.set_column(0, 0, FIRST_COLUMN_WIDTH)
            page.set_column(1, len(sheet.heads), COLUMN_WIDTH)
            page.write_string(0, 0, sheet.about, quiet)
            page.write_row(1, 0, sheet.heads, head)
            for place, row in enumerate(sheet.rows):
                page.write_row(2 + place, 0, row)
            page.freeze_panes(2, 0)
            page.set_footer(f"&L{mark}&R&P / &N")
    return file.getvalue()


def county_name(code: str) -> str:
    """Return a county's short name; empty is nobody's county, and another code stands as it is."""
    return County.by_code(code).short if code in set(County) else code or NOT_WRITTEN


def _span(figures: Figures) -> str:
    before = figures.period.previous
    return f"{figures.period.first} 至 {figures.period.last}，上期 {before.first} 至 {before.last}"


def _overview(now: Figures, before: Figures) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    if now.messages is not None and before.messages is not None:
        a, b = now.messages.all, before.messages.all
        rows += [
            ["消息", a.total, b.total],
            ["要模型理解的", a.asked, b.asked],
            ["听懂并办理", a.understood, b.understood],
            ["反问", a.asked_back, b.asked_back],
            ["没听懂", a.lost, b.lost],
            ["听懂的比例", _share(a.understood_share), _share(b.understood_share)],
        ]
    rows.append(["报名（不含健康筛查）", now.registered, before.registered])
    rows += [
        [name, value, then] for (name, value), (_, then) in zip(_chats(now.chats), _chats(before.chats), strict=True)
    ]
    return rows


def _of_messages(messages: Messages, label: Label) -> list[Sheet]:
    heads = ["听懂并办理", "反问", "没听懂", "不用模型", "合计"]
    days: list[list[Cell]] = [[f"{day}", *_turns(turns)] for day, turns in messages.by_day]
    hours: list[list[Cell]] = [[f"{hour}:00", *_turns(turns)] for hour, turns in messages.by_hour]
    intents: list[list[Cell]] = [[label(intent, "intent"), turns] for intent, turns in messages.by_intent]
    about = "不用模型：选项、回答办事中的问题、点菜单、图片。"
    return [
        Sheet("消息（按天）", about, ["日期", *heads], days),
        Sheet("消息（按时段）", about, ["时段", *heads], hours),
        Sheet("意图", "听懂了的消息，按意思。", ["意图", "消息"], intents),
    ]


def _turns(turns: Turns) -> list[Cell]:
    return [turns.understood, turns.asked_back, turns.lost, turns.guided, turns.total]


def _of_programmes(programmes: Sequence[Registered], label: Label) -> Sheet:
    rows: list[list[Cell]] = []
    for one in programmes:
        span = "整期" if one.is_whole else "本期"
        rows.append([one.title, span, "合计", "", _shown(one.total)])
        rows += [
            [one.title, span, "进度", label(status, "registration_status"), _shown(count)]
            for status, count in one.by_status.items()
        ]
        rows += [[one.title, span, "区县", county_name(code), _shown(count)] for code, count in one.by_county]
    return Sheet("报名", SMALL_GROUPS, ["活动", "范围", "分类", "名称", "人数"], rows)


def _of_chats(chats: ChatFigures) -> Sheet:
    rows = _chats(chats)
    for name, waits in (("首次回复", chats.first_answer), ("办结", chats.resolution)):
        counts = in_steps(waits)
        rows += [(f"{name}：{step}", count) for step, count in zip(step_names(), counts, strict=True)]
    return Sheet("会话", "从转人工算起，含下班时间；首次回复、办结、评价都算在发生的那一天。", ["项目", "数值"], rows)


def _chats(chats: ChatFigures) -> list[tuple[str, Cell]]:
    return [
        ("转人工的会话", chats.opened),
        ("已回复", chats.first_answer.count),
        ("已结束", chats.resolution.count),
        ("首次回复（分钟，一半在内）", _minutes(chats.first_answer, 0.5)),
        ("首次回复（分钟，九成在内）", _minutes(chats.first_answer, 0.9)),
        ("办结（分钟，一半在内）", _minutes(chats.resolution, 0.5)),
        ("办结（分钟，九成在内）", _minutes(chats.resolution, 0.9)),
        ("满意", chats.satisfied),
        ("一般", chats.fair),
        ("不满意", chats.dissatisfied),
        ("满意的比例", _share(chats.satisfied_share)),
    ]


def step_names() -> list[str]:
    """Return what the steps of lengths of time are called."""
    between = [
        f"{low}–{high} 分钟" if high <= HOUR_MIN else f"{low // HOUR_MIN}–{high // HOUR_MIN} 小时"
        for low, high in pairwise(STEPS_MIN)
    ]
    return [f"{STEPS_MIN[0]} 分钟内", *between, "更久"]


def _minutes(waits: Waits, share: float) -> Cell:
    found = percentile(waits, share)
    return NOTHING if found is None else found


def _shown(count: int | None) -> Cell:
    return HIDDEN if count is None else count


def _share(value: float | None) -> Cell:
    return NOTHING if value is None else f"{value:.0%}"
