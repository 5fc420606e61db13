"""The engine's own interface: when it needs the NLU, what it asks the turn to run, what it refuses."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from bot.dialogue.catalog import FlowCatalog
from bot.dialogue.engine import Engine
from bot.dialogue.errors import FlowEndless, NotWaiting
from bot.dialogue.loader import read_directory
from bot.dialogue.models import DialogueState, Said, Understood
from bot.dialogue.outcomes import Asked, FlowCancelled, FlowStarted, Spoken
from bot.dialogue.standard_validators import standard_validators
from bot.values.clock import LOCAL_ZONE
from tests.dialogue.bare import BareConversation
from tests.dialogue.conftest import ACTIONS, copy_flows

NOW = datetime(2026, 6, 15, 10, 0, tzinfo=LOCAL_ZONE)
New = Callable[[], BareConversation]


def said(text: str, *, menu_id: str | None = None, media_id: str | None = None, event: str | None = None) -> Said:
    """Return a message of today."""
    return Said(text, NOW.date(), menu_id, media_id, event)


@pytest.fixture
def engine(catalog: FlowCatalog) -> Engine:
    """An engine whose state is held by the test."""
    return Engine(catalog, standard_validators(), actions=frozenset(ACTIONS))


@pytest.mark.parametrize(
    ("before", "text", "needed"),
    [
        ([], "报名活动", False),
        ([], "谢谢", False),
        ([], "人工", False),
        ([], "我要给娃儿报个名", True),
        (["报名活动"], "1", False),
        (["报名活动"], "同意", False),
        (["报名活动"], "这个要钱不", True),
        (["报名活动", "同意"], "杨小芳", False),
        (["报名活动", "同意"], "收费不？", True),
        (["报名活动", "同意", "杨小芳"], "铜仁学院", False),
        (["报名活动", "同意", "杨小芳"], "取消", False),
        (["报名活动", "同意", "杨小芳"], "名字错了，叫罗海", False),
        (["报名活动", "同意", "杨小芳"], "集合点在哪里", True),
        (["报名活动", "同意", "杨小芳"], "我不想填这个了我想先问一下另外那个体检的事情到底要怎样才能报上名啊", True),
        (["报名活动", "同意", "杨小芳", "铜仁学院"], "第二个", False),
        (["讲经过"], "老板拖欠了我们十几个人三个月的工资，找他他就躲着，电话也打不通，我们都急得很", False),
        (["讲经过"], "老板拖欠工资要怎么办？", True),
    ],
)
def test_when_the_nlu_is_needed(
    before: list[str], text: str, needed: bool, new_conversation: New, engine: Engine
) -> None:
    conversation = new_conversation()
    for earlier in before:
        conversation.turn(said(earlier), None)
    assert engine.read(conversation.state, said(text), NOW).needs_understanding is needed


def test_a_button_is_understood_by_its_word(engine: Engine) -> None:
    reading = engine.read(DialogueState(), said("开放时间", menu_id="/word:书屋几点开门"), NOW)
    assert (reading.needs_understanding, reading.text) == (True, "书屋几点开门")


def test_what_an_unclear_message_had_meant_is_given_to_the_action(new_conversation: New) -> None:
    conversation = new_conversation()
    conversation.turn(said("那个东西要好多钱"), Understood(("faq_fee", "check_status"), "unsure"))
    conversation.turn(said("1"), None)
    run = conversation.ran[-1]
    assert (run.action, run.said, run.intent) == ("action_answer_question", "那个东西要好多钱", "faq_fee")


def test_an_action_gets_the_slots_and_the_slot_it_is_for(new_conversation: New) -> None:
    conversation = new_conversation()
    for text in ("报名活动", "同意", "杨小芳", "铜仁学院", "大一", "护理", "3个人", "松桃", "南门"):
        conversation.turn(said(text), None)
    validated = next(run for run in conversation.ran if run.action == "validate_trip_site")
    assert (validated.latest_slot, validated.slots["trip_site"], validated.flow) == ("trip_site", "s1", "join_trip")


def test_cancelling_lets_the_flow_clean_up_with_its_answers(new_conversation: New) -> None:
    conversation = new_conversation()
    for text in ("报名活动", "同意", "杨小芳", "取消"):
        conversation.turn(said(text), None)
    assert conversation.ran[-1].action == "action_release_place"
    assert conversation.ran[-1].slots["trip_name"] == "杨小芳"
    assert FlowCancelled("join_trip", kept=False) in conversation.outcomes
    assert conversation.state.slots == {}


def test_outcomes_come_in_the_order_in_which_they_happened(new_conversation: New) -> None:
    conversation = new_conversation()
    conversation.turn(said("报名活动"), None)
    assert [type(outcome) for outcome in conversation.outcomes] == [FlowStarted, Spoken, Asked]


def test_the_trace_names_but_never_quotes(new_conversation: New) -> None:
    conversation = new_conversation()
    for text in ("报名活动", "同意", "杨小芳", "铜仁学院"):
        conversation.turn(said(text), None)
        assert not any("杨小芳" in entry.detail or "铜仁" in entry.detail for entry in conversation.trace)
    assert ("filled", "trip_school") in [(entry.what, entry.detail) for entry in conversation.trace]


def test_a_message_is_refused_while_an_action_is_awaited(engine: Engine) -> None:
    state = DialogueState()
    for text in ("报名活动", "同意", "杨小芳", "铜仁学院", "大一", "护理", "3个人", "松桃"):
        reading = engine.read(state, said(text), NOW)
        step = engine.respond(state, said(text), reading, None, NOW)
        state = step.state
    assert step.run is not None
    with pytest.raises(NotWaiting):
        engine.respond(state, said("南门"), engine.read(state, said("南门"), NOW), None, NOW)
    with pytest.raises(NotWaiting):
        engine.resume(DialogueState(), [], NOW)


def test_a_loop_without_a_question_ends_with_its_name(tmp_path: Path) -> None:
    directory = copy_flows(tmp_path / "flows")
    (directory / "loop.yml").write_text(
        "flows:\n  loop:\n    keywords: [转圈]\n    steps:\n      - {id: a, noop: true, next: a}\n"
    )
    catalog, _ = read_directory(directory)
    engine = Engine(catalog, standard_validators())
    with pytest.raises(FlowEndless) as caught:
        engine.respond(DialogueState(), said("转圈"), engine.read(DialogueState(), said("转圈"), NOW), None, NOW)
    assert caught.value.fields == {"flow": "loop", "step": "a"}


def test_the_same_delivery_gives_the_same_answer(new_conversation: New) -> None:
    first, second = new_conversation(), new_conversation()
    for text in ("报名活动", "同意", "杨小芳 铜仁学院 大二", "返回", "不改"):
        assert first.turn(said(text), None) == second.turn(said(text), None)
        assert first.stored == second.stored
