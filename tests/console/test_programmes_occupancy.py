"""How full a programme is, as a page that renews its figures."""

from bot.programmes.models import ProgrammeKind
from tests.console.served import ServedConsole, counted_queries
from tests.registrations.factories import application, receipt_of

AGREED = {"general": 1, "sensitive": 2, "third_party": 3}


async def test_a_booking_shows_in_the_next_figures(console: ServedConsole) -> None:
    reader = await console.staff("county_reviewer", county="520628")
    [programme] = await console.records.programmes.published(ProgrammeKind.HEALTH_SCREENING)
    address = f"/programmes/{programme.id}/occupancy"
    with counted_queries(console.records.database) as before:
        page = await reader.get(address)
    assert "已约、已安排 0" in page.visible
    slot = (await console.records.registrations.slots(programme.id))[0]
    booked = application(1, programme, slot_id=slot.slot_id, consents=AGREED)
    receipt_of(await console.records.registrations.submit(booked))
    with counted_queries(console.records.database) as after:
        figures = await reader.get(address, fragment=True)
    assert "<html" not in figures.text
    assert "已约、已安排 1" in figures.visible
    assert slot.site_name in figures.visible
    assert len(after) == len(before)


async def test_posts_are_shown_for_work_study_and_nothing_for_legal_advice(sqlite_console: ServedConsole) -> None:
    reader = await sqlite_console.staff("auditor")
    for kind, sentence in (
        (ProgrammeKind.WORK_STUDY, "按岗位"),
        (ProgrammeKind.LEGAL_CONSULTATION, "这类活动不计名额"),
    ):
        [programme] = await sqlite_console.records.programmes.published(kind)
        assert sentence in (await reader.get(f"/programmes/{programme.id}/occupancy")).visible
