"""Exporting and erasing a follower by the shell reaches the dialogue, too."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.app.records import cipher_of
from bot.commands import privacy
from bot.dialogue.models import DialogueState
from bot.dialogue.state_json import to_json
from bot.settings import Settings
from bot.storage.redis import RedisLink
from bot.turns.models import Commit, Incoming, Run
from bot.turns.store import TurnStore
from bot.values.clock import SystemClock
from tests.support.assistant import settings_for

OPENID = "o-1"


@pytest.fixture
async def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    settings = settings_for(database_url=database_url, redis_url=redis_url, data_dir=tmp_path)
    async with RedisLink(redis_url) as link:
        store = TurnStore(link, cipher_of(settings), SystemClock(), state_ttl_s=settings.state_ttl_s)
        incoming = Incoming(key="k-1", openid=OPENID, body=b"<xml/>")
        claim = await store.claim(incoming)
        assert isinstance(claim, Run)
        state = b"B" + to_json(DialogueState(slots={"hs_mobile": "13800000001"})).encode()
        assert await store.commit(incoming, Commit(claim.fence, b"", state, (), b"entry", None, release_held=False))
    return settings


async def test_the_dialogue_is_shown_and_goes(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert await privacy.export(settings, OPENID) == 0
    shown = json.loads(capsys.readouterr().out)
    assert "13800000001" in json.dumps(shown["dialogue"])
    assert await privacy.erase(settings, OPENID) == 0
    assert capsys.readouterr().err == ""
    assert await privacy.export(settings, OPENID) == 0
    assert "13800000001" not in capsys.readouterr().out


async def test_without_redis_it_says_what_is_left(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert await privacy.erase(replace(settings, redis_url=""), OPENID) == 0
    assert "BOT_REDIS_URL" in capsys.readouterr().err
