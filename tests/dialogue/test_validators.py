"""Validators as flows use them: what lands in the slot, how it is shown, what is masked."""

from datetime import date

import pytest

from bot.dialogue.catalog import FlowCatalog, Slot
from bot.dialogue.events import Option, SlotValue
from bot.dialogue.standard_validators import standard_validators
from bot.dialogue.validators import Request
from bot.values.problem import Problem

TODAY = date(2026, 6, 15)
VALIDATORS = standard_validators()
OPTIONS = (Option("am", "上午", ("早上",)), Option("pm", "下午"), Option("eve", "晚上"))


def request(catalog: FlowCatalog, slot: Slot) -> Request:
    """Return what a validator gets for ``slot``."""
    return Request(slot, slot.options, TODAY, catalog.words)


@pytest.mark.parametrize(
    ("slot", "text", "value", "shown"),
    [
        (Slot("a", validator="text"), " 铜仁  学院 ", "铜仁 学院", "铜仁 学院"),
        (Slot("a", validator="person_name"), "我叫杨小芳", "杨小芳", "杨小芳"),
        (Slot("a", validator="mobile"), "138 0000 1111", "13800001111", "13800001111"),
        (Slot("a", validator="phone"), "0856-5223344", "0856-5223344", "0856-5223344"),
        (Slot("a", validator="identity_number"), "520602199003079980", "520602199003079980", "520602199003079980"),
        (Slot("a", validator="credit_code"), "91520602MA6000008A", "91520602MA6000008A", "91520602MA6000008A"),
        (Slot("a", validator="date"), "明天", "2026-06-16", "6月16日"),
        (Slot("a", validator="date"), "2025年6月1日", "2025-06-01", "2025年6月1日"),
        (Slot("a", validator="partial_date"), "去年10月", "2025-10", "2025年10月"),
        (
            Slot("a", validator="date_range"),
            "7月15到8月14",
            {"from": "2026-07-15", "to": "2026-08-14"},
            "7月15日–8月14日",
        ),
        (
            Slot("a", validator="month_range"),
            "去年10月到12月",
            {"from": "2025-10", "to": "2025-12"},
            "2025年10月–2025年12月",
        ),
        (Slot("a", validator="time"), "下午2点半", "14:30", "14:30"),
        (
            Slot("a", validator="money"),
            "八千块",
            {"low_cents": 800_000, "high_cents": 800_000, "about": False},
            "8000元",
        ),
        (
            Slot("a", validator="money"),
            "5-8千",
            {"low_cents": 500_000, "high_cents": 800_000, "about": False},
            "5000–8000元",
        ),
        (Slot("a", type="int", validator="count"), "十几个人", 11, "11"),
        (Slot("a", type="int", validator="integer"), "二十五", 25, "25"),
        (Slot("a", type="float", validator="decimal"), "1.5", 1.5, "1.5"),
        (Slot("a", validator="county"), "松桃嘞", "520628", "松桃"),
        (Slot("a", type="bool", validator="yes_no"), "要得", True, "True"),
        (Slot("a", type="categorical", validator="options", options=OPTIONS), "第二个", "pm", "pm"),
        (Slot("a", type="list", validator="options", options=OPTIONS), "早上和晚上", ["am", "eve"], "am、eve"),
        (Slot("a", validator="any"), "随便", "随便", "随便"),
    ],
)  # fmt: skip
def test_reads_and_shows(catalog: FlowCatalog, slot: Slot, text: str, value: SlotValue, shown: str) -> None:
    validator = VALIDATORS[slot.validator]
    assert validator.read(text, request(catalog, slot)) == value
    assert validator.show(value, TODAY) == shown


@pytest.mark.parametrize(
    ("slot", "text", "code"),
    [
        (Slot("a", validator="text", limits={"min_chars": 2}), "铜", "text.too_short"),
        (Slot("a", validator="text", limits={"max_chars": 3}), "铜仁学院", "text.too_long"),
        (Slot("a", validator="mobile"), "1380000", "mobile.too_short"),
        (Slot("a", validator="date", limits={"min_days": 0}), "2025年6月1日", "date.in_past"),
        (Slot("a", validator="date", limits={"min_days": 2}), "明天", "date.too_early"),
        (Slot("a", validator="date", limits={"max_days": 30}), "8月1日", "date.too_late"),
        (Slot("a", validator="integer", limits={"min": 3}), "2", "number.too_small"),
        (Slot("a", validator="integer", limits={"max": 3}), "4", "number.too_large"),
        (Slot("a", validator="count", limits={"max": 3}), "4个人", "count.too_many"),
        (Slot("a", validator="yes_no"), "看情况", "answer.unclear"),
        (Slot("a", validator="options", options=OPTIONS), "半夜", "option.not_found"),
        (Slot("a", validator="media"), "没有", "media.expected"),
    ],
)
def test_refuses_with_a_text_that_exists(catalog: FlowCatalog, slot: Slot, text: str, code: str) -> None:
    problem = VALIDATORS[slot.validator].read(text, request(catalog, slot))
    assert isinstance(problem, Problem)
    assert problem.code == code
    response = catalog.responses[code]
    assert set(response.variants[0].placeholders) <= set(problem.fields)


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("mobile", "打13800001111找我", ["13800001111"]),
        ("person_name", "娃儿叫杨小芳", ["杨小芳"]),
        ("county", "我在松桃上班", ["520628"]),
        ("count", "我们十三个人去", [13]),
        ("date", "6月20号来", ["2026-06-20"]),
        ("options", "晚上方便", ["eve"]),
        ("text", "什么都有", []),
    ],
)
def test_finds_inside_a_sentence(catalog: FlowCatalog, name: str, text: str, values: list[SlotValue]) -> None:
    slot = Slot("a", validator=name, options=OPTIONS if name == "options" else ())
    assert [hit.value for hit in VALIDATORS[name].find(text, request(catalog, slot))] == values


@pytest.mark.parametrize(
    ("name", "value", "masked"),
    [
        ("mobile", "13800001111", "138****1111"),
        ("identity_number", "520602199003079980", "520*************80"),
        ("person_name", "杨小芳", "杨*芳"),
        ("text", "家里有人生病", ""),
        ("money", {"low_cents": 1, "high_cents": 1}, ""),
    ],
)
def test_masks_what_is_sensitive(name: str, value: SlotValue, masked: str) -> None:
    assert VALIDATORS[name].mask(value) == masked
