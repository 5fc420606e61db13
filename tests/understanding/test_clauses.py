"""Messages that ask for two or three things, and those that only tell one story."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.clauses import MAX_CLAUSES, split_clauses

SEVERAL = {
    "帮我报个两癌筛查，顺便问下消费券在哪领": ("帮我报个两癌筛查", "消费券在哪领"),
    "我要报勤工俭学顺便问下要押金不": ("我要报勤工俭学", "要押金不"),
    "先取消那个筛查，再约个律师": ("取消那个筛查", "约个律师"),
    "谢谢，另外帮我查下进度": ("谢谢", "帮我查下进度"),
    "帮我查哈进度 还有书屋几点关门": ("帮我查哈进度", "书屋几点关门"),
    "好的，那顺便帮我取消勤工俭学": ("好的", "帮我取消勤工俭学"),
    "产假几天，还有陪产假几天": ("产假几天", "陪产假几天"),
    "电话13800000000，顺便问下补贴好多": ("电话13800000000", "补贴好多"),
    "我要约筛查，再帮我看哈勤工俭学还招人不，顺便问问律师要钱不": (
        "我要约筛查",
        "帮我看哈勤工俭学还招人不",
        "律师要钱不",
    ),
}
ONE = (
    "老板拖欠工资，另外还扣我身份证",
    "公司不签合同，还有加班费也不给，然后把我开除了",
    "我先去找他，然后他骂我",
    "他打我然后把我锁起来",
    "老板另外给我们三百块钱叫我们签字",
    "我在厂里干了三年，后来又去另外一个厂，现在两个厂都不认",
    "我姑娘还有一年毕业能报不",
    "还有名额没",
    "还想问一下互助怎么报",
    "我还有个问题",
    "对了，入会要哪些照片",
    "先看条件再报名",
    "然后呢",
    "不是，我要查进度",
    "1",
    "",
)


@pytest.mark.parametrize("text", SEVERAL)
def test_several_wishes_are_taken_apart(text: str) -> None:
    assert split_clauses(text) == SEVERAL[text]


@pytest.mark.parametrize("text", ONE)
def test_one_story_stays_whole(text: str) -> None:
    assert split_clauses(text) == (text,)


def test_a_long_story_stays_whole() -> None:
    text = "我在工地上干了三个月，" * 12 + "顺便问下消费券在哪领"
    assert split_clauses(text) == (text,)


@given(st.lists(st.sampled_from([*SEVERAL, *ONE, "，", "。", "顺便", "另外", "还有", "a", " "]), max_size=4))
def test_parts_are_few_and_never_empty(pieces: list[str]) -> None:
    text = "".join(pieces)
    parts = split_clauses(text)
    assert 1 <= len(parts) <= MAX_CLAUSES
    assert parts == (text,) or all(parts)
