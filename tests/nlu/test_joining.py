"""Messages of two wishes, as the encoder's tuning puts them together from training texts."""

import numpy as np
import pytest

from nlu.tuning.joining import LONGEST_CHARS, joined

TEXTS = {
    "帮我查下报上没有": "check_status",
    "消费券在哪里领": "faq_coupons",
    "预约给我取消": "cancel_registration",
    "有人从楼上跳下来了": "crisis",
    "谢谢你": "thank",
    "你好": "greet",
    "今天吃的酸汤鱼": "chitchat",
}


def made(texts: dict[str, str], count: int = 200) -> list[tuple[str, str]]:
    return joined(list(texts), list(texts.values()), count, np.random.default_rng(0))


def test_what_is_asked_first_gives_the_label() -> None:
    for text, label in made(TEXTS):
        if "有人从楼上" not in text:
            assert TEXTS[next(first for first in TEXTS if text.startswith(first))] == label, text


def test_a_danger_counts_wherever_it_stands() -> None:
    dangers = [(text, label) for text, label in made(TEXTS) if "有人从楼上" in text]
    assert any(text.startswith("有人") for text, _ in dangers)
    assert any(not text.startswith("有人") for text, _ in dangers)
    assert {label for _, label in dangers} == {"crisis"}


def test_small_talk_and_greetings_are_no_wishes() -> None:
    assert not any("酸汤鱼" in text or "你好" in text or text.startswith("谢谢") for text, _ in made(TEXTS))


def test_stories_are_left_alone() -> None:
    long = {"我" * (LONGEST_CHARS + 1): "consult_lawyer"} | TEXTS
    assert not any("我我" in text for text, _ in made(long))


def test_the_same_dice_give_the_same_messages() -> None:
    assert made(TEXTS) == made(TEXTS)


@pytest.mark.parametrize(
    "texts", [{}, {"帮我查下": "check_status"}, {"帮我查下": "check_status", "查": "check_status"}]
)
def test_fewer_than_two_wishes_make_none(texts: dict[str, str]) -> None:
    assert made(texts) == []
