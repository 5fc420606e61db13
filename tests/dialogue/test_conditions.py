"""Conditions: what holds, what does not parse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue.conditions import parse_condition
from bot.dialogue.errors import ConditionUnreadable
from bot.dialogue.events import SlotValue

SLOTS: dict[str, SlotValue] = {
    "level": "master",
    "age": 17,
    "share": 0.5,
    "flag": True,
    "off": False,
    "skills": ["driving", "nursing"],
    "joined": "2024-03-01",
    "left": "2026-09-30",
    "school": "铜仁职业技术学院",
    "zero": 0,
}


@pytest.mark.parametrize(
    "text",
    [
        'slots.level is "master"',
        "slots.level = 'master'",
        'level = "master"',
        'slots.level != "bachelor"',
        'slots.level is not "bachelor"',
        "slots.age >= 16 and slots.age < 18",
        "slots.age > 18 or slots.flag",
        "not (slots.age > 18 or slots.off)",
        "slots.flag is true",
        "slots.off is false",
        "slots.missing is null",
        "slots.level is not null",
        "not slots.missing",
        'slots.level in {"master", "doctor"}',
        'slots.level in ["master"]',
        'slots.level not in {"bachelor"}',
        'slots.skills contains "driving"',
        '{"a", "master"} contains slots.level',
        'slots.school contains "职业"',
        'slots.school matches "职业.*学院"',
        "slots.left >= slots.joined",
        "slots.share < 0.75",
        "slots.zero = 0 and not slots.zero",
        "TRUE or slots.missing",
        "slots.age = 17 AND slots.flag",
        'slots.flag or slots.off and slots.missing = "x"',
    ],
)
def test_holds(text: str) -> None:
    assert parse_condition(text).holds(SLOTS)


@pytest.mark.parametrize(
    "text",
    [
        "slots.missing < 18",
        "slots.missing >= 0",
        'slots.age < "18"',
        "slots.flag = 1",
        "slots.zero is false",
        'slots.missing contains "x"',
        'slots.missing matches "x"',
        "slots.off",
        'slots.level in {"bachelor"}',
        "(slots.flag or slots.flag) and slots.off",
    ],
)
def test_does_not_hold(text: str) -> None:
    assert not parse_condition(text).holds(SLOTS)


def test_names_are_the_slots_it_looks_at() -> None:
    assert parse_condition('slots.a = "b" and not (c or slots.d in {"e"})').names == {"a", "c", "d"}


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("slots.age >", 11),
        ("(slots.age > 3", 14),
        ("slots.age > 3 slots.x", 14),
        ("slots.age ~ 3", 10),
        ("context.age > 3", 0),
        ("slots.a in {slots.b}", 19),
        ('slots.a matches "("', 19),
        ("slots.a matches slots.b", 23),
        ("", 0),
        ("and", 0),
        ('slots.a in {"b"', 15),
    ],
)
def test_what_does_not_parse_says_where(text: str, at: int) -> None:
    with pytest.raises(ConditionUnreadable) as caught:
        parse_condition(text)
    assert caught.value.fields["at"] == at


@given(st.text(alphabet="slots.ab01 <>=!(){}[],'\"andornotisin", max_size=40))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        condition = parse_condition(text)
    except ConditionUnreadable:
        return
    assert condition.holds({}) in {True, False}
