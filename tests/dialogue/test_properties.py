"""Whatever is said, in whatever order: nothing raises, nothing filled is lost, the state stays small."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.dialogue.catalog import FlowCatalog
from bot.dialogue.models import DialogueState, Said, Understood
from bot.dialogue.outcomes import FlowCancelled, FlowFinished
from bot.dialogue.state_json import from_json, join_sensitive, split_sensitive, to_json
from tests.dialogue.bare import BareConversation

LARGEST_STATE_CHARS = 12_000
WORDS = st.sampled_from(
    [
        *("报名活动", "预约体检", "讲经过", "查进度", "深问", "停办的事", "同意", "不同意", "杨小芳", "铜仁学院"),
        *("大二", "护理", "3个人", "12个人", "99个人", "罗海", "松桃", "碧江", "南门", "工会驿站", "13800001111"),
        *("1380000", "明天", "昨天", "跳过", "没有", "返回", "上一步", "不改", "取消", "算了", "先存着", "删掉"),
        *("接着填", "重新填", "不填了", "继续", "提交", "没问题", "填错了", "学校填错了，是铜仁职院", "名字错了"),
        *("人数改成15个人", "不对，我叫罗海", "电话改成13900002222", "区县错了，是江口", "1", "2", "3", "第一个"),
        *("最后一个", "谢谢", "好的", "不", "你好", "再见", "帮助", "菜单", "人工", "再说一遍", "为什么要问"),
        *("好了", "收费不？", "在哪里？", "1和3", "要回工资", "HD26-0001"),
    ]
)
TEXTS = st.one_of(WORDS, WORDS, WORDS, st.text(max_size=40), st.lists(WORDS, min_size=2, max_size=3).map(" ".join))
INTENTS = st.sampled_from(
    [
        "join_trip",
        "book_check",
        "faq_fee",
        "check_status",
        "handoff_human",
        "affirm",
        "out_of_scope",
        "no_such_intent",
    ]
)
UNDERSTOOD = st.one_of(
    st.none(),
    st.builds(Understood, st.lists(INTENTS, max_size=3).map(tuple), st.sampled_from(["sure", "unsure", "lost"])),
)
PAYLOADS = st.sampled_from(
    [
        *("/flow:join_trip", "/flow:nothing", "/word:同意", "/word:", "/choice:keep", "/choice:drop", "/submit", "/"),
        *("/field:trip_name", "/answer:trip_grade:1", "/answer:trip_name:x", "/intent:faq_fee", "location", "image"),
    ]
)
GAPS = st.sampled_from([0, 0, 0, 0, 3, 24 * 40])
TURNS = st.lists(
    st.tuples(TEXTS, UNDERSTOOD, st.none() | PAYLOADS, st.sampled_from(["", "", "m1"]), GAPS), max_size=25
)

KEEPING_ACTS = {"Answers", "Refused", "Unread", "Courteous", "Sends", "Happens", "KeepsOld"}
"""What a message can be without asking for anything to be taken back."""


@given(turns=TURNS)
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_conversation_is_survived(
    turns: list[tuple[str, Understood | None, str | None, str, int]],
    new_conversation: Callable[[], BareConversation],
) -> None:
    conversation = new_conversation()
    for text, understood, payload, media_id, gap_h in turns:
        conversation.clock.move(timedelta(hours=gap_h))
        before = conversation.state
        said = Said(text, conversation.clock.now().date(), menu_id=payload, media_id=media_id or None)
        conversation.turn(said, understood)
        after = conversation.state
        check_storage(after, conversation.catalog)
        check_nothing_lost(conversation, before, after)


def check_storage(state: DialogueState, catalog: FlowCatalog) -> None:
    """The state survives both ways of storing it, and its open part holds nothing sensitive."""
    assert from_json(to_json(state)) == state
    public, secret = split_sensitive(state, catalog.sensitive_slots)
    assert join_sensitive(public, secret) == state
    assert len(public) + len(secret or "") < LARGEST_STATE_CHARS
    for slots in (state.slots, *(draft.slots for draft in state.drafts)):
        for name in catalog.sensitive_slots & set(slots):
            assert str(slots[name]) not in public


def check_nothing_lost(conversation: BareConversation, before: DialogueState, after: DialogueState) -> None:
    """A message that takes nothing back leaves every answer of the open form where it was."""
    acts = {entry.detail for entry in conversation.trace if entry.what == "message is"}
    ended = any(isinstance(outcome, FlowFinished | FlowCancelled) for outcome in conversation.outcomes)
    if not before.frames or ended or not acts <= KEEPING_ACTS:
        return
    emptied = {entry.detail for entry in conversation.trace if entry.what.startswith("emptied")}
    asked_again = {after.revisit.slot} if after.revisit is not None else set()
    for name in before.slots:
        assert name in after.slots or name in emptied | asked_again, f"{name} was lost"


@pytest.mark.parametrize("turns", [400])
def test_the_state_does_not_grow_with_the_conversation(
    turns: int, new_conversation: Callable[[], BareConversation]
) -> None:
    conversation = new_conversation()
    sizes = []
    for number in range(turns):
        script = ["报名活动", "同意", "杨小芳", "返回", "铜仁学院", "收费不？", "谢谢", "取消", "不要了"]
        asyncio.run(conversation.say(script[number % len(script)], Understood(("faq_fee",), "sure")))
        sizes.append(len(to_json(conversation.state)))
    assert max(sizes[-40:]) <= max(sizes[:40]) + 8, "only counters may get longer"
