"""The way of a campaign from the shell."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import update

from bot.app.assistant import open_bot
from bot.app.records import Records, open_records
from bot.app.worker import campaign_worker_of
from bot.campaigns.models import Campaign, CampaignState, SendChannel
from bot.campaigns.publication_models import Publication
from bot.cli import parser
from bot.commands.campaign import CHANNELS
from bot.settings import Settings
from bot.simulator.faults import Fault
from bot.simulator.followers import start_following
from bot.staff.errors import NotPermitted
from bot.storage.encryption import FieldCipher
from bot.values.clock import SystemClock
from tests.campaigns.people import add_followers, openid
from tests.support.assistant import settings_for, simulated_platform

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


async def add_accounts(records: Records) -> None:
    for username, role in (("wang", "campaign_operator"), ("li", "campaign_approver")):
        await records.staff.add(
            username, PASSWORD, display_name=username, roles=[role], county=None, by="test", source="test"
        )


def test_the_channels_are_those_there_are() -> None:
    assert set(CHANNELS) == {channel.value for channel in SendChannel}


async def test_from_draft_to_sending(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    async with open_records(settings) as records:
        await add_followers(records.database, range(3), records.clock.now())
        await add_accounts(records)
    assert await campaign(settings, "create", "六月活动", "--text", "您好", "--as", "wang") == 0
    assert await campaign(settings, "check", "1", "--as", "wang") == 0
    with pytest.raises(NotPermitted):
        await campaign(settings, "approve", "1", "--count", "3", "--as", "wang")
    assert await campaign(settings, "approve", "1", "--count", "4", "--as", "li") == 1
    assert "人数对不上：核对时是 3 人，填写的是 4" in capsys.readouterr().err.replace("\n", "")
    assert await campaign(settings, "approve", "1", "--count", "3", "--as", "li") == 0
    assert await campaign(settings, "send", "1", "--count", "3", "--as", "wang") == 0
    for step in ("status", "plan", "audience", "show", "results"):
        assert await campaign(settings, step, "1") == 0
    assert await campaign(settings, "cancel", "1", "--as", "wang") == 0
    assert await campaign(settings, "list") == 0
    assert await campaign(settings, "status", "9") == 1
    assert "没有编号为 9 的群发" in capsys.readouterr().err
    async with open_records(settings) as records:
        assert (await records.campaigns.service.get(1)).state is CampaignState.CANCELLED


async def test_what_is_done_at_the_platform(
    settings: Settings, redis_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, book = replace(settings, redis_url=redis_url), tmp_path / "results.xlsx"
    async with simulated_platform(settings) as platform:
        async with open_records(settings) as records:
            await add_followers(records.database, range(3), records.clock.now())
            await add_accounts(records)
        for number in range(3):
            start_following(platform.followers.add("职工", openid(number)), SystemClock().now())
        assert await campaign(settings, "create", "六月活动", "--text", "您好", "--as", "wang") == 0
        with pytest.raises(NotPermitted):
            await campaign(settings, "preview", "1", "--to", openid(1), "--as", "li")
        assert await campaign(settings, "preview", "1", "--as", "wang") == 1
        assert "Nobody is on the list of testers" in capsys.readouterr().err
        assert await campaign(settings, "preview", "1", "--to", openid(1), "--as", "wang") == 0
        assert [len(platform.seen(openid(number))) for number in range(3)] == [0, 1, 0]
        assert await campaign(settings, "delete", "1", "--yes", "--as", "wang") == 1
        assert "图文" in capsys.readouterr().err
        assert await campaign(settings, "put-tag", "1", "全体", "--as", "wang") == 0
        assert "3 followers have tag 100" in capsys.readouterr().out
        assert await campaign(settings, "pull-tag", "100", "--as", "wang") == 0
        assert await campaign(settings, "tags", "--as", "wang") == 0
        assert "全体" in capsys.readouterr().out
        assert await campaign(settings, "export", "1", str(book), "--as", "li") == 0
    assert CalamineWorkbook.from_path(str(book)).sheet_names == ["总览", "名单"]
    async with open_records(settings) as records:
        found = await records.audit.events(action="campaigns:campaign:export")
        assert [event.record.actor for event in found] == ["li"]


async def test_publishing_withdrawing_and_settling(
    settings: Settings, redis_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, content = replace(settings, redis_url=redis_url), tmp_path / "articles.json"
    articles = [{"title": "六月活动", "body": "<p>您好</p>", "thumb_media_id": "thumb"}]
    content.write_text(json.dumps({"kind": "news", "articles": articles}), encoding="utf-8")
    async with simulated_platform(settings, attempts=1) as platform, open_bot(settings) as bot:
        records, worker = bot.records, campaign_worker_of(bot)
        await add_accounts(records)
        for title in ("第一条", "第二条"):
            made = ("create", title, "--channel", "publish", "--content", str(content), "--as", "wang")
            assert await campaign(settings, *made) == 0
        assert await campaign(settings, "create", "文字", "--text", "您好", "--as", "wang") == 0
        assert await campaign(settings, "publish", "3", "--count", "1", "--as", "wang") == 1
        assert "渠道不是发布" in capsys.readouterr().err
        assert await campaign(settings, "publish", "1", "--count", "1", "--as", "wang") == 1
        assert "不能做这一步" in capsys.readouterr().err
        for number in ("1", "2"):
            assert await campaign(settings, "check", number, "--as", "wang") == 0
            assert "nobody is notified" in capsys.readouterr().out
            assert await campaign(settings, "approve", number, "--count", "1", "--as", "li") == 0
        with pytest.raises(NotPermitted):
            await campaign(settings, "publish", "1", "--count", "1", "--as", "li")
        for number in ("1", "2"):
            assert await campaign(settings, "publish", number, "--count", "1", "--as", "wang") == 0
            async with records.database.transaction() as session:
                row = await session.get_one(Campaign, int(number))
                row.open_minute, row.close_minute = 0, 24 * 60
        platform.faults.add(Fault("/cgi-bin/freepublish/submit", left=1, drop=True))
        await worker.start_due()
        await worker.publish()
        assert await campaign(settings, "withdraw", "1", "--yes", "--as", "wang") == 1
        assert "不在公众号主页上" in capsys.readouterr().err
        assert await campaign(settings, "settle", "1", "--as", "wang") == 1
        assert "--not-published" in capsys.readouterr().out
        assert await campaign(settings, "settle", "1", "--not-published", "--as", "wang") == 0
        assert await campaign(settings, "status", "1") == 0
        assert "经人工核实，没有发布" in capsys.readouterr().out
        await platform.settle()
        async with records.database.transaction() as session:
            await session.execute(update(Publication).values(ask_at=records.clock.now()))
        await worker.sweep()
        assert await campaign(settings, "status", "2") == 0
        (job,) = platform.publications.everything()
        shown = capsys.readouterr().out
        assert "published" in shown
        assert f"/s/{job.codes[0]}" in shown
        assert await campaign(settings, "withdraw", "2", "--yes", "--as", "wang") == 0
        assert "Articles deleted for good: 1" in capsys.readouterr().out
        assert not job.is_readable


@pytest.mark.parametrize(
    "step", ["preview", "delete", "publish", "withdraw", "settle", "export", "tags", "pull-tag", "put-tag"]
)
def test_each_step_has_its_help(step: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["campaign", step, "--help"])
    shown = capsys.readouterr().out
    assert "--as BY" in shown
    assert "username of the account that does it" in shown
