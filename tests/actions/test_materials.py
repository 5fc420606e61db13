"""Files of a registration where conversations do not reach: the same message twice, too many, no longer wanted."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest

from actions.materials import MaterialDesk
from bot.dialogue.events import ActionContext, Say, SetSlots, SlotValue
from bot.programmes.service import ProgrammeService
from bot.registrations.places import RowPlaceLock
from bot.registrations.service import RegistrationService
from bot.storage.encryption import FieldCipher
from bot.storage.files import PrivateFiles
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.registrations.factories import Stage, application, receipt_of, stage_work_study
from tests.storage.pdfs import blank_pdf, locked_pdf
from tests.storage.pictures import phone_photo


class Album:
    """Hands out the same file for every id; a photo where nothing else is given."""

    def __init__(self, content: bytes | None = None) -> None:
        self._content = phone_photo() if content is None else content

    async def picture(self, media_id: str) -> bytes:
        assert media_id
        return self._content


@pytest.fixture
def registrations(sqlite_database: Database, cipher: FieldCipher, clock: MovedClock) -> RegistrationService:
    return RegistrationService(sqlite_database, cipher, clock, RowPlaceLock())


@pytest.fixture
async def stage(sqlite_database: Database, clock: MovedClock) -> Stage:
    return await stage_work_study(ProgrammeService(sqlite_database, clock), {"碧江区": 2})


@pytest.fixture
async def receipt(registrations: RegistrationService, stage: Stage) -> str:
    """A registration that wants a student card and a proof."""
    one = application(1, stage.programme, answers={"hardship": "illness"}, consents={"sensitive": 1})
    return receipt_of(await registrations.submit(one))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


@pytest.fixture
def desk(registrations: RegistrationService, cipher: FieldCipher, folder: Path) -> MaterialDesk:
    return MaterialDesk(registrations, PrivateFiles(folder, cipher), Album())


def kept(folder: Path) -> int:
    """How many files there are."""
    return sum(path.is_file() for path in folder.rglob("*"))


def message(clock: MovedClock, slots: Mapping[str, SlotValue], key: str) -> ActionContext:
    """What an action is given for a photo that came with the delivery ``key``."""
    moment: datetime = clock.now()
    asked: dict[str, SlotValue] = {"ws_material": "media", "ws_missing_label": "学生证", **slots}
    return ActionContext("openid-1", "register_work_study", asked, key, moment)


async def test_a_message_that_is_worked_on_twice_keeps_one_file(
    desk: MaterialDesk, stage: Stage, receipt: str, folder: Path, clock: MovedClock
) -> None:
    asked: dict[str, SlotValue] = {"ws_missing_code": "student_card", "ws_wanted": ["student_card", "hardship_proof"]}
    first = await desk.store(message(clock, asked, "delivery:1"), receipt=receipt, programme=stage.programme)
    assert kept(folder) == 1
    again = await desk.store(message(clock, asked, "delivery:1"), receipt=receipt, programme=stage.programme)
    assert (again, kept(folder)) == (first, 1)
    # Another message is another file.
    await desk.store(message(clock, asked, "delivery:2"), receipt=receipt, programme=stage.programme)
    assert kept(folder) == 2


async def test_more_files_than_the_programme_takes_are_not_kept(
    desk: MaterialDesk, stage: Stage, receipt: str, folder: Path, clock: MovedClock
) -> None:
    asked: dict[str, SlotValue] = {"ws_missing_code": "student_card", "ws_wanted": ["student_card"]}
    for number in range(stage.programme.materials_max):
        await desk.store(message(clock, asked, f"delivery:{number}"), receipt=receipt, programme=stage.programme)
    events = await desk.store(message(clock, asked, "one more"), receipt=receipt, programme=stage.programme)
    assert Say("utter_ws_material_unneeded") in events
    assert kept(folder) == stage.programme.materials_max


async def test_a_file_for_a_registration_that_was_cancelled_meanwhile_is_not_kept(
    desk: MaterialDesk,
    registrations: RegistrationService,
    stage: Stage,
    receipt: str,
    folder: Path,
    clock: MovedClock,
) -> None:
    await registrations.cancel(receipt, "openid-1", "cancelled")
    asked: dict[str, SlotValue] = {"ws_missing_code": "student_card", "ws_wanted": ["student_card"]}
    events = await desk.store(message(clock, asked, "delivery:1"), receipt=receipt, programme=stage.programme)
    assert Say("utter_ws_material_unneeded") in events
    assert kept(folder) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (locked_pdf("1234"), "utter_file_locked"),
        (blank_pdf(201), "utter_file_too_long"),
        (b"%PDF-1.4", "utter_ws_material_refused"),
    ],
    ids=["locked", "long", "broken"],
)
async def test_why_a_file_is_not_taken_is_said_and_it_is_asked_for_again(
    registrations: RegistrationService,
    cipher: FieldCipher,
    stage: Stage,
    receipt: str,
    folder: Path,
    clock: MovedClock,
    content: bytes,
    said: str,
) -> None:
    desk = MaterialDesk(registrations, PrivateFiles(folder, cipher), Album(content))
    asked: dict[str, SlotValue] = {"ws_missing_code": "student_card", "ws_wanted": ["student_card"]}
    events = await desk.store(message(clock, asked, "delivery:1"), receipt=receipt, programme=stage.programme)
    assert events == [SetSlots({"ws_material": None}), Say(said)]
    assert kept(folder) == 0
