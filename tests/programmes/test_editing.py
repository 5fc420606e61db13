"""What staff do to programmes, on both databases: nothing is lost, nothing half-made is seen, everything is known."""

import asyncio
from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from bot.programmes.copying import Copying, copy_of, days_between
from bot.programmes.editing import By, ProgrammeEditor
from bot.programmes.errors import EditConflict, InvalidProgramme, NotReady, UnknownProgramme, UnknownVersion
from bot.programmes.models import ConsentText, Post, Programme, ProgrammeKind, ProgrammeStatus, Site, Slot
from bot.programmes.overview import Position, ProgrammeOverview
from bot.programmes.readiness import NEEDED_CONSENTS
from bot.programmes.service import ProgrammeService
from bot.staff.audit import AuditTrail
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from bot.values.problem import Problem
from tests.registrations.factories import screening, work_study

CONSENTS = tuple(ConsentText(code, "1", "…") for code in NEEDED_CONSENTS[ProgrammeKind.HEALTH_SCREENING])


@pytest.fixture
def service(database: Database, clock: MovedClock) -> ProgrammeService:
    return ProgrammeService(database, clock)


async def _complete(service: ProgrammeService, programme: Programme) -> Slot:
    """Give a screening a site and a slot."""
    [site] = await service.add_sites(
        [Site(programme_id=programme.id, code="a", name="医院", county="520602", address="路")], editor="liu"
    )
    [slot] = await service.add_slots(
        [
            Slot(
                programme_id=programme.id,
                site_id=site.id,
                day=date(2026, 6, 22),
                start=time(8, 30),
                end=time(9, 30),
                capacity=3,
            )
        ],
        editor="liu",
    )
    return slot


def _ready(**changes: object) -> Programme:
    said = {"contact": "市总工会", "notice_text": "面向女职工", "elsewhere_text": "…", "consents": CONSENTS}
    return screening(**{**said, **changes})


async def test_a_new_programme_is_a_draft_that_followers_do_not_see(
    editor: ProgrammeEditor, service: ProgrammeService, trail: AuditTrail, by: By
) -> None:
    made = await editor.create(screening(), by)
    again = await editor.create(screening(title="按了两次"), by)
    assert made == again
    assert (made.status, made.version) == (ProgrammeStatus.DRAFT, 1)
    assert await service.published() == ()
    [event] = await trail.events(object_kind="programme")
    assert (event.record.action, event.record.object_id) == ("programmes:programme:create", "screening")
    assert (event.record.actor, event.record.source) == ("liu", "10.0.0.1")
    with pytest.raises(InvalidProgramme):
        await editor.create(screening(id="x", age_min=60, age_max=50), by)


async def test_a_copy_takes_rows_along_and_moves_every_day(
    editor: ProgrammeEditor, service: ProgrammeService, overview: ProgrammeOverview, by: By
) -> None:
    source = await service.create(screening(age_base_date=date(2026, 6, 1)), editor="liu")
    slot = await _complete(service, source)
    await service.edit_row(replace(slot, capacity=5), editor="liu", note="")
    await service.add_posts(
        [Post(programme_id=source.id, code="p", unit="u", title="t", county="520602", places=1)], editor="liu"
    )
    days = days_between(source, date(2026, 9, 21))
    target = copy_of(source, "autumn", "秋季筛查", days)
    copied = await editor.copy(source.id, target, Copying(days, slots=True), by)
    assert copied == await editor.copy(source.id, target, Copying(days, slots=True), by)

    assert (copied.status, copied.version) == (ProgrammeStatus.DRAFT, 1)
    assert copied.service_start == date(2026, 9, 21)
    assert copied.open_at - source.open_at == timedelta(days=days)
    assert copied.age_base_date == date(2026, 6, 1) + timedelta(days=days)
    [site] = await overview.sites("autumn")
    [new_slot] = (await overview.week("autumn", date(2026, 9, 21))).slots
    assert (new_slot.site_id, new_slot.capacity) == (site.id, 5)
    assert new_slot.day == slot.day + timedelta(days=days)
    assert [post.code for post in await overview.posts("autumn")] == ["p"]
    assert len((await overview.week("screening", slot.day)).slots) == 1

    await editor.copy(source.id, replace(target, id="bare"), Copying(days, sites=False, posts=False), by)
    assert await overview.sites("bare") == ()
    assert await overview.posts("bare") == ()
    with pytest.raises(UnknownProgramme):
        await editor.copy("nothing", replace(target, id="x"), Copying(days), by)


async def test_saving_keeps_the_status_and_a_second_press_makes_no_second_version(
    editor: ProgrammeEditor, service: ProgrammeService, by: By
) -> None:
    made = await editor.create(screening(), by)
    changed = replace(made, title="改名", status=ProgrammeStatus.PUBLISHED)
    saved = await editor.save(changed, by)
    assert isinstance(saved, Programme)
    assert (saved.version, saved.title, saved.status) == (2, "改名", ProgrammeStatus.DRAFT)
    again = await editor.save(replace(made, title="改名"), by)
    assert again == saved
    assert len(await service.history(made.id)) == 2
    with pytest.raises(EditConflict) as conflict:
        await editor.save(replace(made, title="别的"), by)
    assert conflict.value.fields == {"programme_id": "screening", "read": 1, "stored": 2}


