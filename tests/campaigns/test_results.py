"""What came of a campaign, and its workbook."""

from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import Select, func, select, update

from bot.campaigns.export import KIND, CampaignExport, params_of, write_workbook
from bot.campaigns.models import Campaign, CampaignBatch, CampaignState, Outcome, Recipient
from bot.campaigns.opt_outs import OptOuts
from bot.campaigns.personal_data import CampaignData
from bot.campaigns.progress import CampaignLists
from bot.campaigns.results import CampaignResults
from bot.campaigns.service import CampaignService
from bot.programmes.service import ProgrammeService
from bot.registrations.models import Registration
from bot.registrations.places import RowPlaceLock
from bot.registrations.service import RegistrationService
from bot.staff.audit import AuditTrail
from bot.staff.tasks.leases import TaskLeases
from bot.staff.tasks.models import TaskState
from bot.staff.tasks.runner import TaskRunner
from bot.staff.tasks.service import NoTaskQueue, TaskBook
from bot.storage.encryption import FieldCipher
from bot.storage.files import PrivateFiles
from bot.storage.sql import Database
from bot.turns.log import TurnLog, TurnRecord
from bot.values.clock import MovedClock
from tests.campaigns.people import add_followers, draft, openid, started
from tests.registrations.factories import stage_screening, submitted


@pytest.fixture
def turn_log(database: Database, cipher: FieldCipher) -> TurnLog:
    return TurnLog(database, cipher)


@pytest.fixture
def results(database: Database, lists: CampaignLists, turn_log: TurnLog) -> CampaignResults:
    return CampaignResults(database, lists, turn_log)


@pytest.fixture
async def campaign_id(database: Database, clock: MovedClock, service: CampaignService, opt_outs: OptOuts) -> int:
    """A campaign to ten, sent this morning: seven got it, two failed, one had opted out."""
    await add_followers(database, range(10), clock.now())
    await opt_outs.opt_out(openid(9), source="chat")
    clock.move(timedelta(hours=1))
    campaign = await started(service, draft(programme_id="screening", attribution_days=2))
    failed = Recipient.openid.in_([openid(7), openid(8)])
    async with database.transaction() as session:
        sent = update(Recipient).where(Recipient.outcome == "queued")
        await session.execute(sent.values(outcome="delivered", at=clock.now()))
        await session.execute(update(Recipient).where(failed).values(outcome="failed", code=45002))
        await session.execute(update(CampaignBatch).values(queued=0, delivered=7, failed=2, state="finished"))
        row = await session.get_one(Campaign, campaign.id)
        row.state, row.finished_at = CampaignState.SENT.value, clock.now()
    return campaign.id


def turn(key: str, who: str, clock: MovedClock, kind: str = "TextMessage") -> TurnRecord:
    return TurnRecord(
        key=key,
        openid=who,
        received_at=clock.now(),
        kind=kind,
        said="",
        answered=[],
        intent=None,
        confidence=None,
        certainty=None,
        flow=None,
        trace=[],
        took_ms=1,
        late=False,
    )


async def test_the_figures(
    results: CampaignResults,
    campaign_id: int,
    database: Database,
    clock: MovedClock,
    cipher: FieldCipher,
    opt_outs: OptOuts,
    turn_log: TurnLog,
) -> None:
    clock.move(timedelta(hours=1))
    stage = await stage_screening(ProgrammeService(database, clock), 5)
    registrations = RegistrationService(database, cipher, clock, RowPlaceLock())
    await submitted(registrations, stage, 1, 2, 3)
    # The third of them had not got the message, the fourth registers too late.
    for serial, number in ((1, 1), (2, 2), (3, 8)):
        async with database.transaction() as session:
            mine = update(Registration).where(Registration.openid == f"openid-{serial}")
            await session.execute(mine.values(openid=openid(number)))
    await opt_outs.opt_out(openid(3), source="chat")
    await turn_log.write(
        [
            turn("a", openid(1), clock),
            turn("b", openid(1), clock),
            turn("c", openid(2), clock, "MenuClicked"),
            turn("d", openid(8), clock),
        ]
    )
    clock.move(timedelta(days=3))
    await submitted(registrations, stage, 4)
    async with database.transaction() as session:
        late = update(Registration).where(Registration.openid == "openid-4")
        await session.execute(late.values(openid=openid(4)))
    found = await results.of(campaign_id)
    assert found.progress.counts == {Outcome.DELIVERED: 7, Outcome.FAILED: 2, Outcome.SKIPPED: 1}
    assert (found.failed, found.skipped) == ({45002: 2}, {"opted_out": 1})
    assert (found.replied, found.registered, found.opted_out) == (1, 2, 1)
    assert [(day.registrations, day.opt_outs) for day in found.days] == [(2, 1)]


