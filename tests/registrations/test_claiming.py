"""What a unit registered becomes the person's own, who can then withdraw it."""

from sqlalchemy import update

from bot.programmes.service import ProgrammeService
from bot.registrations.journal import unit_holder
from bot.registrations.models import Registration
from bot.registrations.outcomes import Cancelled, Claimed, NotFound
from bot.registrations.records import RegistrationRecords
from bot.registrations.service import RegistrationService
from bot.storage.sql import Database
from tests.registrations.factories import application, number, receipt_of, stage_screening

PHONE = "13900000001"


async def by_unit(registrations: RegistrationService, programmes: ProgrammeService, database: Database) -> str:
    """A registration that a unit made for person 1."""
    stage = await stage_screening(programmes, 3)
    made = application(1, stage.programme, slot_id=stage.slots[0].id, phone=PHONE)
    receipt = receipt_of(await registrations.submit(made))
    async with database.transaction() as session:
        await session.execute(update(Registration).values(openid=unit_holder(7)))
    return receipt


async def test_the_person_takes_it_over_and_withdraws_it(
    programmes: ProgrammeService, registrations: RegistrationService, records: RegistrationRecords, database: Database
) -> None:
    receipt = await by_unit(registrations, programmes, database)
    assert await registrations.find_for("openid-9") == ()
    outcome = await registrations.claim(number(1), PHONE, "openid-9", "key-1")
    assert outcome == Claimed((receipt,))
    assert await registrations.claim(number(1), PHONE, "openid-9", "key-1") == outcome
    assert [view.receipt for view in await registrations.find_for("openid-9")] == [receipt]
    assert isinstance(await registrations.cancel(receipt, "openid-9", "key-2", note="本人不知情"), Cancelled)
    assert [line.reason for line in await records.history(receipt)][-2:] == ["claimed", "by_applicant_request"]


async def test_nobody_else_takes_it_over(
    programmes: ProgrammeService, registrations: RegistrationService, database: Database
) -> None:
    receipt = await by_unit(registrations, programmes, database)
    assert await registrations.claim(number(1), "13900000002", "openid-9", "key-1") == NotFound()
    assert await registrations.claim(number(2), PHONE, "openid-9", "key-2") == NotFound()
    assert await registrations.claim(number(1), PHONE, "openid-9", "key-3") == Claimed((receipt,))
    # Once taken over it is somebody's own.
    assert await registrations.claim(number(1), PHONE, "openid-8", "key-4") == NotFound()
