"""A follower's rights over their legal cases."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from bot.legal.models import CaseDraft, CaseEvidence, CaseStatus
from bot.legal.personal_data import LegalData
from bot.legal.queue import LegalQueue
from bot.legal.service import LegalService
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock

DRAFT = CaseDraft(
    openid="o-1",
    topic="W1",
    county="sinan",
    name="冉启明",
    phone="13985600018",
    story="工钱没给",
    facts={"debtor": "杨"},
)


class Files:
    """The private store's part in an erasure; refuses as often as it is told to."""

    def __init__(self) -> None:
        self.removed: list[str] = []
        self.refusals = 0

    async def remove(self, file_ref: str) -> None:
        if self.refusals:
            self.refusals -= 1
            raise PermissionError(file_ref)
        self.removed.append(file_ref)


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def legal_data(database: Database, cipher: FieldCipher, clock: MovedClock, files: Files) -> LegalData:
    return LegalData(database, cipher, clock, remove_file=files.remove)


@pytest.fixture
async def receipt(legal: LegalService) -> str:
    receipt = (await legal.open_case(DRAFT, "k-1")).receipt
    await legal.add_evidence(receipt, "o-1", "k-2", kind="image", file_ref="evidence/iou.jpg")
    await legal.add_evidence(receipt, "o-1", "k-3", kind="note", text="欠条照片")
    return receipt


async def test_an_export_opens_everything(legal_data: LegalData, receipt: str) -> None:
    (case,) = json.loads(json.dumps(await legal_data.export("o-1")))
    assert (case["receipt"], case["name"], case["story"]) == (receipt, "冉启明", "工钱没给")
    assert case["facts"] == {"debtor": "杨"}
    assert [item["text"] for item in case["evidence"]] == ["", "欠条照片"]
    assert await legal_data.export("o-2") == []


async def test_an_erased_case_is_a_number_only(
    legal_data: LegalData, legal: LegalService, queue: LegalQueue, files: Files, receipt: str, database: Database
) -> None:
    assert await legal_data.erase("o-1") == 1
    assert files.removed == ["evidence/iou.jpg"]
    assert await legal.cases_of("o-1") == []
    assert await legal_data.export("o-1") == []
    left = await queue.case(receipt)
    assert (left.name, left.phone, left.story, left.facts, left.employer) == ("", "", "", {}, "")
    assert (left.summary.topic, left.summary.county) == ("W1", "sinan")
    assert left.summary.status is CaseStatus.CANCELLED
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(CaseEvidence)) == 0


async def test_erasing_again_touches_nothing(legal_data: LegalData, receipt: str) -> None:  # noqa: ARG001
    await legal_data.erase("o-1")
    assert await legal_data.erase("o-1") == 0


async def test_other_followers_keep_their_cases(legal_data: LegalData, legal: LegalService, receipt: str) -> None:  # noqa: ARG001
    other = await legal.open_case(replace(DRAFT, openid="o-2"), "k-9")
    await legal_data.erase("o-1")
    kept = await legal.find(other.receipt, "o-2")
    assert kept is not None
    assert kept.name == "冉启明"


async def test_a_file_that_cannot_be_removed_leaves_the_case_whole(
    legal_data: LegalData, legal: LegalService, files: Files, receipt: str
) -> None:
    files.refusals = 1
    with pytest.raises(PermissionError):
        await legal_data.erase("o-1")
    kept = await legal.find(receipt, "o-1")
    assert kept is not None
    assert kept.evidence_count == 2
    assert await legal_data.erase("o-1") == 1
