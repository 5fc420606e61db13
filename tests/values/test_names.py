"""Names of persons. All persons are invented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.values.names import PersonName, find_names, parse_name
from bot.values.problem import Problem
from bot.values.surnames import COMPOUND_SURNAMES, SURNAMES

LEAD_INS = (
    "杨小芳",
    "我叫杨小芳",
    "我是杨小芳嘛",
    "是杨小芳",
    "本人杨小芳",
    "名字是杨小芳",
    "姓名：杨小芳。",
    "娃儿叫杨小芳哈",
    "我家娃儿名字叫杨小芳",
    "我女儿叫杨小芳,读大二",
    "紧急联系人杨小芳",
    "联系人:杨小芳",
    "我姓杨,叫杨小芳",
    "我姓杨叫小芳",
    "杨 小 芳",
    "杨 小芳",
    "杨小 芳",
    "杨小芳女士",
    "“杨小芳”",
    "杨小芳是我",
    "杨小芳，是我的名字",
    "杨小芳嘞",
    "杨小芳 铜仁学院大二护理",
    "杨小芳13800000000",
    "杨小芳，女",
    "杨小芳（女）",
    "杨 小芳 女",
    "杨小芳老师",
    "杨小芳,今年大二",
    "杨小芳 高三",
    "你好，我叫杨小芳",
    "杨\u200b小芳",
)


@pytest.mark.parametrize(
    "text",
    [
        "他舅舅李大勇",
        "他舅妈李大勇",
        "伯母李大勇",
        "舅舅李大勇",
        "她妈李大勇",
        "娃儿他老汉李大勇嘛",
        "孩子舅舅 李大勇",
        "找他二叔李大勇",
        "我表哥叫李大勇",
    ],
)
def test_whose_name_it_is_may_stand_before_it(text: str) -> None:
    assert parse_name(text) == PersonName("李大勇")


@pytest.mark.parametrize("text", ["舅舅", "他舅舅", "婆婆", "表哥", "妹妹来报名"])
def test_a_relative_alone_is_no_name(text: str) -> None:
    assert isinstance(parse_name(text), Problem)


@pytest.mark.parametrize("text", ["安妹妹", "杨婆婆", "李伯勇"])
def test_a_surname_before_such_a_word_makes_a_name(text: str) -> None:
    assert parse_name(text) == PersonName(text)


@pytest.mark.parametrize("text", LEAD_INS)
def test_a_name_without_what_surrounds_it(text: str) -> None:
    assert parse_name(text) == PersonName("杨小芳")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("张三", "张三"),
        ("欧阳小芳", "欧阳小芳"),
        ("欧阳 小芳", "欧阳小芳"),
        ("杨欧·阿妹", "杨欧·阿妹"),
        ("杨欧•阿妹", "杨欧·阿妹"),
        ("杨欧・阿妹", "杨欧·阿妹"),
        ("杨欧．阿妹", "杨欧·阿妹"),
        ("杨欧。阿妹", "杨欧·阿妹"),
        ("杨欧 · 阿妹", "杨欧·阿妹"),
        ("阿卜杜拉·买买提·艾合买提江", "阿卜杜拉·买买提·艾合买提江"),
        ("买买提艾合买提江", "买买提艾合买提江"),
        ("阿不力孜", "阿不力孜"),
        ("王𬱖", "王𬱖"),
        ("𬭊𫍽", "𬭊𫍽"),
        ("㛃珅", "㛃珅"),
        ("John Smith", "John Smith"),
        ("Mary-Ann O'Neil", "Mary-Ann O'Neil"),
        ("小芳", "小芳"),
        ("周一鸣", "周一鸣"),
        ("莫小芳", "莫小芳"),
        ("和小芳", "和小芳"),
        ("高中华", "高中华"),
    ],
)
def test_names_of_every_kind(text: str, name: str) -> None:
    assert parse_name(text) == PersonName(name)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "name.empty"),
        ("杨", "name.too_short"),
        ("杨女士", "name.too_short"),
        ("杨" * 31, "name.too_long"),
        ("13800000000", "name.has_digits"),
        ("一三八零零", "name.has_digits"),
        ("张三 李四", "name.several"),
        ("杨😀", "name.bad_character"),
        ("杨*芳", "name.bad_character"),
        ("你叫哪样名字", "name.question"),
        ("为啥要名字", "name.question"),
        ("要名字搞哪样?", "name.question"),
        ("我不想说", "name.not_a_name"),
        ("不晓得", "name.not_a_name"),
        ("没得", "name.not_a_name"),
        ("取消", "name.not_a_name"),
        ("要得", "name.not_a_name"),
        ("转人工", "name.not_a_name"),
        ("铜仁学院", "name.not_a_name"),
        ("某某公司", "name.not_a_name"),
        ("高中", "name.not_a_name"),
        ("周三", "name.not_a_name"),
        ("我是松桃的", "name.not_a_name"),
        ("我娃儿读大二", "name.not_a_name"),
        ("重新来", "name.not_a_name"),
        ("莫整了嘛", "name.not_a_name"),
        ("莫问", "name.not_a_name"),
        ("我是杨小芳的妈妈", "name.not_a_name"),
        ("学生：杨小芳 家长：杨小明", "name.several"),
    ],
)
def test_what_is_no_name(text: str, code: str) -> None:
    result = parse_name(text)
    assert isinstance(result, Problem)
    assert result.code == code


@pytest.mark.parametrize("name", ["任我行", "王了一", "高工作", "都小芳"])
def test_an_odd_name_is_taken_when_it_is_called_a_name(name: str) -> None:
    assert parse_name(name) == Problem("name.not_a_name")
    assert parse_name(f"我叫{name}") == PersonName(name)
    assert parse_name("我叫了车") == Problem("name.not_a_name")


GIVEN_NAME_CHARS = "小芳明丽军霞建国秀英志强桂兰玉梅涛燕晓宇𬱖㛃"


@st.composite
def names(draw: st.DrawFn) -> str:
    # 别 and 都 are surnames too, but so rare that a bare 别… or 都… is taken for speech until 我叫 stands before it.
    surname: str = draw(st.sampled_from(sorted((SURNAMES | COMPOUND_SURNAMES) - {"别", "都"})))
    given_name: str = draw(st.text(GIVEN_NAME_CHARS, min_size=1, max_size=2))
    return surname + given_name


@given(names(), st.sampled_from(["{}", "我叫{}", "姓名:{}", "娃儿叫{}嘛", "{}。", "  {} ", "孩子的名字是{}"]))
def test_a_chinese_name_survives_its_decorations(name: str, pattern: str) -> None:
    assert parse_name(pattern.format(name)) == PersonName(name)


@given(st.text(GIVEN_NAME_CHARS, min_size=2, max_size=10), st.text(GIVEN_NAME_CHARS, min_size=1, max_size=10))
def test_a_dotted_name_is_kept(first: str, second: str) -> None:
    assert parse_name(f"{first}•{second}") == PersonName(f"{first}·{second}")


@pytest.mark.parametrize(
    ("name", "masked"),
    [("张三", "张*"), ("杨小明", "杨*明"), ("欧阳小芳", "欧**芳"), ("杨欧·阿妹", "杨***妹"), ("王𬱖", "王*")],
)
def test_mask(name: str, masked: str) -> None:
    assert PersonName(name).masked() == masked


@given(names())
def test_a_name_never_shows_itself(name: str) -> None:
    person = PersonName(name)
    for shown in (repr(person), str(person), f"{person}"):
        assert name not in shown
        assert shown.count("*") == max(1, len(name) - 2)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("孩子叫龙小妹 身份证520602199003079980", ["龙小妹"]),
        ("我是石小花，松桃上班", ["石小花"]),
        ("我叫杨小芳，娃儿叫杨小明", ["杨小芳", "杨小明"]),
        ("姓名:杨欧·阿妹,女", ["杨欧·阿妹"]),
        ("我是石阡人", []),
        ("我是农民工", []),
        ("我叫了车", []),
        ("杨小芳 铜仁学院", []),  # Nothing says that it is a name.
        ("工会喊我交钱", []),
    ],
)
def test_find_names(text: str, found: list[str]) -> None:
    assert [hit.value.text for hit in find_names(text)] == found


def test_places_of_names() -> None:
    text = "我姓杨,叫小芳"
    (hit,) = find_names(text)
    assert (hit.value, text[hit.start : hit.end]) == (PersonName("杨小芳"), "杨,叫小芳")


@pytest.mark.parametrize(
    ("text", "name"), [("弓长张三丰", "张三丰"), ("木子李小明", "李小明"), ("我叫耳东陈大山", "陈大山")]
)
def test_how_a_surname_is_written_is_no_part_of_it(text: str, name: str) -> None:
    assert parse_name(text) == PersonName(name)
