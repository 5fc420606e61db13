"""Rows from before staff could search are found after the worker has been there."""

from sqlalchemy import update

from bot.programmes.service import ProgrammeService
from bot.registrations.filters import Filter
from bot.registrations.listing import RegistrationList
from bot.registrations.models import Registration
from bot.registrations.searching import Search, SearchKey
from bot.registrations.service import RegistrationService
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.registrations.factories import application, receipt_of, stage_screening


async def test_what_searches_need_is_derived_for_old_rows(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    database: Database,
    cipher: FieldCipher,
    clock: MovedClock,
) -> None:
    stage = await stage_screening(programmes, 5)
    for serial in (1, 2, 3):
        made = application(serial, stage.programme, slot_id=stage.slots[0].id, answers={"hs_category": "outdoor"})
        receipt = receipt_of(await registrations.submit(made))
    async with database.transaction() as session:
        await session.execute(update(Registration).values(name_hash=None, category=None))
        broken = update(Registration).where(Registration.receipt == receipt)
        await session.execute(broken.values(name_sealed=b"k1:nonsense"))

    listing, search = RegistrationList(database, clock), Search(cipher)
    key = search.read("杨欧·阿妹", clock.now().date())
    assert isinstance(key, SearchKey)
    assert (await listing.page(Filter(), key=key)).lines == ()
    assert await registrations.derive_lookups() == 3
    assert await registrations.derive_lookups() == 0
    assert len((await listing.page(Filter(), key=key)).lines) == 2
    assert len((await listing.page(Filter(category="outdoor"))).lines) == 2
