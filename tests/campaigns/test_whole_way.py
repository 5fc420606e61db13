"""From the chat and back: gateway, worker, stream and the platform's reports, all of them real."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.app.worker import worker_of
from bot.campaigns.content import Article, News
from bot.campaigns.models import CampaignState, Outcome, SendChannel
from bot.campaigns.publication_models import PublicationState
from bot.storage.encryption import FieldCipher
from bot.values.clock import SystemClock
from tests.campaigns.people import draft, started
from tests.support.assistant import Assistant, running_assistant, settings_for
from tests.support.waiting import until


@pytest.fixture
async def assistant(sqlite_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Assistant]:
    settings = settings_for(
        database_url=sqlite_url,
        redis_url=redis_url,
        data_dir=tmp_path,
        cipher_setting=FieldCipher.new_setting(),
    )
    async with running_assistant(settings, SystemClock()) as running:
        yield running


@pytest.mark.timeout(300)
async def test_followers_opt_out_get_a_campaign_and_the_report_arrives(assistant: Assistant) -> None:
    desk, platform = assistant.bot.records.campaigns, assistant.platform
    people = [platform.add_follower(f"职工{number}").openid for number in range(4)]
    for one in people:
        await platform.follow(one)
    assert "不给您群发" in (await assistant.say(people[0], "退订")).text
    assert "没有退订" in (await assistant.say(people[1], "恢复订阅")).text
    all_day = replace(draft().hours, open_minute=0, close_minute=24 * 60)
    campaign = await started(desk.service, draft(hours=all_day))
    assert (campaign.total, campaign.skipped) == (3, {"opted_out": 1})
    working = asyncio.create_task(worker_of(assistant.bot, "worker-of-tests").run())

    async def is_delivered() -> bool:
        return (await desk.lists.progress(campaign.id)).counts.get(Outcome.DELIVERED) == 3

    try:
        await until(is_delivered, timeout_s=60.0)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    assert (await desk.service.get(campaign.id)).state is CampaignState.SENT
    assert platform.mass_ledger() == dict.fromkeys(people[1:], 1)


@pytest.mark.timeout(300)
async def test_articles_are_published_and_the_report_lets_them_go_out(assistant: Assistant) -> None:
    """Nobody asks the platform: its report comes through the gateway, before ten minutes are over."""
    desk, platform = assistant.bot.records.campaigns, assistant.platform
    people = [platform.add_follower(f"职工{number}").openid for number in range(3)]
    for one in people:
        await platform.follow(one)
        await assistant.say(one, "您好")
    all_day = replace(draft().hours, open_minute=0, close_minute=24 * 60)
    articles = News((Article("六月活动", "<p>您好</p>", "thumb"),))
    wanted = draft(SendChannel.PUBLISH_SEND, articles, hours=all_day, per_minute=3_000)
    campaign = await started(desk.service, wanted)
    working = asyncio.create_task(worker_of(assistant.bot, "worker-of-tests").run())

    async def is_over() -> bool:
        return (await desk.service.get(campaign.id)).state is CampaignState.SENT

    try:
        await until(is_over, timeout_s=60.0)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    publication = await desk.publications.view(campaign.id)
    assert publication is not None
    assert publication.state is PublicationState.PUBLISHED
    assert [platform.seen(one)[-1].text for one in people] == ["六月活动"] * 3
    assert platform.seen(people[0])[-1].links[0].url == publication.urls[0]
    assert platform.calls.count("/cgi-bin/freepublish/get") == 0
    assert platform.mass_ledger() == {}


async def test_asking_for_the_opening_of_what_is_not_open_yet(assistant: Assistant) -> None:
    one = assistant.platform.add_follower().openid
    await assistant.platform.follow(one)
    answer = (await assistant.say(one, "开放提醒我")).text
    assert "一开放就告诉您" in answer or "没有等着开放的活动" in answer
    assert "没有查到您的预约" in (await assistant.say(one, "确认到场")).text
