"""From the chat and back: gateway, worker, stream and the platform's reports, all of them real."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.app.worker import worker_of
from bot.campaigns.models import CampaignState, Outcome
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


async def test_asking_for_the_opening_of_what_is_not_open_yet(assistant: Assistant) -> None:
    one = assistant.platform.add_follower().openid
    await assistant.platform.follow(one)
    answer = (await assistant.say(one, "开放提醒我")).text
    assert "一开放就告诉您" in answer or "没有等着开放的活动" in answer
    assert "没有查到您的预约" in (await assistant.say(one, "确认到场")).text
