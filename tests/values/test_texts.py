"""Free text, masks and questions."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.values.characters import fold_digits
from bot.values.problem import Problem
from bot.values.texts import looks_like_question, mask_number, mask_personal, parse_free_text, tidy
from tests.values.strategies import decorated, identity_numbers, messy_texts, mobiles


def test_tidy_keeps_lines_and_punctuation() -> None:
    assert tidy("  老板跑路咯，\r\n\r\n 三个月\t工资……没得。 \u200b\x07 ") == "老板跑路咯，\n三个月 工资……没得。"


def test_free_text_limits() -> None:
    assert parse_free_text(" 三个月没发工资 ", max_chars=10) == "三个月没发工资"
    assert parse_free_text("\u200b \n", max_chars=10) == Problem("text.empty")
    assert parse_free_text("短", max_chars=10, min_chars=2) == Problem("text.too_short", {"minimum": 2})
    assert parse_free_text("字" * 13, max_chars=10) == Problem("text.too_long", {"maximum": 10, "extra": 3})
    assert parse_free_text("字" * 10, max_chars=10) == "字" * 10


@given(messy_texts(), st.integers(1, 60))
def test_free_text_is_within_its_limit(text: str, limit: int) -> None:
    result = parse_free_text(text, max_chars=limit)
    if isinstance(result, str):
        assert 1 <= len(result) <= limit
        assert result == tidy(result)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("我电话13800000000，身份证520602199003079980谢谢", "我电话138****0000，身份证520*************80谢谢"),
        ("一三八零零零零零零零零", "138****0000"),
        ("138 0000 0000", "138****0000"),
        ("+86 138-0000-0000", "+861********00"),
        ("5 13800000000 5", "5 138****0000 5"),
        ("138嗯0000呃0000", "138****0000"),
        ("打138双五六七八九零一嘛", "打138*****01嘛"),
        ("520602 19900307 9980", "520*************80"),
        ("52062520120901997x", "520*************7x"),
        ("52062520120901997叉", "520************97"),
        ("52060219900307998", "520************98"),
        ("卡号6222 0212 3456 7890 123", "卡号622**************23"),
        ("护照E12345678，通行证H1234567801", "护照E12****78，通行证H12******01"),
        ("E12345678 13800000000", "E12****78 138****0000"),
        ("QG26-0713-0042 13800000000", "QG26-0713-0042 138****0000"),
        ("座机0856-5220000", "座机085******00"),
    ],
)
def test_personal_numbers_are_masked(text: str, masked: str) -> None:
    assert mask_personal(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "QG26-0713-0042",
        "qg2607130042查一下",
        "2026-07-01 08:30 到 2026-07-10 09:00",
        "2026-07-01 - 2026-07-10",
        "20260701-20260710",
        "3000块 13人 12351",
        "91520602MA6000008A",
        "打12345或者12356",
        "杨小芳说：要得！",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert mask_personal(text) == text


def _longest_run_of_digits(masked: str) -> int:
    return max(len(run) for run in re.split("[^0-9]+", re.sub(r"[\s-]", "", fold_digits(masked))))


@given(decorated(identity_numbers()))
def test_an_identity_number_never_gets_through(pair: tuple[str, str]) -> None:
    number, text = pair
    masked = mask_personal(text)
    assert _longest_run_of_digits(masked) <= 3
    assert number[:3] in masked


@given(decorated(mobiles()))
def test_a_mobile_never_gets_through(pair: tuple[str, str]) -> None:
    number, text = pair
    masked = mask_personal(text)
    assert _longest_run_of_digits(masked) <= 4
    assert f"{number[:3]}****{number[7:]}" in masked


@given(messy_texts(), decorated(mobiles() | identity_numbers()), messy_texts())
def test_what_stands_around_a_number_changes_nothing(before: str, pair: tuple[str, str], after: str) -> None:
    parts = (before, pair[1], after)
    assert mask_personal("。".join(parts)) == "。".join(mask_personal(part) for part in parts)


@given(messy_texts())
def test_masking_twice_changes_nothing(text: str) -> None:
    once = mask_personal(text)
    assert mask_personal(once) == once


@given(st.text("0123456789ABXabx", max_size=24))
def test_a_masked_number_shows_seven_characters_at_most(number: str) -> None:
    masked = mask_number(number)
    assert len(masked) == len(number)
    assert len(masked.replace("*", "")) <= 7
    assert len(number) < 9 or "*" * 3 in masked


ASKING = (
    "补贴好多钱一个月哦 勒个暑假勤工俭学咋个报名嘛 工会得不得行 要得不? 可以报不 有没得工会的活路 "
    "娃儿才15,干得不 报起了好久有消息 能不能去上班 钱几时打卡里头 满员了还能等不 行不 你是真人还是机器? "
    "开始报名没 今年两癌筛查好久开始报名 检查完了没有 可以吗 要哪样证件 律师要不要钱 行不行 同不同意 "
    "愿不愿意 得行不嘛 哪个 N+1是哪样意思 咋整 啷个办 书屋在哪点 为啥退回我 多大才得报嘛？ 几点关门"
)
TELLING = (
    "要得 不 我不 没得 还没得 不同意 好嘛要得 随便哪个都行 杨小芳 什么都可以 等了好久了 不不不 我没有 "
    "还没 三十几个人 松桃嘞 好多人都没拿到钱 要不得 好嘛 没问题 搞不成 我不晓得 都行 不行不行 "
    "老板跑路咯,三个月工资没得 第二个 13800000000"
)


@pytest.mark.parametrize("text", ASKING.split(" "))
def test_questions(text: str) -> None:
    assert looks_like_question(text)


@pytest.mark.parametrize("text", [*TELLING.split(" "), "", "。"])
def test_no_questions(text: str) -> None:
    assert not looks_like_question(text)
