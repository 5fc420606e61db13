"""What people type into a form, as they type it."""

import pytest
from multidict import MultiDict

from bot.console.forms import Form


@pytest.mark.parametrize(("typed", "number"), [("1200", 1200), ("1,200", 1200), ("1，200", 1200), (" 7 ", 7)])
def test_a_number_is_read_as_it_is_shown(typed: str, number: int) -> None:
    form = Form(MultiDict(count=typed))
    assert form.number("count", "人数", least=1, most=5000) == number
    assert not form.problems


@pytest.mark.parametrize("typed", ["1.5", "一百", "12a", ","])
def test_what_is_no_number_is_said(typed: str) -> None:
    form = Form(MultiDict(count=typed))
    assert form.number("count", "人数", least=1, most=5000) is None
    assert form.problems["count"].code == "form.not_a_number"
