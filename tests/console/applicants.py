"""People who applied, for the tests of the console's pages about registrations."""

from dataclasses import replace
from datetime import date

from bot.programmes.models import ProgrammeKind, ReviewMode
from bot.registrations.outcomes import Application, Submitted
from bot.registrations.statuses import Status
from bot.values.identity import Sex, check_character
from tests.console.served import ServedConsole

SONGTAO, DEJIANG = "520628", "520626"


def number(serial: int) -> str:
    first = f"52{serial // 500:04d}19800520{serial % 500 * 2:03d}"
    return first + check_character(first)


async def screened(console: ServedConsole, serial: int = 1, **changes: object) -> str:
    """A booking of the demonstration's screening; always for a person to review."""
    records = console.records
    programme = await records.programmes.current(ProgrammeKind.HEALTH_SCREENING)
    assert programme is not None
    if programme.review_mode is not ReviewMode.BY_STAFF:
        programme = await records.programmes.edit(
            replace(programme, review_mode=ReviewMode.BY_STAFF), editor="test", note="by staff"
        )
    slots = await records.registrations.slots(programme.id, county=str(changes.get("county", SONGTAO)))
    made = Application(
        programme_id=programme.id,
        openid=f"openid-{serial}",
        key=f"key-{serial}",
        name="龙小芳",
        phone=f"1390000{serial:04d}",
        id_number=number(serial),
        birth_date=date(1980, 5, 20),
        sex=Sex.FEMALE,
        county=SONGTAO,
        slot_id=slots[0].slot_id,
        answers={"hs_employer": "县环卫所", "hs_category": "outdoor", "hs_items": ["breast"]},
        consents={"general": 1, "sensitive": 2, "third_party": 3},
    )
    outcome = await records.registrations.submit(replace(made, **changes))  # type: ignore[arg-type]
    assert isinstance(outcome, Submitted), outcome
    return outcome.receipt


async def studied(console: ServedConsole, serial: int = 1, **changes: object) -> str:
    """An application of the demonstration's work-study."""
    records = console.records
    programme = await records.programmes.current(ProgrammeKind.WORK_STUDY)
    assert programme is not None
    born = date(2006, 1, serial % 9 + 1)
    first = f"522299{born:%Y%m%d}{serial % 500 * 2:03d}"
    made = Application(
        programme_id=programme.id,
        openid=f"student-{serial}",
        key=f"student-{serial}",
        name="杨小妹",
        phone="13800000000",
        id_number=first + check_character(first),
        birth_date=born,
        sex=Sex.FEMALE,
        county=SONGTAO,
        answers={"ws_student_school": "铜仁学院", "ws_hardship": "illness", "ws_hardship_note": "父亲生病"},
        consents={"general": 1, "sensitive": 2, "third_party": 3},
    )
    outcome = await records.registrations.submit(replace(made, **changes))  # type: ignore[arg-type]
    assert isinstance(outcome, Submitted), outcome
    return outcome.receipt


async def status_of(console: ServedConsole, receipt: str, openid: str = "openid-1") -> Status:
    view = await console.records.registrations.find_by_receipt(receipt, openid)
    assert view is not None
    return view.status
