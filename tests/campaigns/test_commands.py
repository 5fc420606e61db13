"""The way of a campaign from the shell."""

from pathlib import Path

import pytest

from bot.app.records import open_records
from bot.campaigns.models import CampaignState, SendChannel
from bot.cli import parser
from bot.commands.campaign import CHANNELS
from bot.settings import Settings
from bot.staff.errors import NotPermitted
from bot.storage.encryption import FieldCipher
from tests.campaigns.people import add_followers
from tests.support.assistant import settings_for

PASSWORD = "correct-horse-battery"


@pytest.fixture
def settings(sqlite_url: str, tmp_path: Path) -> Settings:
    return settings_for(
        database_url=sqlite_url,
        redis_url="redis://127.0.0.1:9",
        data_dir=tmp_path,
        cipher_setting=FieldCipher.new_setting(),
    )


async def campaign(settings: Settings, *arguments: str) -> int:
    options = parser().parse_args(["campaign", *arguments])
    code: int = await options.handler(settings, options)
    return code


def test_the_channels_are_those_there_are() -> None:
    assert set(CHANNELS) == {channel.value for channel in SendChannel}


async def test_from_draft_to_sending(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    async with open_records(settings) as records:
        await add_followers(records.database, range(3), records.clock.now())
        for username, role in (("wang", "campaign_operator"), ("li", "campaign_approver")):
            await records.staff.add(
                username, PASSWORD, display_name=username, roles=[role], county=None, by="test", source="test"
            )
    assert await campaign(settings, "create", "六月活动", "--text", "您好", "--as", "wang") == 0
    assert await campaign(settings, "check", "1", "--as", "wang") == 0
    with pytest.raises(NotPermitted):
        await campaign(settings, "approve", "1", "--count", "3", "--as", "wang")
    assert await campaign(settings, "approve", "1", "--count", "4", "--as", "li") == 1
    assert "人数对不上：核对时是 3 人，填写的是 4" in capsys.readouterr().err.replace("\n", "")
    assert await campaign(settings, "approve", "1", "--count", "3", "--as", "li") == 0
    assert await campaign(settings, "send", "1", "--count", "3", "--as", "wang") == 0
    for step in ("status", "plan", "audience", "preview", "results"):
        assert await campaign(settings, step, "1") == 0
    assert await campaign(settings, "cancel", "1", "--as", "wang") == 0
    assert await campaign(settings, "list") == 0
    assert await campaign(settings, "status", "9") == 1
    assert "没有编号为 9 的群发" in capsys.readouterr().err
    async with open_records(settings) as records:
        assert (await records.campaigns.service.get(1)).state is CampaignState.CANCELLED
