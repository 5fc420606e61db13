"""Nothing personal is trained on: stand-ins for what is found, a refusal for what may be left."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.review.stand_ins import problem_of, still_personal, trainable
from bot.values.texts import mask_personal


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("我叫龙小芳，电话138 0000 1234，想报勤工俭学", "我叫某某，电话电话号码，想报勤工俭学"),
        ("身份证522221199001011234能报不", "身份证身份证号能报不"),
        ("一三八零零零零一二三四 打我电话", "电话号码 打我电话"),
        ("5220000没人接", "号码没人接"),
        ("0856-5220000打不通", "号码打不通"),
        ("护照E12345678可以吗", "护照号码可以吗"),
        ("QG26-0713-0042到哪了", "受理编号到哪了"),
        ("发我邮箱 a.b@qq.com", "发我邮箱 邮箱"),
        ("王老板不给钱", "某老板不给钱"),
        ("王建国师傅欠我工资", "某某师傅欠我工资"),
        ("我老公张三强被打了", "我老公某某被打了"),
        ("我是张三强", "我是某某"),
        ("补贴3000块，一天200，2026年6月18日", "补贴3000块，一天200，2026年6月18日"),
        ("我们老板跑了，老师你好", "我们老板跑了，老师你好"),
        ("用WECHAT登录APP", "用WECHAT登录APP"),
        ("包工头和老板都跑了", "包工头和老板都跑了"),
        ("第一行\n第二行", "第一行 第二行"),
        ('[你好]{"entity": "x"}', '【你好】｛"entity": "x"｝'),
        ("/greet", "greet"),
    ],
)
def test_stand_ins(said: str, line: str) -> None:
    assert trainable(mask_personal(said)) == line
    assert trainable(said) == line
    assert still_personal(line) is None


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("微信号abc12345", "account"),
        ("住在3栋2单元", "house"),
        ("贵D12345车被扣", "plate"),
        ("打1 3 8 0 0 0 0 1 2 3 4", "digits"),
        ("打一三八零零零零一二三四", "digits"),
        ("写信给a@b", "mail"),
        ("138****1234", "masked"),
        ("我叫龙小芳", "name"),
    ],
)
def test_what_still_looks_personal_is_refused(line: str, what: str) -> None:
    assert still_personal(line) == what
    assert problem_of(line, "greet") == what


@pytest.mark.parametrize(("line", "label", "problem"), [("你好", "hello", "intent"), ("……", "greet", "empty")])
def test_what_is_no_line_at_all(line: str, label: str, problem: str) -> None:
    assert problem_of(line, label) == problem
    assert problem_of("你好" * 200, "greet") == "long"


@given(
    st.text(alphabet="我的号码电话工资报名，。 \n[]{}*/-", max_size=12),
    st.text(alphabet=string.digits, min_size=7, max_size=20),
    st.text(alphabet="我的号码电话工资报名，。 \n[]{}*/-", max_size=12),
)
def test_no_long_number_gets_through(before: str, number: str, after: str) -> None:
    line = trainable(before + number + after)
    assert number not in line
    assert still_personal(line) is None
    assert "\n" not in line
    assert not set(line) & set("[]{}")


@given(st.text(max_size=60))
def test_a_line_is_its_own_line(text: str) -> None:
    line = trainable(text)
    assert trainable(line) == line
