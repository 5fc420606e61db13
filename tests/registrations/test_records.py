"""One registration as staff see it: masked, files with a watermark, single values opened by their reader."""

from io import BytesIO

import pytest
from PIL import Image

from bot.programmes.service import ProgrammeService
from bot.registrations.errors import UnknownMaterialFile, UnknownRegistration
from bot.registrations.outcomes import Attached
from bot.registrations.records import SHOW, RegistrationRecords
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import Actor, ActorKind
from bot.staff.audit import AuditTrail
from bot.storage.files import Mark, PrivateFiles
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.registrations.factories import application, receipt_of, stage_screening, stage_work_study
from tests.storage.pdfs import marks_of, scanned_pdf

LIU = Actor(ActorKind.REVIEWER, "liu")


def picture() -> bytes:
    target = BytesIO()
    Image.new("RGB", (300, 200), "white").save(target, "PNG")
    return target.getvalue()


async def test_single_values_are_opened(
    programmes: ProgrammeService, registrations: RegistrationService, records: RegistrationRecords, database: Database
) -> None:
    stage = await stage_screening(programmes, 1)
    answers = {"note": "行动不便", "items": ["a", "b"]}
    one = application(1, stage.programme, slot_id=stage.slots[0].id, answers=answers)
    receipt = receipt_of(await registrations.submit(one))

    async def opened(field: str) -> str | None:
        async with database.reading() as session:
            return await records.reader(receipt, field)(session)

    assert await opened("phone") == one.phone
    assert await opened("name") == one.name
    assert await opened("id_number") == one.id_number
    assert await opened("answers.note") == "行动不便"
    assert await opened("answers.items") == "a、b"
    assert await opened("answers.nothing") is None
    for field in ("openid", "answers", "answers."):
        with pytest.raises(ValueError, match="to unmask"):
            records.reader(receipt, field)
    async with database.reading() as session:
        with pytest.raises(UnknownRegistration):
            await records.reader("none", "phone")(session)
    with pytest.raises(UnknownRegistration):
        await records.get("none")
    assert await records.county_of(receipt) == one.county
    with pytest.raises(UnknownRegistration):
        await records.county_of("none")


async def test_a_file_is_shown_with_a_watermark_and_a_trace_and_to_its_own_registration_only(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    records: RegistrationRecords,
    files: PrivateFiles,
    audit: AuditTrail,
    clock: MovedClock,
) -> None:
    stage = await stage_work_study(programmes, {"德江县": 2})
    receipts = [receipt_of(await registrations.submit(application(serial, stage.programme))) for serial in (1, 2)]
    stored = await files.save(picture(), owner="openid-1", purpose="student_card")
    attached = await registrations.attach_material(receipts[0], "openid-1", "student_card", stored.id, "delivery-9")
    assert isinstance(attached, Attached)
    shown = await records.show_material(receipts[0], 1, by=LIU, source="10.0.0.1")
    assert (shown.media_type, shown.code) == ("image/jpeg", "student_card")
    with Image.open(BytesIO(shown.data)) as marked:
        assert marked.size == (300, 200)
        assert len(marked.convert("L").getcolors() or []) > 10, "nothing is written over the white picture"
    mark = Mark(f"仅供{stage.programme.title}办理", f"liu {clock.now():%Y-%m-%d %H:%M}")
    assert shown.data == (await files.marked(await files.read(stored.id), mark))[0]
    scan = await files.save(scanned_pdf(), owner="openid-1", purpose="hardship_proof")
    attached = await registrations.attach_material(receipts[0], "openid-1", "hardship_proof", scan.id, "delivery-10")
    assert isinstance(attached, Attached)
    shown = await records.show_material(receipts[0], 2, by=LIU, source="10.0.0.1")
    assert (shown.media_type, shown.code) == ("application/pdf", "hardship_proof")
    assert marks_of(shown.data) == 2
    with pytest.raises(UnknownMaterialFile):
        await records.show_material(receipts[1], 1, by=LIU)
    event = (await audit.events(action=SHOW))[-1]
    assert (event.record.actor, event.record.object_id, event.record.reason) == ("liu", receipts[0], "student_card")
