"""What is being filled in is part of a follower's data, and goes with it."""

import pytest

from bot.dialogue.models import DialogueState, Draft
from bot.dialogue.state_json import to_json
from bot.storage.redis import RedisLink
from bot.turns.models import Commit, FollowerKeys, Incoming, Run
from bot.turns.personal_data import DialogueData
from bot.turns.store import TurnStore

OPENID = "o-1"


@pytest.fixture
def data(store: TurnStore) -> DialogueData:
    return DialogueData(store)


async def _remember(store: TurnStore, state: bytes) -> None:
    incoming = Incoming(key="k-1", openid=OPENID, body=b"<xml/>")
    claim = await store.claim(incoming)
    assert isinstance(claim, Run)
    assert await store.commit(incoming, Commit(claim.fence, b"", state, (), b"entry", None, release_held=False))


async def test_answers_and_drafts_are_exported_and_forgotten(store: TurnStore, data: DialogueData) -> None:
    draft = Draft("register_work_study", (), {"ws_student_name": "杨家乐"}, {}, 1_781_000_000)
    state = DialogueState(slots={"hs_mobile": "13800000001"}, drafts=(draft,))
    await _remember(store, b"B" + to_json(state).encode())
    assert await data.export(OPENID) == {
        "answers": {"hs_mobile": "13800000001"},
        "drafts": [
            {
                "flow": "register_work_study",
                "answers": {"ws_student_name": "杨家乐"},
                "until": "2026-06-09T10:13:20+00:00",
            }
        ],
    }
    assert await data.export("o-2") == {"answers": {}, "drafts": []}
    assert await data.erase(OPENID) == 1
    assert await data.erase(OPENID) == 0
    assert await data.export(OPENID) == {"answers": {}, "drafts": []}


async def test_messages_that_are_held_go_as_well(store: TurnStore, data: DialogueData, link: RedisLink) -> None:
    await _remember(store, b"")
    await link.call("RPUSH", FollowerKeys.of(OPENID).held, b"sealed")
    assert await data.erase(OPENID) == 1


async def test_a_dialogue_of_another_release_does_not_stand_in_the_way(store: TurnStore, data: DialogueData) -> None:
    await _remember(store, b'B{"format": 99}')
    assert await data.export(OPENID) == {"answers": {}, "drafts": []}
    assert await data.erase(OPENID) == 1
