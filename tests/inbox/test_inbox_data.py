"""A follower's rights over their chats and alerts."""

import json
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.inbox.alerts import AlertService
from bot.inbox.desk import ChatDesk
from bot.inbox.models import AlertLevel, ChatMessage, ChatStatus
from bot.inbox.personal_data import InboxData
from bot.inbox.service import InboxService
from bot.storage.encryption import FieldCipher
from bot.storage.files import PrivateFiles
from bot.storage.sql import Database
from bot.values.clock import MovedClock


@pytest.fixture
def files(tmp_path: Path, cipher: FieldCipher) -> PrivateFiles:
    return PrivateFiles(tmp_path / "files", cipher)


@pytest.fixture
def inbox_data(database: Database, cipher: FieldCipher, clock: MovedClock, files: PrivateFiles) -> InboxData:
    return InboxData(database, cipher, clock, remove_file=files.delete)


@pytest.fixture
async def chat_id(inbox: InboxService, desk: ChatDesk, alerts: AlertService) -> int:
    chat_id = (await inbox.escalate("o-1", "crisis", "想不开", "k-1")).chat_id
    await inbox.record_inbound("o-1", "m-1", text="在楼上")
    await desk.answer(chat_id, "li", "我马上联系您", "a-1")
    await alerts.raise_alert(AlertLevel.P0, "self_harm", "o-1", "k-1", detail="想不开")
    return chat_id


@pytest.mark.usefixtures("chat_id")
async def test_an_export_opens_chats_and_alerts(inbox_data: InboxData) -> None:
    exported = json.loads(json.dumps(await inbox_data.export("o-1")))
    (chat,) = exported["chats"]
    assert chat["summary"] == "想不开"
    assert [(message["direction"], message["text"]) for message in chat["messages"]] == [
        ("inbound", "在楼上"),
        ("outbound", "我马上联系您"),
    ]
    assert [alert["detail"] for alert in exported["alerts"]] == ["想不开"]
    assert await inbox_data.export("o-2") == {"chats": [], "alerts": []}


async def test_erasing_leaves_numbers_without_words(
    inbox_data: InboxData, inbox: InboxService, desk: ChatDesk, alerts: AlertService, chat_id: int, database: Database
) -> None:
    # A chat with its opening, its claiming and two messages, and an alert.
    assert await inbox_data.erase("o-1") == 6
    assert await inbox.open_chat_of("o-1") is None
    assert await inbox_data.export("o-1") == {"chats": [], "alerts": []}
    (chat,) = await desk.chats()
    assert (chat.id, chat.status, chat.close_reason) == (chat_id, ChatStatus.CLOSED, "erased")
    assert await desk.summary(chat_id) == ""
    assert [alert.detail for alert in await alerts.open_alerts()] == [""]
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(ChatMessage)) == 0
    assert await inbox_data.erase("o-1") == 0
