"""The empty table that a unit fills in, with a guide: which columns are needed and what can go into them."""

import asyncio
from collections.abc import Mapping, Sequence
from io import BytesIO

import xlsxwriter

from bot.programmes.models import Programme, Site
from bot.registrations.answers import AnswerSheet
from bot.registrations.sheets import LINES_MAX
from bot.registrations.unit_columns import Column, columns_for

_WIDTH, _GUIDE_WIDTHS = 18, (16, 10, 44, 70)
_GUIDE_HEAD = ("列", "是否必填", "怎么填", "可以填的内容")


async def template_of(programme: Programme, sites: Sequence[Site], sheet: AnswerSheet) -> bytes:
    """Return a workbook; every cell of its first sheet is text, so that Excel leaves numbers as they are typed."""
    options = {
        "hs_items": [choice.label for choice in programme.choices.get("items", ())],
        "site": [site.name for site in sites if not site.closed],
    }
    columns = columns_for(programme.kind)
    for column in columns:
        labels = [names[0] for names in sheet.options(column.code).values()]
        if labels:
            options[column.code] = labels
    return await asyncio.to_thread(_workbook, programme.title, columns, options)


def _workbook(title: str, columns: Sequence[Column], options: Mapping[str, Sequence[str]]) -> bytes:
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        head = book.add_format({"bold": True, "bg_color": "#eceff2", "border": 1})
        needed = book.add_format({"bold": True, "bg_color": "#fbe4e2", "border": 1})
        text, wrapped = book.add_format({"num_format": "@"}), book.add_format({"text_wrap": True, "valign": "top"})
        table = book.add_worksheet("名单")
        table.set_column(0, len(columns) - 1, _WIDTH, text)
        table.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            table.write_string(0, place, column.title, needed if column.needed else head)
            choices = options.get(column.code, ())
            if choices and column.code != "hs_items" and len(",".join(choices)) < 250:
                table.data_validation(1, place, LINES_MAX, place, {"validate": "list", "source": list(choices)})
        guide = book.add_worksheet("怎么填")
        for place, width in enumerate(_GUIDE_WIDTHS):
            guide.set_column(place, place, width, wrapped)
        guide.write_string(0, 0, f"{title}：一人一行，最多 {LINES_MAX} 行，表头不要改")
        for place, label in enumerate(_GUIDE_HEAD):
            guide.write_string(1, place, label, head)
        for line, column in enumerate(columns, 2):
            cells = (column.title, "必填" if column.needed else "可不填", column.example)
            for place, content in enumerate((*cells, "、".join(options.get(column.code, ())))):
                guide.write_string(line, place, content, wrapped)
    return file.getvalue()
