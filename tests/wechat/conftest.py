"""What the tests of this folder share."""

from pathlib import Path

import pytest

from bot.wechat.codec import Codec
from tests.support.wechat_callbacks import PlatformSide, aes_key

TOKEN = "tongren2026"
APP_ID = "wx13579bdf02468ace"
KEY = aes_key("current")
PREVIOUS_KEY = aes_key("previous")
PAYLOADS = Path(__file__).parent / "payloads"


def payload(name: str) -> str:
    """Return the recorded delivery ``name``."""
    return (PAYLOADS / f"{name}.xml").read_text()


@pytest.fixture
def platform() -> PlatformSide:
    return PlatformSide(TOKEN, APP_ID, KEY)


@pytest.fixture
def codec() -> Codec:
    """Safe mode, in the middle of a change of keys."""
    return Codec(TOKEN, APP_ID, (KEY, PREVIOUS_KEY), "safe")
