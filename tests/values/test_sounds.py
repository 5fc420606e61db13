"""How texts sound in the mouth of a speaker from Tongren and in a voice transcript."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.values.sounds import sound_distance, sounds_of

SYLLABLES = st.lists(st.sampled_from(["song", "tao", "bi", "jian"]), max_size=6).map(tuple)


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("松涛", "松桃"),
        ("塞查", "筛查"),
        ("姿寻", "咨询"),
        ("资工", "职工"),
        ("龙民工", "农民工"),
        ("发", "花"),
        ("中才", "仲裁"),
        ("因聘", "应聘"),
        ("青工检学", "勤工俭学"),
        ("两矮", "两癌"),
    ],
)
def test_these_sound_alike(heard: str, meant: str) -> None:
    assert sounds_of(heard) == sounds_of(meant)


@pytest.mark.parametrize(("first", "second"), [("松桃", "沿河"), ("碧江", "印江"), ("筛查", "检查")])
def test_these_do_not(first: str, second: str) -> None:
    assert sounds_of(first) != sounds_of(second)


@given(st.text(max_size=20))
def test_one_sound_a_character(text: str) -> None:
    assert len(sounds_of(text)) == len(text)


@given(SYLLABLES, SYLLABLES)
def test_distance_is_a_distance(first: tuple[str, ...], second: tuple[str, ...]) -> None:
    assert (sound_distance(first, second, 9) == 0) == (first == second)
    assert sound_distance(first, second, 9) == sound_distance(second, first, 9)
    assert sound_distance(first, second, 1) == min(sound_distance(first, second, 9), 2)
