"""What the console reads: pages, one masked registration, single values opened with a reason and an audit row."""

import pytest

from bot.programmes.models import PriorityRule
from bot.programmes.service import ProgrammeService
from bot.registrations.errors import ProofMissing, UnknownRegistration
from bot.registrations.records import Filter, RegistrationRecords
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import Actor, ActorKind, Status
from bot.staff.audit import AuditTrail
from tests.registrations.factories import application, receipt_of, stage_screening, submitted

LIU = Actor(ActorKind.REVIEWER, "liu")


async def test_pages_are_narrowed_and_ordered_by_priority_and_arrival(
    programmes: ProgrammeService, registrations: RegistrationService, records: RegistrationRecords
) -> None:
    rules = (PriorityRule("环卫", 10, {"category": ("outdoor",)}),)
    stage = await stage_screening(programmes, 2, priority_rules=rules)
    a, b = await submitted(registrations, stage, 1, 2)
    outdoor = application(3, stage.programme, slot_id=stage.slots[0].id, answers={"category": "outdoor"})
    c = receipt_of(await registrations.submit(outdoor))
    d = receipt_of(
        await registrations.submit(application(4, stage.programme, slot_id=stage.slots[0].id, county="德江县"))
    )

    async def found(wanted: Filter, offset: int = 0, limit: int = 50) -> tuple[list[str], int]:
        page = await records.page(wanted, offset=offset, limit=limit)
        return [view.receipt for view in page.registrations], page.total

    assert await found(Filter()) == ([c, a, b, d], 4)
    assert await found(Filter(), offset=1, limit=2) == ([a, b], 4)
    assert await found(Filter(statuses=[Status.WAITLISTED])) == ([c, d], 2)
    assert await found(Filter(counties=["德江县"], programme_id="screening")) == ([d], 1)
    assert await found(Filter(slot_id=stage.slots[0].id, needs_review=True)) == ([], 0)
    assert await records.sharing_phone(a) == 3


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
