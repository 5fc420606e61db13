"""One spelling for look-alike characters, and places that stay the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.values.characters import fold, fold_digits, normalise
from tests.values.strategies import messy_texts


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ＱＧ２６－０７１３", "QG26-0713"),
        ("①②⑩", "12⑩"),  # ⑩ would need two characters.
        ("7/15–8/14", "7/15-8/14"),
        ("１３８　００００", "138 0000"),
        ("a\u200bb\tc", "a b c"),
        ("𝟙𝟛𝟠", "138"),
        ("一，二。", "一,二。"),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("text", "digits"),
    [("幺三八", "138"), ("洞零〇", "000"), ("两二贰", "222"), ("十三个", "十3个"), ("１幺1", "111")],
)
def test_fold_digits(text: str, digits: str) -> None:
    assert fold_digits(text) == digits


@given(messy_texts() | st.text())
def test_folding_keeps_places(text: str) -> None:
    assert len(fold(text)) == len(fold_digits(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  杨  小芳\n", "杨 小芳"),
        ("杨\u200b小\ufeff芳", "杨小芳"),
        ("1️⃣", "1"),
        ("第⑩个", "第10个"),
        ("a\x00b\x1bc", "abc"),
        ("\u3000", ""),
    ],
)
def test_normalise(text: str, plain: str) -> None:
    assert normalise(text) == plain


@given(messy_texts() | st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert once == once.strip()
