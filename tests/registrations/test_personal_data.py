"""Export and erasure of a follower's registrations."""

from sqlalchemy import text

from bot.programmes.service import ProgrammeService
from bot.registrations.personal_data import RegistrationData
from bot.registrations.places import RowPlaceLock
from bot.registrations.service import RegistrationService
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.registrations.factories import (
    application,
    receipt_of,
    stage_screening,
    stage_work_study,
    statuses,
    submitted,
)


class RemovedFiles:
    """Remembers which files were deleted."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    async def remove(self, file_id: str) -> None:
        self.ids.append(file_id)


async def test_an_export_holds_everything_in_plain(
    database: Database,
    programmes: ProgrammeService,
    registrations: RegistrationService,
    cipher: FieldCipher,
    clock: MovedClock,
) -> None:
    stage = await stage_screening(programmes, 1)
    one = application(1, stage.programme, slot_id=stage.slots[0].id)
    receipt = receipt_of(await registrations.submit(one))
    data = RegistrationData(database, cipher, clock, RowPlaceLock(), remove_file=RemovedFiles().remove)

    exported = await data.export("openid-1")

    assert isinstance(exported, list)
    (part,) = exported
    assert isinstance(part, dict)
    assert part["receipt"] == receipt
    particulars = part["particulars"]
    assert isinstance(particulars, dict)
    assert (particulars["name"], particulars["id_number"]) == (one.name, one.id_number)
    assert await data.export("openid-2") == []


async def test_an_erasure_cancels_strips_and_passes_the_place_on(
    database: Database,
    programmes: ProgrammeService,
    registrations: RegistrationService,
    cipher: FieldCipher,
    clock: MovedClock,
) -> None:
    files = RemovedFiles()
    data = RegistrationData(database, cipher, clock, RowPlaceLock(), remove_file=files.remove)
    screening = await stage_screening(programmes, 1)
    await submitted(registrations, screening, 1, 2)
    study = await stage_work_study(programmes, {})
    receipt = receipt_of(await registrations.submit(application(1, study.programme, key="ws")))
    await registrations.attach_material(receipt, "openid-1", "student_card", "file-1", "m")
    await registrations.hold_place(screening.programme.id, screening.slots[0].id, "openid-1", "h")

    assert await data.erase("openid-1") == 2

    assert files.ids == ["file-1"]
    (next_one,) = await registrations.find_for("openid-2")
    assert next_one.offer_expires_at is not None
    assert await registrations.find_for("openid-1") == ()
    assert await statuses(registrations, 2) == ["waitlisted 1"]
    async with database.reading() as session:
        tables = ("registrations", "registration_changes", "registration_notices", "registration_holds")
        kept = [str((await session.execute(text(f"SELECT * FROM {table}"))).all()) for table in tables]  # noqa: S608
    assert "openid-1'" not in "".join(kept)
    assert await data.export("openid-1") == []
    assert await data.erase("openid-1") == 0


async def test_an_erased_person_may_register_again(
    database: Database,
    programmes: ProgrammeService,
    registrations: RegistrationService,
    cipher: FieldCipher,
    clock: MovedClock,
) -> None:
    data = RegistrationData(database, cipher, clock, RowPlaceLock(), remove_file=RemovedFiles().remove)
    stage = await stage_screening(programmes, 1)
    (first,) = await submitted(registrations, stage, 1)
    await data.erase("openid-1")
    again = application(1, stage.programme, slot_id=stage.slots[0].id, key="again")
    assert receipt_of(await registrations.submit(again)) != first
