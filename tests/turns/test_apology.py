"""What a follower is told whose message could not be worked on, in the real words."""

from pathlib import Path

import pytest

from bot.dialogue.engine import Engine
from bot.dialogue.loader import load_catalog
from bot.dialogue.models import DialogueState, EngineSettings
from bot.dialogue.outcomes import Spoken
from bot.dialogue.render import Renderer
from bot.dialogue.standard_validators import standard_validators
from bot.dialogue.state_json import to_json
from bot.turns.answers import Answer
from bot.turns.conversation import Conversation
from bot.understanding.models import Ranking
from bot.values.clock import MovedClock
from bot.wechat.models import Inbound, OutText
from bot.wechat.parser import read_inbound
from tests.turns.messages import OPENID, text

FLOWS = Path(__file__).parents[2] / "flows"
STORED = b"B" + to_json(DialogueState(turn=7)).encode()


class Nobody:
    """Stands in for the NLU, the inbox and the followers, none of which an apology asks."""

    async def rank(self, text: str, budget_s: float) -> Ranking:
        raise AssertionError(text, budget_s)

    async def is_with_people(self, openid: str, *, expected: bool) -> bool:
        assert not expected, f"the dialogue of {openid} is with the bot"
        return False

    async def take_down(self, message: Inbound, text: str, *, asks_place: bool, asks_person: bool) -> Spoken | None:
        raise AssertionError(message, text, asks_place, asks_person)

    async def leave(self, openid: str, key: str, *, only_waiting: bool) -> bool:
        raise AssertionError(openid, key, only_waiting)

    async def rate(self, openid: str, text: str, key: str) -> bool:
        raise AssertionError(openid, text, key)

    async def unfollowed(self, openid: str, key: str) -> None:
        raise AssertionError(openid, key)

    async def recognised_as(self, text: str) -> str | None:
        raise AssertionError(text)


@pytest.fixture
def conversation(clock: MovedClock) -> Conversation:
    """The real conversation over the real texts."""
    catalog, nobody = load_catalog(FLOWS), Nobody()
    engine = Engine(catalog, standard_validators(), EngineSettings(draft_s=60), actions=frozenset())
    return Conversation(engine, Renderer(catalog), {}, nobody, nobody, nobody, nobody, clock, nlu_budget_s=1.0)


def only_text(answer: Answer) -> OutText:
    (out,) = answer.outgoing
    assert isinstance(out, OutText)
    return out


def test_it_says_so_offers_a_person_and_keeps_what_was_filled_in(conversation: Conversation) -> None:
    answer = conversation.apologise(text("坏的"), STORED)
    said = only_text(answer)
    assert "没处理成" in said.text
    assert [choice.label for choice in said.choices] == ["找人工"]
    assert answer.state[1:] == STORED[1:]


def test_a_dialogue_in_which_every_message_fails_is_put_down(conversation: Conversation) -> None:
    first = conversation.apologise(text("坏的"), STORED)
    second = conversation.apologise(text("还是坏的", msg_id=2), first.state)
    assert second.state == b""
    assert only_text(second).text != only_text(first).text
    assert only_text(conversation.apologise(text("第三", msg_id=3), second.state)) == only_text(first)


def test_a_dialogue_that_cannot_be_read_is_put_down(conversation: Conversation) -> None:
    assert conversation.apologise(text("在吗"), b"B{").state == b""


async def test_a_message_that_works_again_takes_the_mark_away(conversation: Conversation) -> None:
    marked = conversation.apologise(text("坏的"), STORED).state
    answer = await conversation.respond(text("菜单", msg_id=2), marked)
    assert answer.state[:1] == b"B"


def test_danger_is_answered_with_numbers_to_call(conversation: Conversation) -> None:
    said = only_text(conversation.apologise(text("我不想活了"), STORED))
    assert "120" in said.text
    assert "110" in said.text


def test_an_event_that_asks_nothing_is_not_apologised_for(conversation: Conversation) -> None:
    left = {
        "ToUserName": "gh_1",
        "FromUserName": OPENID,
        "CreateTime": "1",
        "MsgType": "event",
        "Event": "unsubscribe",
    }
    assert conversation.apologise(read_inbound(left), STORED).outgoing == ()