async def test_recipients_are_masked_and_paged(results: CampaignResults, campaign_id: int) -> None:
    first, following = await results.recipients(campaign_id, limit=6)
    assert following is not None
    rest, end = await results.recipients(campaign_id, after=following, limit=6)
    assert (len(first), len(rest), end) == (6, 4, None)
    assert all(openid(0)[5:25] not in row.openid_masked for row in first)
    failed, _ = await results.recipients(campaign_id, outcome=Outcome.FAILED)
    assert [row.code for row in failed] == [45002, 45002]


async def test_the_workbook(
    results: CampaignResults,
    campaign_id: int,
    database: Database,
    clock: MovedClock,
    cipher: FieldCipher,
    audit: AuditTrail,
    tmp_path: Path,
) -> None:
    files = PrivateFiles(tmp_path, cipher)
    book = TaskBook(database, cipher, clock, trail=audit, queue=NoTaskQueue(), files=files)
    leases = TaskLeases(database, cipher, clock)
    runner = TaskRunner(leases, {KIND: CampaignExport(results, files, clock)})
    task = await book.start(KIND, owner="wang", params=params_of(campaign_id), key="k")
    await runner.run(task.id)
    done, file = await book.fetch(task.id, owner="wang")
    assert (done.state, done.summary) == (TaskState.DONE, {"rows": 10})
    sheets = CalamineWorkbook.from_filelike(BytesIO(file.data))
    figures = {row[0]: row[1] for row in sheets.get_sheet_by_name("总览").to_python()}
    assert (figures["应发人数"], figures["已送达"], figures["失败：代码 45002"]) == (9, 7, 2)
    rows = sheets.get_sheet_by_name("名单").to_python()
    assert len(rows) == 11
    assert [row[1:3] for row in rows[1:]].count(["未发送", "已退订"]) == 1


async def test_a_list_that_is_longer_than_a_sheet_goes_on_in_the_next(
    results: CampaignResults, campaign_id: int, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []

    async def progress(done: int, total: int) -> None:
        told.append((done, total))

    path = tmp_path / "results.xlsx"
    assert await write_workbook(results, campaign_id, path, "wang", progress, rows_max=5) == 10
    book = CalamineWorkbook.from_path(path)
    assert book.sheet_names == ["总览", "名单", "名单 2", "名单 3"]
    pages = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names[1:]]
    assert [len(rows) for rows in pages] == [5, 5, 3]
    assert pages[0][0] == pages[1][0] == pages[2][0]
    assert told[-1] == (10, 10)


async def test_a_followers_data_is_shown_and_erased(campaign_id: int, database: Database) -> None:
    data = CampaignData(database)
    exported = await data.export(openid(9))
    assert [row["outcome"] for row in exported["sent"]] == ["skipped"]
    assert len(exported["opted_out"]) == 1
    assert await data.erase(openid(9)) == 2
    assert await data.erase(openid(9)) == 0
    assert await data.export(openid(9)) == {}
    query: Select[int] = select(func.count()).select_from(Recipient).where(Recipient.campaign_id == campaign_id)
    async with database.reading() as session:
        assert await session.scalar(query) == 9
