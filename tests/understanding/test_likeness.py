"""Near-duplicates by the index are those that comparing each with each finds."""

import random

import pytest

from bot.understanding.likeness import LONG_CHARS, bare, likeness, near_duplicates

SIGNS = "我你要想问下报名工会的了吗律师钱一二三"


def worn_texts() -> list[str]:
    """Return texts of all lengths, many of them a few changes apart and some of them equal but for a mark."""
    dice = random.Random(7)  # noqa: S311 - Not a secret, only repeatable.
    texts = ["".join(dice.choices(SIGNS, k=dice.randint(1, 24))) for _ in range(25)]
    for text in texts[:25]:
        for changes in (0, 1, 2, 3):
            signs = list(text)
            for _ in range(changes):
                place = dice.randrange(len(signs))
                signs[place : place + 1] = dice.choices(SIGNS, k=dice.randint(0, 2))
                signs = signs or ["我"]
            texts.append("".join(signs) + "。")
    return texts


def compared_one_by_one(texts: list[str], least: float) -> set[tuple[str, str]]:
    found = set()
    for text in texts:
        for other in texts:
            left, right = bare(text), bare(other)
            both_long = min(len(left), len(right)) >= LONG_CHARS
            if left == right or (both_long and likeness(left, right) >= least):
                found.add((text, other))
    return found


@pytest.mark.parametrize("least", [0.05, 0.5, 0.6, 0.7, 0.76, 0.8, 1.0])
def test_the_index_misses_and_invents_nothing(least: float) -> None:
    texts = worn_texts()
    expected = compared_one_by_one(texts, least)
    assert len(expected) > len(texts)
    assert set(near_duplicates(texts, texts, least)) == expected


def test_equal_texts_come_first_and_the_others_in_their_order() -> None:
    others = ["请问勤工俭学一天好多钱哦", "勤工俭学一天好多钱？", "勤工俭学一天好多钱哦", "查进度"]
    found = list(near_duplicates(["勤工俭学一天好多钱", "查进度！"], others, 0.5))
    assert found == [
        ("勤工俭学一天好多钱", "勤工俭学一天好多钱？"),
        ("勤工俭学一天好多钱", "请问勤工俭学一天好多钱哦"),
        ("勤工俭学一天好多钱", "勤工俭学一天好多钱哦"),
        ("查进度！", "查进度"),
    ]
