"""Every button of the account's menu, as ``flows/menu.yml`` publishes it, begins something."""

from pathlib import Path

import pytest
import yaml

from bot.dialogue.catalog import FlowCatalog
from tests.conversations.chats import AssistantChat

MENU = yaml.load(Path("flows/menu.yml").read_text(), Loader=yaml.CSafeLoader)["menu"]
KEYS = [item["key"] for column in MENU for item in column.get("items", [column]) if item.get("type") == "click"]
LOST = ("utter_pattern_cannot_handle", "utter_pattern_clarify", "utter_pattern_unavailable", "utter_out_of_scope")

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("key", KEYS)
async def test_a_button_of_the_menu_begins_something(key: str, chat: AssistantChat, catalog: FlowCatalog) -> None:
    replies = await chat.send_event(key)
    assert replies, "nothing was said"
    lost = {variant.text for name in LOST for variant in catalog.responses[name].variants}
    assert not lost & {reply.text for reply in replies}
