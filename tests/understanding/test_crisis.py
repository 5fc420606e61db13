"""Danger in texts: what the rules must catch, and what only sounds like it."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.crisis import MAX_CHARS, crisis_rules, crisis_signal, read_rules
from bot.understanding.errors import RuleTableInvalid
from bot.understanding.folding import fold

CASES_FILE = Path(__file__).with_name("crisis_cases.tsv")


def cases() -> list[tuple[str, str]]:
    with CASES_FILE.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(row["text"], row["expected"]) for row in rows]


@pytest.mark.parametrize(("text", "expected"), cases())
def test_kind(text: str, expected: str) -> None:
    signal = crisis_signal(text)
    assert (signal.kind if signal else "none") == expected


def test_the_table_has_both_sides() -> None:
    expected = [kind for _, kind in cases()]
    assert expected.count("none") >= 340
    assert len(expected) - expected.count("none") >= 340


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("我不想活了", "P0"),
        ("工友触电了喊不答应", "P0"),
        ("我们三十几号人、明天克堵大门、要到省里头、跳楼讨薪", "P0"),
        ("我们五十几号人明天克爬塔吊", "P1"),
        ("不给钱我就砍了他", "P1"),
        ("我是电视台的要采访你们", "P2"),
    ],
)
def test_level(text: str, level: str) -> None:
    signal = crisis_signal(text)
    assert signal is not None
    assert signal.level == level


def test_the_most_urgent_danger_wins() -> None:
    signal = crisis_signal("我是电视台的要采访你们,有人从楼上掉下来了不动了")
    assert signal is not None
    assert (signal.level, signal.kind) == ("P0", "work_accident")


@pytest.mark.parametrize("text", ["", "   ", "。。。", "🙏", "1", "a" * 5000])
def test_nothing_to_read(text: str) -> None:
    assert crisis_signal(text) is None


@pytest.mark.parametrize(
    "text",
    ["我 不 想 活 了", "我不想活了!!!", "我不想活了", "我\u200b不想\u200b活了", "我不想活了" + "好累" * 300],
)
def test_spelling_does_not_hide_it(text: str) -> None:
    assert crisis_signal(text) is not None


def test_only_the_beginning_of_an_endless_text_is_read() -> None:
    assert crisis_signal("啊" * 100_000 + "我不想活了") is None


def test_a_signal_repeats_nothing_of_the_text() -> None:
    signal = crisis_signal("我叫龙小芳电话13800000000我不想活了")
    assert signal is not None
    assert "龙小芳" not in repr(signal)
    assert "1380" not in repr(signal)


def test_rules_come_most_urgent_first() -> None:
    levels = [rule.signal.level for rule in crisis_rules().rules]
    assert levels == sorted(levels)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"level": "P9"}, "unknown level"),
        ({"kind": "weather"}, "unknown level or kind"),
        ({"unless": ["nobody"]}, "unknown context"),
        ({"says": ["(unclosed"]}, "fall:"),
    ],
)
def test_a_faulty_row_is_named(row: dict[str, object], problem: str) -> None:
    good = {"name": "fall", "level": "P0", "kind": "self_harm", "says": ["x"]}
    with pytest.raises(RuleTableInvalid, match="fall") as refused:
        read_rules({"contexts": {}, "rules": [{**good, **row}]})
    assert problem in str(refused.value)


def test_despite_takes_the_exemption_away_but_never_stays() -> None:
    table = {
        "contexts": {"past": "去年", "now": "救命", "film": "电影"},
        "rules": [
            {
                "name": "fall",
                "level": "P0",
                "kind": "work_accident",
                "says": ["摔下来"],
                "unless": ["past"],
                "despite": ["now"],
                "never": ["film"],
            }
        ],
    }
    (rule,) = read_rules(table)
    assert rule.matches("摔下来")
    assert not rule.matches("去年摔下来")
    assert rule.matches("去年摔下来,救命")
    assert not rule.matches("电影里摔下来,救命")


_PIECES = tuple(text for text, _ in cases())


@given(st.lists(st.sampled_from(_PIECES) | st.text(max_size=4), min_size=1, max_size=3).map("".join))
def test_the_filter_hides_nothing(text: str) -> None:
    """Rule after rule, without the filter that leaves lines out, finds the same."""
    folded = fold(text[:MAX_CHARS])
    everything = next((rule.signal for rule in crisis_rules().rules if rule.matches(folded)), None)
    assert crisis_signal(text) == everything
