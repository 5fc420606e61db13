"""The 18-character identity number. Every number here is synthetic: its order code is never given out."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.values.identity import (
    IdentityNumber,
    Sex,
    check_character,
    find_identity_numbers,
    parse_identity_number,
    upgrade_fifteen,
)
from bot.values.problem import Problem
from tests.values.strategies import TODAY, decorated, identity_numbers, messy_texts

WOMAN = "520602199003079980"
SYNTHETIC = {
    WOMAN: (Sex.FEMALE, date(1990, 3, 7)),
    "520603198504129976": (Sex.MALE, date(1985, 4, 12)),
    "522222197801019989": (Sex.FEMALE, date(1978, 1, 1)),
    "522229198802299985": (Sex.FEMALE, date(1988, 2, 29)),
    "520627200002299984": (Sex.FEMALE, date(2000, 2, 29)),
    "52062520120901997X": (Sex.MALE, date(2012, 9, 1)),
    "810000199001019988": (Sex.FEMALE, date(1990, 1, 1)),
    "11010519491231002X": (Sex.FEMALE, date(1949, 12, 31)),  # The example of the standard itself.
}


@pytest.mark.parametrize("number", SYNTHETIC)
def test_numbers_of_the_reference(number: str) -> None:
    identity = parse_identity_number(number, TODAY)
    assert identity == IdentityNumber(number)
    assert (identity.sex, identity.birth_date) == SYNTHETIC[number]


@pytest.mark.parametrize(
    "text",
    [
        "520602 19900307 9980",
        "520602-1990-03-07-9980",
        "５２０６０２１９９００３０７９９８０",
        "五二零六零二一九九零零三零七九九八零",
        "五二洞六洞二幺九九洞洞三洞七九九八洞",
        "身份证号：520602199003079980，谢谢",
        "我的身份证是520602199003079980嘛",
        "5206O2199003079980",
        "520602l99003079980",
        "杨小芳 520602199003079980 13800000000",
        "13800000000 520602199003079980",
        "5206\u200b02199003079980",
    ],
)
def test_number_in_every_form(text: str) -> None:
    assert parse_identity_number(text, TODAY) == IdentityNumber(WOMAN)


@pytest.mark.parametrize("last", ["x", "X", "Ｘ", "叉", "艾克斯", "×", " x", "叉叉"])
def test_a_spoken_x(last: str) -> None:
    assert parse_identity_number(f"52062520120901997{last}", TODAY) == IdentityNumber("52062520120901997X")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("52060219900307998", Problem("identity.too_short", {"missing": 1})),
        ("52060219900307", Problem("identity.too_short", {"missing": 4})),
        ("5206021990030799800", Problem("identity.too_long", {"extra": 1})),
        ("520602a99003079980", Problem("identity.bad_character", {"position": 7})),
        ("520602?99003079980", Problem("identity.bad_character", {"position": 7})),
        ("52060219900307998A", Problem("identity.too_short", {"missing": 1})),
        ("5206X2199003079980", Problem("identity.bad_character", {"position": 5})),
        ("520602199002309980", Problem("identity.impossible_date")),
        ("520602199013019980", Problem("identity.impossible_date")),
        ("520602190002299980", Problem("identity.impossible_date")),
        ("520602202606189980", Problem("identity.future_date")),
        ("520602190001019980", Problem("identity.age")),
        ("520602199003079981", Problem("identity.check_digit")),
        ("52222120060101000X", Problem("identity.check_digit")),
        ("522201780101997", Problem("identity.fifteen_digits")),
        ("522201789901997", Problem("identity.too_short", {"missing": 3})),
        ("身份证52060219900307998 电话13800000000", Problem("identity.too_short", {"missing": 1})),
        (f"{WOMAN}和520603198504129976", Problem("identity.several")),
        ("不晓得", Problem("identity.not_found")),
        ("1234", Problem("identity.not_found")),
        ("", Problem("identity.not_found")),
    ],
)
def test_faults_in_their_order(text: str, problem: Problem) -> None:
    assert parse_identity_number(text, TODAY) == problem


@given(decorated(identity_numbers()))
def test_a_number_survives_its_decorations(pair: tuple[str, str]) -> None:
    number, text = pair
    assert parse_identity_number(text, TODAY) == IdentityNumber(number)


@pytest.mark.parametrize("area", ["520602", "522201", "522230", "810000", "830000", "911156", "999999", "000000"])
def test_no_area_is_refused(area: str) -> None:
    digits = f"{area}19900307998"
    assert parse_identity_number(digits + check_character(digits), TODAY) == IdentityNumber(
        digits + check_character(digits)
    )


@given(identity_numbers(), st.integers(0, 17), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(number: str, place: int, shift: int) -> None:
    if not number[place].isdigit():
        return
    wrong = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]
    assert isinstance(parse_identity_number(wrong, TODAY), Problem)
    assert find_identity_numbers(wrong, TODAY) == ()


@given(identity_numbers(), st.integers(0, 15))
def test_two_digits_swapped_are_noticed(number: str, place: int) -> None:
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if swapped != number:
        assert isinstance(parse_identity_number(swapped, TODAY), Problem)


@pytest.mark.parametrize(
    ("day", "age"),
    [
        (date(2026, 2, 27), 25),
        (date(2026, 2, 28), 25),
        (date(2026, 3, 1), 26),
        (date(2028, 2, 28), 27),
        (date(2028, 2, 29), 28),
    ],
)
def test_a_leap_day_child_is_older_on_the_first_of_march(day: date, age: int) -> None:
    assert IdentityNumber("520627200002299984").age_on(day) == age


@given(identity_numbers(), st.integers(0, 40_000))
def test_age_grows_by_one_on_a_birthday(number: str, days: int) -> None:
    identity = IdentityNumber(number)
    day = identity.birth_date + timedelta(days=days)
    assert 0 <= identity.age_on(day + timedelta(days=1)) - identity.age_on(day) <= 1
    assert identity.age_on(identity.birth_date) == 0


def test_mask() -> None:
    assert IdentityNumber(WOMAN).masked() == "520*************80"


@given(identity_numbers())
def test_a_number_never_shows_itself(number: str) -> None:
    identity = IdentityNumber(number)
    for shown in (repr(identity), str(identity), f"{identity}", repr([identity])):
        assert number[3:16] not in shown
        assert number[6:14] not in shown


@given(identity_numbers(), messy_texts())
def test_a_number_in_a_sentence_is_found(number: str, text: str) -> None:
    places = [(hit.start, hit.end) for hit in find_identity_numbers(f"{text}，{number}。{text}", TODAY)]
    assert (len(text) + 1, len(text) + 19) in places


@pytest.mark.parametrize(
    "text", ["13800000000", "6222021234567890123", "52060219900307998", "5206021990030799801", "2026-07-15"]
)
def test_other_numbers_are_not_found(text: str) -> None:
    assert find_identity_numbers(text, TODAY) == ()


def test_an_old_number_becomes_a_candidate() -> None:
    assert upgrade_fifteen("522201780101997", TODAY) == IdentityNumber("522201197801019979")
    assert upgrade_fifteen("52220178010199", TODAY) == Problem("identity.not_fifteen_digits")
    assert upgrade_fifteen("522201780230997", TODAY) == Problem("identity.impossible_date")
