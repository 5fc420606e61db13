"""The demonstration's made-up staff and workers: there after the first start, and not twice after the second."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.app.records import Records, open_records
from bot.campaigns.models import CampaignState, Outcome
from bot.commands.demo_campaigns import add_campaigns
from bot.commands.demo_people import ACCOUNTS, add_staff, add_workers
from bot.commands.run import seed
from bot.inbox.models import ChatStatus
from bot.legal.models import CaseFilter, Scope
from bot.settings import load_settings
from bot.staff.sign_in import LoggedIn
from bot.storage.encryption import FieldCipher
from bot.understanding.review.models import Status
from bot.values.clock import MovedClock

PASSWORD = "correct-horse-42"


@pytest.fixture
async def records(database_url: str, tmp_path: Path, clock: MovedClock) -> AsyncIterator[Records]:
    settings = replace(
        load_settings({}, env_file=None),
        database_url=database_url,
        data_dir=tmp_path,
        field_keys=FieldCipher.new_setting(),
    )
    async with open_records(settings, clock) as opened:
        await seed(opened)
        yield opened


async def test_a_second_start_adds_nothing(records: Records) -> None:
    for _ in range(2):
        await add_staff(records, PASSWORD)
        await add_workers(records)
        registered = [
            view for serial in range(1, 13) for view in await records.registrations.find_for(f"demo-woman-{serial}")
        ]
        students = [
            view for serial in range(1, 7) for view in await records.registrations.find_for(f"demo-parent-{serial}")
        ]
        assert (len(registered), len(students)) == (12, 6)
        assert len({view.status for view in registered}) > 1, "confirmed ones and ones that people look at"
        assert len(await records.desk.chats(status=ChatStatus.WAITING)) == 3
        assert len((await records.case_desk.cases(Scope(), CaseFilter())).cases) == 4
        assert (await records.reviews.counts())[Status.OPEN] == 5
        assert len(await records.staff.accounts()) == len(ACCOUNTS)


async def test_campaigns_are_there_after_the_first_start_and_not_twice(records: Records) -> None:
    for _ in range(2):
        await add_campaigns(records)
        page = await records.campaigns.lists.page(limit=10)
        assert [one.state for one in page.campaigns] == [CampaignState.SENT, CampaignState.DRAFT]
        sent = page.progress[page.campaigns[0].id]
        assert sent.counts == {Outcome.DELIVERED: 16, Outcome.FAILED: 1, Outcome.SKIPPED: 1}
        rules = await records.campaigns.automatic.rules.all()
        assert [(rule.kind.value, rule.days) for rule in rules] == [
            ("appointment", 3),
            ("appointment", 1),
            ("opening", 0),
            ("follow_up", 1),
        ]
        assert rules[0].choices


async def test_every_account_can_sign_in_and_has_another_role(records: Records) -> None:
    await add_staff(records, PASSWORD)
    for account in ACCOUNTS:
        assert isinstance(await records.sign_in.verify(account.username, PASSWORD, source="test"), LoggedIn)
    assert len({account.role for account in ACCOUNTS}) == len(ACCOUNTS)
