"""What the console reads: one masked registration, single values opened with a reason and an audit row."""

import pytest

from bot.programmes.service import ProgrammeService
from bot.registrations.errors import ProofMissing, UnknownRegistration
from bot.registrations.records import RegistrationRecords
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import Actor, ActorKind
from bot.staff.audit import AuditTrail
from tests.registrations.factories import application, receipt_of, stage_screening

LIU = Actor(ActorKind.REVIEWER, "liu")


async def test_a_value_is_opened_with_a_reason_and_leaves_an_audit_row(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    records: RegistrationRecords,
    audit: AuditTrail,
) -> None:
    stage = await stage_screening(programmes, 1)
    one = application(1, stage.programme, slot_id=stage.slots[0].id, answers={"note": "行动不便"})
    receipt = receipt_of(await registrations.submit(one))

    async def unmask(field: str, reason: str = "电话核对") -> str:
        return await records.unmask(receipt, field, by=LIU, reason=reason, source="10.0.0.1")

    assert await unmask("phone") == one.phone
    assert await unmask("name") == one.name
    assert await unmask("id_number") == one.id_number
    assert await unmask("answers.note") == "行动不便"
    assert await unmask("answers.nothing") == ""
    with pytest.raises(ProofMissing):
        await unmask("phone", reason="  ")
    with pytest.raises(ValueError, match="openid"):
        await unmask("openid")
    with pytest.raises(UnknownRegistration):
        await records.unmask("none", "phone", by=LIU, reason="x")
    rows = [(event.record.object_id, event.record.reason) for event in await audit.events()]
    assert rows[-1] == (f"{receipt}#phone", "电话核对")
    assert len(rows) == 5
    with pytest.raises(UnknownRegistration):
        await records.get("none")
