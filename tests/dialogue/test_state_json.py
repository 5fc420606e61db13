"""The stored form of the state."""

from collections.abc import Callable
from datetime import date

import pytest

from bot.dialogue.errors import NotWaiting, StateUnreadable
from bot.dialogue.models import DialogueState, Said, Trigger, Waiting
from bot.dialogue.state_json import from_json, join_sensitive, split_sensitive, to_json
from tests.dialogue.bare import BareConversation

FORM = ("报名活动", "同意", "杨小芳", "铜仁学院", "大一", "护理", "3个人", "松桃", "南门", "13800001111")


def test_an_idle_state_is_small() -> None:
    assert len(to_json(DialogueState())) < 20
    assert from_json(to_json(DialogueState())) == DialogueState()


def test_sensitive_values_are_only_in_the_part_to_seal(new_conversation: Callable[[], BareConversation]) -> None:
    conversation = new_conversation()
    today = conversation.clock.now().date()
    for text in (*FORM, "返回", "取消", "先存着"):
        conversation.turn(Said(text, today), None)
        public, secret = split_sensitive(conversation.state, frozenset({"trip_contact"}))
        assert "13800001111" not in public
        assert join_sensitive(public, secret) == conversation.state
    assert conversation.state.drafts[0].slots["trip_contact"] == "13800001111"
    assert secret is not None
    assert "13800001111" in secret


def test_nothing_to_seal_gives_no_second_part() -> None:
    assert split_sensitive(DialogueState(slots={"a": 1}), frozenset({"b"}))[1] is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format":99}', '{"format":1,"frames":[{"id":1}]}', '{"format":1,"frames":7}']
)
def test_an_unknown_form_is_refused(text: str) -> None:
    with pytest.raises(StateUnreadable):
        from_json(text)


def test_a_state_that_waits_is_not_stored() -> None:
    waiting = Waiting("step", Trigger(), today=date(2026, 6, 15))
    with pytest.raises(NotWaiting):
        to_json(DialogueState(waiting=waiting))
