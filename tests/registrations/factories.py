"""Programmes, slots and applications for the tests of registrations."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from bot.programmes.models import (
    ConsentText,
    MaterialRule,
    Post,
    Programme,
    ProgrammeKind,
    ProgrammeStatus,
    ReviewMode,
    Site,
    Slot,
)
from bot.programmes.service import ProgrammeService
from bot.registrations.outcomes import Application, SubmitOutcome, Submitted
from bot.registrations.review import Decision
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import Actor, ActorKind
from bot.values.clock import LOCAL_ZONE
from bot.values.identity import Sex, check_character

MONDAY = datetime(2026, 6, 15, 10, 0, tzinfo=LOCAL_ZONE)
BORN = date(1980, 5, 20)
TO_THE_DAY = timedelta(days=4, hours=21)
"""From ``MONDAY`` to the morning of the first slots' day, an hour before the first of them."""


def screening(**changes: object) -> Programme:
    """A screening that is open, confirms with the place, and has a waiting list of a thousand a slot."""
    programme = Programme(
        id="screening",
        kind=ProgrammeKind.HEALTH_SCREENING,
        title="女职工健康筛查",
        open_at=MONDAY - timedelta(days=1),
        close_at=MONDAY + timedelta(days=20),
        service_start=date(2026, 6, 20),
        service_end=date(2026, 6, 30),
        status=ProgrammeStatus.PUBLISHED,
        review_mode=ReviewMode.ON_PLACE,
        waitlist_size=1000,
        waitlist_hold_hours=12,
        slot_hold_minutes=10,
        cancel_deadline_hours=24,
        age_min=35,
        age_max=64,
        sex=Sex.FEMALE,
        repeat_interval_months=24,
        consents=(ConsentText("sensitive", "1", "…"), ConsentText("third_party", "1", "…")),
    )
    return replace(programme, **changes)  # type: ignore[arg-type]  # field names are checked by replace itself


def work_study(**changes: object) -> Programme:
    """A work-study programme that is open: ten places, three of them in 碧江区, people decide."""
    programme = Programme(
        id="work-study",
        kind=ProgrammeKind.WORK_STUDY,
        title="困难职工子女勤工俭学",
        open_at=MONDAY - timedelta(days=1),
        close_at=MONDAY + timedelta(days=10),
        service_start=date(2026, 7, 15),
        service_end=date(2026, 8, 14),
        status=ProgrammeStatus.PUBLISHED,
        quota_total=10,
        quota_by_county={"碧江区": 3},
        waitlist_size=5,
        waitlist_hold_hours=48,
        consents=(ConsentText("sensitive", "1", "…"), ConsentText("guardian", "1", "…", {"minor": ("yes",)})),
        required_materials=(
            MaterialRule("student_card", "学生证"),
            MaterialRule("hardship_proof", "困难佐证", {"hardship": ("illness", "disaster")}),
            MaterialRule("guardian_consent", "监护人同意书", {"minor": ("yes",)}),
            MaterialRule("id_photo", "证件照片", stage="placed"),
        ),
        materials_max=3,
    )
    return replace(programme, **changes)  # type: ignore[arg-type]  # field names are checked by replace itself


def number(serial: int, born: date = BORN) -> str:
    """A well-formed identity number of a woman nobody is (even order numbers are female)."""
    first = f"52{serial // 500:04d}{born:%Y%m%d}{serial % 500 * 2:03d}"
    return first + check_character(first)


def application(serial: int, programme: Programme, **changes: object) -> Application:
    """The application of follower ``serial``, complete and without findings."""
    made = Application(
        programme_id=programme.id,
        openid=f"openid-{serial}",
        key=f"delivery-{serial}",
        name="杨欧·阿妹",
        phone="13800000000",
        id_number=number(serial),
        birth_date=BORN,
        sex=Sex.FEMALE,
        county="松桃苗族自治县",
        answers={"employer": "环卫所"},
        consents={"sensitive": 1, "third_party": 2},
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # field names are checked by replace itself


def receipt_of(outcome: SubmitOutcome) -> str:
    """The receipt of an application that was stored."""
    assert isinstance(outcome, Submitted), outcome
    return outcome.receipt


@dataclass(frozen=True, slots=True)
class Stage:
    """A stored programme with slots (of one site, two hours apart) or posts."""

    programme: Programme
    slots: tuple[Slot, ...] = ()
    posts: tuple[Post, ...] = ()


async def stage_screening(programmes: ProgrammeService, *capacities: int, **changes: object) -> Stage:
    """Store a screening with a slot for each of ``capacities``, all on 20 June, at 8, 10, 12 …"""
    programme = await programmes.create(screening(**changes), editor="test")
    (site,) = await programmes.add_sites([site_of(programme)], editor="test")
    day = date(2026, 6, 20)
    slots = [
        Slot(
            programme_id=programme.id,
            site_id=site.id,
            day=day + timedelta(days=index // 6),
            start=time(8 + 2 * (index % 6)),
            end=time(9 + 2 * (index % 6)),
            capacity=capacity,
        )
        for index, capacity in enumerate(capacities)
    ]
    stored = await programmes.add_slots(slots, editor="test")
    return Stage(await programmes.get(programme.id), slots=stored)


def site_of(programme: Programme, code: str = "a", county: str = "松桃苗族自治县") -> Site:
    return Site(programme_id=programme.id, code=code, name="县妇幼", county=county, address="某路 1 号")


async def stage_work_study(programmes: ProgrammeService, places: Mapping[str, int], **changes: object) -> Stage:
    """Store a work-study programme with a post for each county in ``places``."""
    programme = await programmes.create(work_study(**changes), editor="test")
    posts = [
        Post(programme_id=programme.id, code=county, unit="工会驿站", title="助理", county=county, places=count)
        for county, count in places.items()
    ]
    stored = await programmes.add_posts(posts, editor="test")
    return Stage(await programmes.get(programme.id), posts=stored)


def by_staff(receipt: str, reason: str, *, kind: ActorKind = ActorKind.REVIEWER, key: str = "") -> Decision:
    """A decision of the member of staff ``liu``; its key is its own unless given."""
    return Decision(receipt=receipt, by=Actor(kind, "liu"), key=key or f"{receipt}-{reason}", reason=reason)


async def submitted(service: RegistrationService, stage: Stage, *serials: int, slot: int = 0) -> list[str]:
    """Submit for one slot of a screening, one follower after the other; return the receipts."""
    slot_id = stage.slots[slot].id
    return [
        receipt_of(await service.submit(application(serial, stage.programme, slot_id=slot_id))) for serial in serials
    ]


async def statuses(service: RegistrationService, *serials: int) -> list[str]:
    """The status of each follower's latest registration, with the rank of those who wait."""
    found = [(await service.find_for(f"openid-{serial}"))[0] for serial in serials]
    return [
        view.status.value + (f" {view.waitlist_position}" if view.waitlist_position is not None else "")
        for view in found
    ]
