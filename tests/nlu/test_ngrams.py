"""N-grams of what was written and of what was heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.components.ngrams import char_ngrams, fuzzy, sound_ngrams, sounds, spelt
from nlu.components.normal_form import normalise


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("姿寻", "咨询"),
        ("塞查", "筛查"),
        ("公会", "工会"),
        ("龙民工", "农民工"),
        ("工资没花", "工资没发"),
        ("中才", "仲裁"),
        ("因聘", "应聘"),
        ("勤工减学", "勤工俭学"),
        ("消废券", "消费券"),
        ("护助", "互助"),
        ("资工", "职工"),
    ],
)
def test_homophones_of_the_dialect_sound_alike(heard: str, meant: str) -> None:
    assert sounds(heard) == sounds(meant)


@pytest.mark.parametrize(("one", "other"), [("报名", "取消"), ("筛查", "律师"), ("好", "号码"), ("发", "哈")])
def test_other_words_do_not(one: str, other: str) -> None:
    assert sounds(one) != sounds(other)


@pytest.mark.parametrize(
    ("syllable", "merged"),
    [("zhong", "zon"), ("shai", "sai"), ("nong", "lon"), ("hua", "fa"), ("hui", "fei"), ("hu", "fu"), ("he", "he")],
)
def test_fuzzy_classes(syllable: str, merged: str) -> None:
    assert fuzzy(syllable) == merged


def test_width_case_and_blanks_do_not_matter() -> None:
    assert normalise("ＡＰＰ 打不开") == "app打不开"
    assert char_ngrams("A P P", 2) == char_ngrams("app", 2)


def test_runs_of_one_character_are_cut() -> None:
    assert normalise("哈哈哈哈哈哈") == normalise("哈哈哈")


def test_latin_words_and_numbers_stay_whole_in_sounds() -> None:
    assert sounds("app登12351") == ["app", "den", "12351"]


@pytest.mark.parametrize(
    ("spelling", "characters"),
    [
        ("wo bu xiang huo le", "我不想活了"),
        ("WOXIANGZHAOLVSHI", "我想找律师"),
        ("xiaofeiquan 在哪领", "消费券在哪领"),
    ],
)
def test_sounds_in_latin_letters_are_those_of_the_characters(spelling: str, characters: str) -> None:
    assert sounds(spelling) == sounds(characters)


@pytest.mark.parametrize("word", ["app", "hello", "wifi", "kpi", "ppt", "vip", "hpv", "ktv", "ng", "pass", "qq", ""])
def test_other_latin_words_are_not_taken_apart(word: str) -> None:
    assert spelt(word) == ()


def test_a_syllable_is_as_long_as_the_rest_allows() -> None:
    assert spelt("xian") == ("xian",)
    assert spelt("xiang") == ("xiang",)
    assert spelt("xiangu") == ("xian", "gu")


def test_the_longest_message_of_the_platform_is_taken_apart() -> None:
    assert spelt("ba" * 1024) == ("ba",) * 1024
    assert spelt("ba" * 1024 + "v") == ()


def test_spelt_out_chinese_has_no_character_n_grams() -> None:
    assert char_ngrams("wo xiang si", 3) == []
    assert char_ngrams("app le", 1) == char_ngrams("apple", 1)
    assert char_ngrams("xiaofeiquan在哪", 1) == char_ngrams("在哪", 1)


@given(st.text(alphabet=st.characters(exclude_categories=["Lu", "Ll"]), max_size=60), st.integers(1, 4))
def test_any_text_has_n_grams_of_every_size_that_fits(text: str, longest: int) -> None:
    units = list(normalise(text))
    grams = char_ngrams(text, longest)
    assert all(gram.count("\x1f") < longest for gram in grams)
    assert [gram for gram in grams if "\x1f" not in gram] == [unit for unit in units if unit not in {"^", "$"}]
    assert sound_ngrams(text, longest) is not None
