"""Callbacks made by a published npm package, which is not ours and not wechatpy's, are answered in safe mode."""

from pathlib import Path

import pytest
import xmltodict

from bot.wechat.codec import Codec
from bot.wechat.errors import BadSignature
from bot.wechat.models import TextMessage, TextReply
from tests.support.npm_platform import NotInstallable, NpmPlatform, install
from tests.wechat.conftest import APP_ID, KEY, PREVIOUS_KEY, TOKEN, payload


@pytest.fixture(scope="module")
def installed() -> Path:
    try:
        return install()
    except NotInstallable as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("key", [KEY, PREVIOUS_KEY], ids=["current key", "previous key"])
def test_a_message_is_read_and_its_reply_too(installed: Path, codec: Codec, key: str) -> None:
    platform = NpmPlatform(installed, TOKEN, APP_ID, key)
    callback = platform.safe(payload("text"))
    delivery = codec.decode(callback.query, callback.body)
    assert isinstance(delivery.message, TextMessage)
    assert delivery.message.content == "我想给孩子报名勤工俭学"
    xml, app_id = platform.reply(codec.encode(delivery, TextReply("好的，]]> 🌸")))
    assert app_id == APP_ID
    assert xmltodict.parse(xml)["xml"]["Content"] == "好的，]]> 🌸"


def test_a_changed_body_is_refused(installed: Path, codec: Codec) -> None:
    platform = NpmPlatform(installed, TOKEN, APP_ID, KEY)
    callback, other = platform.safe(payload("text")), platform.safe(payload("click"))
    with pytest.raises(BadSignature):
        codec.decode(callback.query, other.body)
