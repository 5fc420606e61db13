"""Programmes in the console: made by copying, edited section by section, opened, closed, compared and restored."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from bot.programmes.models import Programme, ProgrammeKind, ProgrammeStatus
from bot.programmes.overview import ProgrammeOverview
from tests.console.served import Answer, Browser, ServedConsole, counted_queries
from tests.registrations.factories import screening


@pytest.fixture
async def manager(console: ServedConsole) -> Browser:
    return await console.staff("programme_manager", name="石晓梅")


async def _demo(console: ServedConsole, kind: ProgrammeKind) -> Programme:
    [programme] = await console.records.programmes.published(kind)
    return programme


async def _copied(console: ServedConsole, manager: Browser, kind: ProgrammeKind, **fields: str) -> Programme:
    source = await _demo(console, kind)
    await manager.get(f"/programmes/{source.id}/copy")
    start = f"{source.service_start.replace(month=9)}"
    answer = await manager.post(
        f"/programmes/{source.id}/copy", {"title": "秋季活动", "service_start": start, **fields}
    )
    page = await manager.follow(answer)
    assert "已复制成草稿" in page.visible
    return await console.records.programmes.get(answer.location.rpartition("/")[2])


async def test_a_copy_is_a_draft_with_the_rows_that_were_ticked(console: ServedConsole, manager: Browser) -> None:
    form = await manager.get(f"/programmes/{(await _demo(console, ProgrammeKind.HEALTH_SCREENING)).id}/copy")
    assert "点位（13 个）" in form.visible
    copied = await _copied(console, manager, ProgrammeKind.HEALTH_SCREENING, sites="on", slots="on")
    assert (copied.title, copied.status, copied.service_start.month) == ("秋季活动", ProgrammeStatus.DRAFT, 9)
    contents = await ProgrammeOverview(console.records.database).contents(copied.id)
    assert contents == {"sites": 13, "slots": 13 * 6 * 4, "posts": 0}
    listed = await manager.get("/programmes?status=draft")
    assert "秋季活动" in listed.visible
    assert "女职工健康筛查（演示）" not in listed.visible


async def test_pressing_copy_twice_makes_one(console: ServedConsole, manager: Browser) -> None:
    source = await _demo(console, ProgrammeKind.WORK_STUDY)
    await manager.get(f"/programmes/{source.id}/copy")
    fields = {"title": "第二期", "service_start": "2026-09-01", "posts": "on", "key": "same"}
    answers = [await manager.post(f"/programmes/{source.id}/copy", fields) for _ in range(2)]
    assert answers[0].location == answers[1].location
    assert (await ProgrammeOverview(console.records.database).counts())[ProgrammeStatus.DRAFT] == 1


async def test_a_new_one_with_wrong_dates_keeps_what_was_typed(manager: Browser) -> None:
    await manager.get("/programmes/new")
    fields = {
        "kind": "legal_consultation",
        "title": "<script>律师日",
        "open_at": "2026-07-02T08:00",
        "close_at": "2026-07-01T08:00",
        "service_start": "2026-07-05",
        "service_end": "2026-07-06",
    }
    refused = await manager.post("/programmes/new", fields)
    assert refused.status == 422
    assert "报名截止要晚于报名开始" in refused.visible
    assert 'value="&lt;script&gt;律师日"' in refused.text
    answer = await manager.post("/programmes/new", {**fields, "close_at": "2026-07-09T08:00"})
    page = await manager.follow(answer)
    assert "<script>律师日" not in page.text
    assert "开放前还差这些" in page.visible
    await manager.get("/programmes/new")
    assert (await manager.post("/programmes/new", {"title": "空"})).status == 422


SECTIONS: Mapping[str, Mapping[str, str | Sequence[str]]] = {
    "basics": {
        "title": "改了名",
        "open_at": "2026-06-01T08:00",
        "close_at": "2026-07-20T18:00",
        "service_start": "2026-08-01",
        "service_end": "2026-08-31",
        "review_mode": "by_staff",
        "counties": ["520602", "520628"],
    },
    "places": {
        "quota_total": "50",
        "quota_520602": "12",
        "applications_per_place": "2.5",
        "waitlist_size": "60",
        "waitlist_hold_hours": "48",
        "slot_hold_minutes": "10",
        "cancel_deadline_hours": "24",
        "no_show_limit": "2",
    },
    "people": {
        "age_min": "16",
        "age_max": "25",
        "p0_row": "1",
        "p0_label": "深度困难",
        "p0_points": "30",
        "p0_when_ws_hardship": ["filed_deep", "illness"],
        "p1_row": "1",
        "p1_label": "",
    },
    "materials": {
        "materials_max": "9",
        "m0_row": "1",
        "m0_code": "student_card",
        "m0_label": "学生证",
        "m0_stage": "apply",
        "m1_row": "1",
        "m1_code": "",
        "m1_label": "户口簿",
        "m1_stage": "placed",
        "m1_when_minor": ["yes"],
    },
    "texts": {"contact": "市总工会", "notice_text": "说明", "stipend_text": "每月 3000 元"},
    "retention": {
        "draft_days": "20",
        "rejected_days": "100",
        "completed_days": "500",
        "materials_days": "30",
        "health_days": "90",
    },
}


@pytest.mark.parametrize("section", SECTIONS)
async def test_each_section_is_stored_as_a_version(sqlite_console: ServedConsole, section: str) -> None:
    manager = await sqlite_console.staff("programme_manager")
    before = await _demo(sqlite_console, ProgrammeKind.WORK_STUDY)
    form = await manager.get(f"/programmes/{before.id}/edit/{section}")
    assert form.status == 200
    answer = await _save(manager, before, section, **SECTIONS[section])
    assert (await manager.follow(answer)).status == 200
    after = await sqlite_console.records.programmes.get(before.id)
    assert after.version == before.version + 1
    match section:
        case "basics":
            assert (after.title, after.counties) == ("改了名", ("520602", "520628"))
            assert after.close_at.isoformat() == "2026-07-20T18:00:00+08:00"
        case "places":
            assert (after.quota_total, after.quota_by_county, after.applications_per_place) == (
                50,
                {"520602": 12},
                2.5,
            )
        case "people":
            [rule] = after.priority_rules
            assert (rule.points, rule.when) == (30, {"ws_hardship": ("filed_deep", "illness")})
            assert (after.age_max, after.sex) == (25, None)
        case "materials":
            card, book = after.required_materials
            assert (card.code, book.label, book.stage) == ("student_card", "户口簿", "placed")
            assert book.needed_when == {"minor": ("yes",)}
        case "texts":
            assert (after.contact, after.stipend_text, after.insurance_text) == ("市总工会", "每月 3000 元", "")
        case _:
            assert (after.retention.draft_days, after.retention.rejected_days) == (20, 100)
    [event] = await sqlite_console.records.audit.events(action="programmes:programme:edit")
    assert (event.record.actor, event.record.object_id) == ("programme_manager", before.id)


async def _save(manager: Browser, programme: Programme, section: str, **fields: str | Sequence[str]) -> Answer:
    values = {"version": str(programme.version), **fields}
    return await manager.post(f"/programmes/{programme.id}/edit/{section}", values)


async def test_a_reworded_consent_needs_a_new_version(console: ServedConsole, manager: Browser) -> None:
    programme = await _demo(console, ProgrammeKind.LEGAL_CONSULTATION)
    await manager.get(f"/programmes/{programme.id}/edit/consents")
    rows: dict[str, str] = {}
    for number, consent in enumerate(programme.consents):
        rows |= {
            f"c{number}_row": "1",
            f"c{number}_code": consent.code,
            f"c{number}_version": consent.version,
            f"c{number}_text": consent.text,
        }
    refused = await _save(manager, programme, "consents", **{**rows, "c0_text": "换了说法"})
    assert refused.status == 422
    assert "版本号也要换" in refused.visible
    assert "换了说法" in refused.text
    answer = await _save(manager, programme, "consents", **{**rows, "c0_text": "换了说法", "c0_version": "2026-9"})
    await manager.follow(answer)
    stored = (await console.records.programmes.get(programme.id)).consents
    assert (stored[0].version, stored[0].text, len(stored)) == ("2026-9", "换了说法", 2)


async def test_more_rows_are_shown_without_saving(console: ServedConsole, manager: Browser) -> None:
    programme = await _demo(console, ProgrammeKind.HEALTH_SCREENING)
    await manager.get(f"/programmes/{programme.id}/edit/choices")
    page = await _save(
        manager, programme, "choices", items0_row="1", items0_code="breast", items0_label="乳腺彩超", more="1"
    )
    assert page.status == 200
    assert "乳腺彩超" in page.text
    assert 'name="items3_label"' in page.text
    assert (await console.records.programmes.get(programme.id)).version == programme.version
    answer = await _save(
        manager,
        programme,
        "choices",
        items0_row="1",
        items0_code="breast",
        items0_label="乳腺彩超",
        items1_row="1",
        items1_label="骨密度",
    )
    await manager.follow(answer)
    items = (await console.records.programmes.get(programme.id)).choices["items"]
    assert [(item.code, item.label) for item in items] == [("breast", "乳腺彩超"), ("item_1", "骨密度")]


async def test_what_was_typed_survives_somebody_elses_edit(console: ServedConsole, manager: Browser) -> None:
    programme = await _demo(console, ProgrammeKind.LEGAL_CONSULTATION)
    await manager.get(f"/programmes/{programme.id}/edit/texts")
    await console.records.programmes.edit(replace(programme, title="别人改的"), editor="wang", note="")
    conflict = await _save(manager, programme, "texts", contact="我写的电话")
    assert conflict.status == 409
    assert "别人把活动改到了" in conflict.visible
    assert "我写的电话" in conflict.text
    assert f'name="version" value="{programme.version + 1}"' in conflict.text
    answer = await _save(manager, replace(programme, version=programme.version + 1), "texts", contact="我写的电话")
    await manager.follow(answer)
    stored = await console.records.programmes.get(programme.id)
    assert (stored.title, stored.contact) == ("别人改的", "我写的电话")


async def test_opening_asks_says_what_is_missing_and_then_the_bot_has_it(
    console: ServedConsole, manager: Browser
) -> None:
    copied = await _copied(console, manager, ProgrammeKind.HEALTH_SCREENING, sites="on")
    asked = await manager.get(f"/programmes/{copied.id}/open", fragment=True)
    assert "<html" not in asked.text
    assert "还没有今天以后的时段" in asked.visible
    refused = await manager.post(f"/programmes/{copied.id}/open", {"version": "1"})
    assert refused.status == 409

    whole = await _copied(console, manager, ProgrammeKind.HEALTH_SCREENING, sites="on", slots="on", title="全的")
    asked = await manager.get(f"/programmes/{whole.id}/open", fragment=True)
    assert "几秒后职工就能看到" in asked.visible
    assert "女职工健康筛查（演示）" in asked.visible
    answer = await manager.post(f"/programmes/{whole.id}/open", {"version": "1", "note": "审定"})
    assert "已开放" in (await manager.follow(answer)).visible
    assert (await console.records.programmes.current(ProgrammeKind.HEALTH_SCREENING)) is not None
    assert whole.id in [one.id for one in await console.records.programmes.published()]

    asked = await manager.get(f"/programmes/{whole.id}/close")
    assert "不再接新的报名" in asked.visible
    answer = await manager.post(f"/programmes/{whole.id}/close", {"version": "2", "note": "提前截止"})
    await manager.follow(answer)
    assert (await console.records.programmes.get(whole.id)).status is ProgrammeStatus.CLOSED
    stale = await manager.post(f"/programmes/{whole.id}/open", {"version": "2"})
    assert stale.status == 409


async def test_versions_are_compared_in_words_and_come_back(console: ServedConsole, manager: Browser) -> None:
    programme = await _demo(console, ProgrammeKind.WORK_STUDY)
    await manager.get(f"/programmes/{programme.id}/edit/materials")
    await manager.follow(await _save(manager, programme, "materials", **SECTIONS["materials"]))
    version = programme.version + 1
    page = await manager.get(f"/programmes/{programme.id}/history")
    assert f"第 {programme.version} 版 → 第 {version} 版" in page.visible
    assert f"第 {version} 版 石晓梅" in page.visible
    assert "第 1 版 演示数据" in page.visible
    assert "材料：户口簿" in page.visible
    assert "户口簿（通过以后交，年龄是未满 18 岁）" in page.visible
    assert "最多几个文件 原来： 20 个 改成： 9 个" in page.visible
    answer = await manager.post(
        f"/programmes/{programme.id}/restore", {"version": str(version), "earlier": str(programme.version)}
    )
    await manager.follow(answer)
    restored = await console.records.programmes.get(programme.id)
    assert restored.required_materials == programme.required_materials
    assert restored.version == version + 1
    assert (await manager.get(f"/programmes/{programme.id}/history?from=88&to=1")).status == 404
    rows = await manager.get(f"/programmes/{programme.id}/history?from=1&to=2")
    assert "岗位 13 处" in rows.visible


async def test_readers_see_everything_and_change_nothing(console: ServedConsole) -> None:
    reader = await console.staff("county_reviewer", county="520628")
    programme = await _demo(console, ProgrammeKind.HEALTH_SCREENING)
    page = await reader.get(f"/programmes/{programme.id}")
    assert "35 岁" in page.visible
    assert "修改" not in page.visible
    assert (await reader.get(f"/programmes/{programme.id}/edit/basics")).status == 403
    assert (await reader.post(f"/programmes/{programme.id}/close", {"version": "1"})).status == 403


async def test_what_is_not_there_is_not_found(sqlite_console: ServedConsole) -> None:
    manager = await sqlite_console.staff("programme_manager")
    programme = await _demo(sqlite_console, ProgrammeKind.HEALTH_SCREENING)
    for path in ("/programmes/nothing", "/programmes/nothing/copy", f"/programmes/{programme.id}/edit/nothing"):
        assert (await manager.get(path)).status == 404, path
    assert (await manager.get("/programmes?after=x")).status == 400


async def test_the_list_pages_and_costs_the_same_for_many(console: ServedConsole, manager: Browser) -> None:
    with counted_queries(console.records.database) as few:
        await manager.get("/programmes")
    for number in range(25):
        await console.records.programmes.create(
            screening(id=f"p{number:02d}", title=f"活动 {number:02d}"), editor="liu"
        )
    with counted_queries(console.records.database) as many:
        page = await manager.get("/programmes")
    assert len(many) == len(few)
    assert "下一页" in page.visible
    more = await manager.get(page.link("next"))
    titles = [f"活动 {number:02d}" for number in range(25)]
    assert all((title in page.visible) != (title in more.visible) for title in titles)
