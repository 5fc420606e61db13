"""What a pattern needs, told by its parsed form."""

import pytest

from bot.understanding.prefilter import Prefilter


@pytest.mark.parametrize(
    ("pattern", "may", "cannot"),
    [
        ("(喝|吃).{0,5}(农药|百草枯)", "喝药农", "喝草枯"),
        ("[甲乙]丙?丁", "乙丁", "乙丙"),
        ("(?<!不)想死(?!我)", "死想", "不想"),
        ("^救命$|着火", "火着", "救火"),
        ("(?:跳(?:楼|河))+", "河跳", "河"),
        ("[0-9]+(人|个)", "个3", "三个"),
        (".*", "", None),
        ("a?b*", "", None),
        (r"[^好]\d", "x", None),
        ("甲|", "", None),
    ],
)
def test_a_text_that_lacks_what_is_needed_is_no_candidate(pattern: str, may: str, cannot: str | None) -> None:
    prefilter = Prefilter([pattern])
    assert prefilter.candidates(may) == {0}
    if cannot is not None:
        assert prefilter.candidates(cannot) == set()


def test_places_are_those_of_the_list() -> None:
    assert Prefilter(["甲", "乙", "(?:丙)", "甲乙"]).candidates("乙甲") == {0, 1, 3}
