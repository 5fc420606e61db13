"""The unified social credit code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.values.credit_code import ALPHABET, CreditCode, check_character, find_credit_codes, parse_credit_code
from bot.values.problem import Problem

COMPANY = "91520602MA6000008A"
UNION = "81520600MC0000012U"
LAWFUL_BUT_ODD = "91350203M0001QAY9B"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (COMPANY, COMPANY),
        (COMPANY.lower(), COMPANY),
        ("９１５２０６０２ＭＡ６０００００８Ａ", COMPANY),
        ("统一代码：91520602 MA6000008A。", COMPANY),
        ("915206O2MA6000008A", COMPANY),
        (UNION, UNION),
    ],
)
def test_code(text: str, code: str) -> None:
    assert parse_credit_code(text) == CreditCode(code)


def test_a_wrong_check_character_is_only_a_warning() -> None:
    code = parse_credit_code(LAWFUL_BUT_ODD)
    assert code == CreditCode(LAWFUL_BUT_ODD)
    assert isinstance(code, CreditCode)
    assert not code.is_checked
    assert CreditCode(COMPANY).is_checked
    assert find_credit_codes(LAWFUL_BUT_ODD) == ()


def test_unions_have_their_own_department() -> None:
    assert CreditCode(UNION).is_union
    assert not CreditCode(COMPANY).is_union


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (COMPANY[:-2], Problem("credit_code.too_short", {"missing": 2})),
        (COMPANY + "1", Problem("credit_code.too_long", {"extra": 1})),
        ("91520602MA6000008S", Problem("credit_code.bad_character", {"position": 18})),
        (f"{COMPANY}，{UNION}", Problem("credit_code.several")),
        ("没得", Problem("credit_code.not_found")),
        ("", Problem("credit_code.not_found")),
    ],
)
def test_refused(text: str, problem: Problem) -> None:
    assert parse_credit_code(text) == problem


@given(st.text(ALPHABET, min_size=17, max_size=17), st.sampled_from(["{}", "代码是{}", "{}。", " {} "]))
def test_a_code_is_read_back(first_seventeen: str, pattern: str) -> None:
    code = first_seventeen + check_character(first_seventeen)
    assert parse_credit_code(pattern.format(code)) == CreditCode(code)
    assert parse_credit_code(pattern.format(code.lower())) == CreditCode(code)
    assert [hit.value for hit in find_credit_codes(pattern.format(code))] == [CreditCode(code)]