async def test_of_two_who_save_at_once_one_is_told(editor: ProgrammeEditor, by: By) -> None:
    made = await editor.create(screening(), by)
    edits = [editor.save(replace(made, title=title), by) for title in ("甲", "乙")]
    outcomes = await asyncio.gather(*edits, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["EditConflict", "Programme"]


async def test_a_consent_text_changes_with_its_version_code_alone(editor: ProgrammeEditor, by: By) -> None:
    made = await editor.create(_ready(), by)
    reworded = replace(made.consents[0], text="别的")
    others = made.consents[1:]
    refused = await editor.save(replace(made, consents=(reworded, *others)), by)
    assert refused == Problem("programme.consent_needs_version", {"codes": "general"})
    saved = await editor.save(replace(made, consents=(replace(reworded, version="2"), *others)), by)
    assert isinstance(saved, Programme)


async def test_a_programme_opens_only_when_everything_is_there(
    editor: ProgrammeEditor, service: ProgrammeService, trail: AuditTrail, by: By
) -> None:
    bare = await editor.create(screening(consents=()), by)
    missing = {lack.code.removeprefix("programme.lacks.") for lack in await editor.readiness(bare.id)}
    assert missing == {"contact", "notice", "elsewhere", "consents", "sites", "slots"}
    with pytest.raises(NotReady):
        await editor.open(bare.id, 1, by)

    filled = await editor.save(_ready(version=1), by)
    assert isinstance(filled, Programme)
    await _complete(service, filled)
    assert await editor.readiness(bare.id) == ()
    opened = await editor.open(bare.id, 4, by)
    assert (opened.status, opened.version) == (ProgrammeStatus.PUBLISHED, 5)
    assert await editor.open(bare.id, 4, by) == opened
    assert [programme.id for programme in await service.published()] == [bare.id]

    closed = await editor.close(bare.id, 5, by)
    assert (await editor.close(bare.id, 5, by)).version == closed.version == 6
    with pytest.raises(EditConflict):
        await editor.open(bare.id, 5, by)
    assert (await editor.open(bare.id, 6, by)).status is ProgrammeStatus.PUBLISHED
    steps = [event.record.action.rpartition(":")[2] for event in await trail.events(object_id=bare.id)]
    assert steps == ["reopen", "close", "open", "edit", "create"]


async def test_what_is_over_or_outside_is_noticed(
    editor: ProgrammeEditor, service: ProgrammeService, clock: MovedClock, by: By
) -> None:
    made = await editor.create(_ready(service_start=date(2026, 6, 23)), by)
    await _complete(service, made)
    [outside] = await editor.readiness(made.id)
    assert (outside.code, outside.blocks) == ("programme.lacks.slots_outside", False)
    clock.move(timedelta(days=30))
    codes = {lack.code for lack in await editor.readiness(made.id)}
    assert {"programme.lacks.window_over", "programme.lacks.service_over", "programme.lacks.slots"} <= codes


async def test_work_study_needs_posts_and_consents_name_who_receives(editor: ProgrammeEditor, by: By) -> None:
    named = ConsentText("third_party", "1", "提供给{recipients}")
    consents = (CONSENTS[0], CONSENTS[1], named)
    said = {"contact": "市总工会", "notice_text": "…", "elsewhere_text": "…"}
    made = await editor.create(work_study(**said, consents=consents, quota_total=None), by)
    lacks = {lack.code: lack.blocks for lack in await editor.readiness(made.id)}
    assert lacks == {
        "programme.lacks.recipients": True,
        "programme.lacks.posts": True,
        "programme.lacks.quota": False,
    }


async def test_an_earlier_version_comes_back_as_a_new_one(
    editor: ProgrammeEditor, service: ProgrammeService, by: By
) -> None:
    made = await editor.create(screening(), by)
    await editor.save(replace(made, title="改名"), by)
    restored = await editor.restore(made.id, 1, 2, by)
    assert (restored.version, restored.title) == (3, made.title)
    assert [edition.programme.title for edition in await service.history(made.id)] == [made.title, "改名", made.title]
    with pytest.raises(UnknownVersion):
        await editor.restore(made.id, 9, 3, by)
    with pytest.raises(EditConflict):
        await editor.restore(made.id, 1, 2, by)


async def test_the_list_goes_on_behind_the_last_one(
    editor: ProgrammeEditor, overview: ProgrammeOverview, by: By
) -> None:
    for number in range(5):
        await editor.create(screening(id=f"p{number}", open_at=screening().open_at - timedelta(days=number // 2)), by)
    await editor.create(work_study(), by)
    first = await overview.page(limit=4)
    rest = await overview.page(limit=4, after=Position(first[-1].open_at, first[-1].id))
    assert [one.id for one in (*first, *rest)] == ["p0", "p1", "work-study", "p2", "p3", "p4"]
    assert [one.id for one in await overview.page(kind=ProgrammeKind.WORK_STUDY, limit=9)] == ["work-study"]
    assert await overview.page(status=ProgrammeStatus.CLOSED, limit=9) == ()
    assert (await overview.counts())[ProgrammeStatus.DRAFT] == 6
