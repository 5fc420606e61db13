"""Choosing from a list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.values.options import Option, parse_option, parse_options
from bot.values.problem import Problem

START = (
    Option("start", "开始报名", ("开始", "报名")),
    Option("conditions", "先看条件", ("条件",)),
    Option("other", "不是这个", ("不是", "搞错了")),
)
COUNTIES = tuple(
    Option(name, name) for name in ("碧江", "万山", "松桃", "玉屏", "江口", "石阡", "印江", "思南", "德江", "沿河")
)
SLOTS = (
    Option("1", "县妇幼 6月20日 上午8:30–9:30 余3"),
    Option("2", "县妇幼 6月20日 下午2:00–3:00 余8"),
    Option("3", "县医院 6月21日 上午 余5"),
    Option("4", "都不合适"),
)
SERVICES = (Option("work", "勤工俭学"), Option("health", "两癌筛查"), Option("law", "法律咨询"))
SKILLS = (
    Option("office", "办公软件"),
    Option("mandarin", "普通话"),
    Option("licence", "驾照"),
    Option("nursing", "护理"),
    Option("none", "没有", ("都没有", "没得")),
)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        *(
            (text, 1)
            for text in (
                "1",
                "１",
                "一",
                "①",
                "1️⃣",
                "1、",
                "1.",
                "1)",
                "(1)",
                "第一个",
                "第1个吧",
                "1号",
                "选1",
                "就1嘛",
            )
        ),
        *((text, 2) for text in ("2", "二", "②", "第二个", "2号", "我选第二个嘛", "回复2", "倒数第二个", "第２项")),
        *((text, 3) for text in ("3", "选3", "最后一个", "最后那个", "倒数第一个", "第三条")),
    ],
)
def test_by_number_in_any_form(text: str, place: int) -> None:
    assert parse_option(text, START) == START[place - 1]


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("开始报名", "start"),
        ("1 开始报名", "start"),
        ("1、开始报名", "start"),
        ("我要报名", "start"),
        ("看条件", "conditions"),
        ("条件嘛", "conditions"),
        ("不是", "other"),
        ("搞错了嘛", "other"),
        ("不是这个", "other"),
    ],
)
def test_by_label_alias_and_part(text: str, choice: str) -> None:
    option = parse_option(text, START)
    assert isinstance(option, Option)
    assert option.id == choice


@pytest.mark.parametrize(
    ("text", "choice"),
    [("县医院", "3"), ("下午", "2"), ("6月21日", "3"), ("都不合适", "4"), ("第一个", "1"), ("下午那个", "2")],
)
def test_by_the_part_that_only_one_has(text: str, choice: str) -> None:
    option = parse_option(text, SLOTS)
    assert isinstance(option, Option)
    assert option.id == choice


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("青工检学", "work"),
        ("勤工减雪", "work"),
        ("勤工学", "work"),
        ("良癌塞查", "health"),
        ("两岩筛茶", "health"),
        ("法律姿寻", "law"),
        ("法律", "law"),
    ],
)
def test_by_sound(text: str, choice: str) -> None:
    option = parse_option(text, SERVICES)
    assert isinstance(option, Option)
    assert option.id == choice


@pytest.mark.parametrize(
    ("text", "choice"), [("松涛", "松桃"), ("碧姜", "碧江"), ("我在碧江", "碧江"), ("不是松桃，是碧江", "碧江")]
)
def test_short_labels(text: str, choice: str) -> None:
    option = parse_option(text, COUNTIES)
    assert isinstance(option, Option)
    assert option.id == choice


@pytest.mark.parametrize(
    ("text", "options", "problem"),
    [
        ("4", START, Problem("option.out_of_range", {"maximum": 3})),
        ("0", START, Problem("option.out_of_range", {"maximum": 3})),
        ("第十个", START, Problem("option.out_of_range", {"maximum": 3})),
        ("1和3", START, Problem("option.only_one")),
        ("都要", START, Problem("option.only_one")),
        ("1 先看条件", START, Problem("option.ambiguous", {"candidates": "开始报名、先看条件"})),
        ("松桃和碧江", COUNTIES, Problem("option.ambiguous", {"candidates": "松桃、碧江"})),
        (
            "上午",
            SLOTS[::2],
            Problem("option.ambiguous", {"candidates": "县妇幼 6月20日 上午8:30–9:30 余3、县医院 6月21日 上午 余5"}),
        ),
        ("不要1", START, Problem("option.not_found", {"maximum": 3})),
        ("我不要松桃", COUNTIES, Problem("option.not_found", {"maximum": 10})),
        ("开始不报名", START, Problem("option.not_found", {"maximum": 3})),
        ("不晓得", START, Problem("option.not_found", {"maximum": 3})),
        ("", START, Problem("option.not_found", {"maximum": 3})),
        ("1", (), Problem("option.out_of_range", {"maximum": 0})),
        ("字" * 200, START, Problem("option.not_found", {"maximum": 3})),
    ],
)
def test_what_must_be_asked_again(text: str, options: tuple[Option, ...], problem: Problem) -> None:
    result = parse_option(text, options)
    assert isinstance(result, Problem)
    assert (result.code, result.fields) == (problem.code, problem.fields)


def test_a_choice_between_several_is_offered() -> None:
    result = parse_option("上午", SLOTS)
    assert isinstance(result, Problem)
    assert result.suggestions == (SLOTS[0].label, SLOTS[2].label)
    assert parse_option(result.suggestions[1], SLOTS) == SLOTS[2]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("21号", 2),
        ("八点半", 0),
        ("8点半那个", 0),
        ("两点", 1),
        ("下午两点", 1),
        ("14:00", 1),
        ("妇幼下午", 1),
        ("头一个", 0),
        ("最上面那个", 0),
        ("最下面那个", 3),
        ("第三个要得", 2),
        ("第三个县医院", 2),
    ],
)
def test_a_slot_is_chosen_by_day_hour_and_place(text: str, place: int) -> None:
    assert parse_option(text, SLOTS) == SLOTS[place]


def test_the_middle_of_three() -> None:
    assert parse_option("中间那个", SLOTS[:3]) == SLOTS[1]


@pytest.mark.parametrize(
    "text", ["上面那个", "下面那个", "中间那个", "后一个", "一哈", "等一哈", "22号", "四点", "第一个第二个都行"]
)
def test_what_is_no_choice_among_four(text: str) -> None:
    assert isinstance(parse_option(text, SLOTS), Problem)


@pytest.mark.parametrize(
    ("text", "place"), [("上面那个", 0), ("前面的", 0), ("下面那个", 1), ("后面那个", 1), ("后一个", 1)]
)
def test_above_and_below_are_clear_between_two(text: str, place: int) -> None:
    assert parse_option(text, SLOTS[:2]) == SLOTS[place]


@pytest.mark.parametrize(("text", "places"), [("后两个", (1, 2)), ("除了2", (0, 2)), ("除了第一个", (1, 2))])
def test_several_by_what_is_left(text: str, places: tuple[int, ...]) -> None:
    assert parse_options(text, SLOTS[:3]) == tuple(SLOTS[place] for place in places)


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("1和3", "office licence"),
        ("1,3", "office licence"),
        ("1、3", "office licence"),
        ("1 3", "office licence"),
        ("13", "office licence"),
        ("3,1", "licence office"),
        ("3，3,1", "licence office"),
        ("第一个和第三个", "office licence"),
        ("1-3", "office mandarin licence"),
        ("1到3", "office mandarin licence"),
        ("前三个", "office mandarin licence"),
        ("普通话、驾照", "mandarin licence"),
        ("护理和驾照", "nursing licence"),
        ("办公软件普通话", "office mandarin"),
        ("都要", "office mandarin licence nursing"),
        ("全部", "office mandarin licence nursing"),
        ("除了2都要", "office licence nursing"),
        ("没得", "none"),
        ("5", "none"),
        ("驾照", "licence"),
    ],
)
def test_several(text: str, choices: str) -> None:
    chosen = parse_options(text, SKILLS)
    assert not isinstance(chosen, Problem)
    assert [option.id for option in chosen] == choices.split()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("9", Problem("option.out_of_range", {"maximum": 5})),
        ("1和9", Problem("option.out_of_range", {"maximum": 5})),
        ("3-9", Problem("option.out_of_range", {"maximum": 5})),
        ("1", Problem("option.too_few", {"minimum": 2})),
        ("1234", Problem("option.too_many", {"maximum": 3})),
        ("不晓得", Problem("option.not_found", {"maximum": 5})),
        ("", Problem("option.not_found", {"maximum": 5})),
    ],
)
def test_several_refused(text: str, problem: Problem) -> None:
    assert parse_options(text, SKILLS, minimum=2, maximum=3) == problem


HAN = st.text("春夏秋冬东南西北山水花鸟鱼虫风云雷电", min_size=2, max_size=5)
OPTION_LISTS = st.lists(HAN, min_size=1, max_size=12, unique=True).map(
    lambda labels: tuple(Option(str(place), label) for place, label in enumerate(labels))
)


@given(OPTION_LISTS, st.data(), st.sampled_from(["{}", "第{}个", "选{}", "{}、", "{}号", "我要第{}个嘛", " {} "]))
def test_every_number_chooses_its_option(options: tuple[Option, ...], data: st.DataObject, pattern: str) -> None:
    place = data.draw(st.integers(1, len(options)))
    assert parse_option(pattern.format(place), options) is options[place - 1]


@given(OPTION_LISTS, st.data(), st.sampled_from(["{}", "{}嘛", "选{}", "我要{}", "{}。"]))
def test_every_label_chooses_its_option(options: tuple[Option, ...], data: st.DataObject, pattern: str) -> None:
    option = data.draw(st.sampled_from(options))
    assert parse_option(pattern.format(option.label), options) is option


@given(OPTION_LISTS, st.data())
def test_several_keep_the_order_said(options: tuple[Option, ...], data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(1, len(options)), min_size=1, max_size=5, unique=True))
    chosen = parse_options("、".join(map(str, places)), options)
    assert chosen == tuple(options[place - 1] for place in places)
