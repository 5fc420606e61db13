"""Mobiles and landlines in every form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.values.phones import (
    Landline,
    Mobile,
    find_landlines,
    find_mobiles,
    parse_landline,
    parse_mobile,
    parse_phone,
)
from bot.values.problem import Problem
from tests.values.strategies import decorated, messy_texts, mobiles, spoken_mobiles

NUMBER = "13800000000"
FORMS = (
    "13800000000",
    "138 0000 0000",
    "138-0000-0000",
    "138.0000.0000",
    "１３８００００００００",
    "+86 13800000000",
    "+8613800000000",
    "(+86)13800000000",
    "8613800000000",
    "008613800000000",
    "0086 138 0000 0000",
    "一三八零零零零零零零零",
    "幺三八洞洞洞洞洞洞洞洞",
    "幺三八 四个零 四个零",
    "一三八，零零零零，零零零零",
    "我的电话是13800000000嘛",
    "13800000000转李姐",
    "13800000000 5个人",
    "电话：13800000000。",
)
TOLD = {
    "要三八五六七八九零一二": "13856789012",
    "妖三八 五六七八 九零腰二": "13856789012",
    "幺三八洞洞幺二拐勾两五": "13800127925",
    "一百三十八五六七八九零一二": "13856789012",
    "138双五六七八九零一": "13855678901",
    "138三个八两个六零一二": "13888866012",
    "138仨八俩六零一二": "13888866012",
    "138嗯5678呃9012": "13856789012",
    "138后面是五六七八然后九零一二": "13856789012",
    "我的电话是幺三八五六七八九零幺二哈": "13856789012",
    "我叫龙小芳，电话一三八三个八四个六二，碧江的": "13888866662",
}
"""As told aloud, or as a voice transcript has it."""


@pytest.mark.parametrize("text", TOLD)
def test_a_mobile_as_it_is_told(text: str) -> None:
    assert parse_mobile(text) == Mobile(TOLD[text])
    (hit,) = find_mobiles(text)
    assert hit.value == Mobile(TOLD[text])
    assert find_mobiles(text[hit.start : hit.end])[0].value == hit.value


@given(spoken_mobiles())
def test_a_mobile_survives_being_told(pair: tuple[str, str]) -> None:
    number, text = pair
    assert parse_mobile(text) == Mobile(number)


def test_a_plain_number_beside_a_spoken_one() -> None:
    assert parse_mobile("我们三个13800000000") == Mobile(NUMBER)
    found = [hit.value.text for hit in find_mobiles("138双五六七八九零一 或者 13900000000")]
    assert found == ["13855678901", "13900000000"]


@pytest.mark.parametrize("text", ["三个八是啥", "我们三个一起来，要8个位子", "不要3个", "等到5月，然后6月"])
def test_words_between_digits_make_no_number(text: str) -> None:
    assert find_mobiles(text) == ()


@pytest.mark.parametrize("text", FORMS)
def test_mobile_in_every_form(text: str) -> None:
    assert parse_mobile(text) == Mobile(NUMBER)


@pytest.mark.parametrize("number", ["16200000000", "17000000000", "19900000000", "14100000000"])
def test_no_carrier_is_refused(number: str) -> None:
    assert parse_mobile(number) == Mobile(number)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1380000000", Problem("mobile.too_short", {"missing": 1})),
        ("138000", Problem("mobile.too_short", {"missing": 5})),
        ("138000000000", Problem("mobile.too_long", {"extra": 1})),
        ("138 0000 0000 5", Problem("mobile.too_long", {"extra": 1})),
        ("23800000000", Problem("mobile.not_a_mobile")),
        ("12000000000", Problem("mobile.not_a_mobile")),
        ("0856-5220000", Problem("mobile.landline")),
        ("520602199003079980", Problem("mobile.too_long", {"extra": 7})),
        ("13800000000 13900000000", Problem("mobile.several")),
        ("不晓得", Problem("mobile.not_found")),
        ("138", Problem("mobile.not_found")),
        ("", Problem("mobile.not_found")),
    ],
)
def test_mobile_refused(text: str, problem: Problem) -> None:
    assert parse_mobile(text) == problem


def test_the_same_number_twice_is_one() -> None:
    assert parse_mobile("13800000000 就是 138 0000 0000") == Mobile(NUMBER)


@given(decorated(mobiles()))
def test_a_mobile_survives_its_decorations(pair: tuple[str, str]) -> None:
    number, text = pair
    assert parse_mobile(text) == Mobile(number)


@given(mobiles())
def test_a_mobile_never_shows_itself(number: str) -> None:
    mobile = Mobile(number)
    assert mobile.masked() == f"{number[:3]}****{number[7:]}"
    for shown in (repr(mobile), str(mobile), f"{mobile}"):
        assert number not in shown
        assert number[3:7] not in shown.replace(number[:3], "", 1).replace(number[7:], "", 1)


@given(mobiles(), messy_texts())
def test_found_mobiles_are_mobiles(number: str, text: str) -> None:
    for hit in find_mobiles(f"{text} {number}，{text}"):
        assert len(hit.value.text) == 11
        assert hit.value.text.startswith("1")


@pytest.mark.parametrize(
    "text", ["520602199003079980", "520602 19900307998", "QG26-0713-0042", "6222021234567890123", "12351"]
)
def test_parts_of_other_numbers_are_no_mobiles(text: str) -> None:
    assert find_mobiles(text) == ()


def test_places_of_mobiles() -> None:
    text = "孩子１３８００００００００,我的是+86 139 0000 0001"
    first, second = find_mobiles(text)
    assert text[first.start : first.end] == "１３８００００００００"
    assert text[second.start : second.end] == "+86 139 0000 0001"


@pytest.mark.parametrize(
    ("text", "landline"),
    [
        ("0856-5220000", Landline("0856", "5220000")),
        ("08565220000", Landline("0856", "5220000")),
        ("(0856)522 0000", Landline("0856", "5220000")),
        ("010-12345678", None),  # A local number never starts with 1.
        ("0851-85220000转8003", Landline("0851", "85220000", "8003")),
        ("单位电话0856-5220000-12", Landline("0856", "5220000", "12")),
    ],
)
def test_landline(text: str, landline: Landline | None) -> None:
    result = parse_landline(text)
    assert result == (landline or Problem("landline.not_found"))


def test_landline_problems_and_masks() -> None:
    assert parse_landline("5220000") == Problem("landline.no_area_code")
    assert parse_landline("0856-5220000 0856-5220001") == Problem("landline.several")
    assert Landline("0856", "5220000", "8").text == "0856-5220000-8"
    assert str(Landline("0856", "5220000")) == "Landline(0856-*****00)"
    assert [hit.value.local for hit in find_landlines("打0856-5220000或者0856-5220001")] == ["5220000", "5220001"]


def test_phone_takes_both() -> None:
    assert parse_phone(NUMBER) == Mobile(NUMBER)
    assert parse_phone("0856-5220000") == Landline("0856", "5220000")
    assert parse_phone("5220000") == Problem("landline.no_area_code")
    assert parse_phone("1380000000") == Problem("mobile.too_short", {"missing": 1})


@given(st.from_regex(r"\A0(?:10|2[0-9]|[3-9][0-9]{2})\Z"), st.from_regex(r"\A[2-9][0-9]{6,7}\Z"))
def test_landlines_are_read_back(area: str, local: str) -> None:
    landline = Landline(area, local)
    assert parse_landline(landline.text) == landline
