"""The sign that somebody writes: shown while it would be seen, one at a time, and begun anew after an answer."""

from datetime import timedelta

import pytest

from bot.storage.redis import RedisLink
from bot.turns.typing import TypingSign
from bot.values.clock import MovedClock
from bot.wechat.errors import TypingRefused


class RecordingApi:
    """Notes whom the sign is shown to; refuses it when told so."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.refuses = False

    async def typing(self, openid: str, on: bool) -> None:
        assert on
        if self.refuses:
            raise TypingRefused(45081, "already typing")
        self.shown.append(openid)


@pytest.fixture
def api() -> RecordingApi:
    return RecordingApi()


@pytest.fixture
def sign(api: RecordingApi, link: RedisLink, clock: MovedClock) -> TypingSign:
    return TypingSign(api, link, clock)


async def test_it_is_shown_once_however_many_keys_are_pressed(
    sign: TypingSign, api: RecordingApi, clock: MovedClock
) -> None:
    assert [await sign.show("o-1", clock.now()) for _ in range(3)] == [True, False, False]
    assert await sign.show("o-2", clock.now())
    assert api.shown == ["o-1", "o-2"]


async def test_it_begins_anew_after_an_answer(sign: TypingSign, api: RecordingApi, clock: MovedClock) -> None:
    await sign.show("o-1", clock.now())
    await sign.over("o-1")
    assert await sign.show("o-1", clock.now())
    assert api.shown == ["o-1", "o-1"]


async def test_it_is_not_asked_for_when_it_would_not_be_seen(
    sign: TypingSign, api: RecordingApi, clock: MovedClock
) -> None:
    assert not await sign.show("o-1", clock.now() - timedelta(seconds=31))
    assert api.shown == []


async def test_a_refusal_is_nobodys_concern(sign: TypingSign, api: RecordingApi, clock: MovedClock) -> None:
    api.refuses = True
    assert await sign.show("o-1", clock.now())
    assert api.shown == []
