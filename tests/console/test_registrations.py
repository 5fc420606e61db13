"""Registrations in the console: the list, one registration, each decision, single values in plain, files."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO

import pytest
from PIL import Image

from bot.programmes.models import ProgrammeKind
from bot.registrations.outcomes import Attached
from bot.registrations.statuses import Status
from bot.values.clock import MovedClock
from tests.console.applicants import DEJIANG, SONGTAO, number, screened, status_of, studied
from tests.console.served import Browser, ServedConsole, counted_queries


@pytest.fixture
async def manager(console: ServedConsole) -> Browser:
    return await console.staff("programme_manager", name="石晓梅")


async def test_the_list_is_filtered_and_leads_to_one(console: ServedConsole, manager: Browser) -> None:
    mine = await screened(console, 1)
    other = await screened(console, 2, county=DEJIANG, name="田桂花")
    student = await studied(console)
    page = await manager.get("/registrations")
    assert all(receipt in page.visible for receipt in (mine, other, student))
    assert "龙*芳" in page.visible
    assert "13900000001" not in page.text
    assert other not in (await manager.get(f"/registrations?county={SONGTAO}")).visible
    assert student not in (await manager.get("/registrations?category=outdoor")).visible
    assert mine not in (await manager.get("/registrations?status=approved")).visible
    assert "没有符合条件的报名" in (await manager.get("/registrations?status=rejected")).visible
    one = await manager.get(f"/registrations/{mine}")
    assert "县环卫所" in one.visible
    assert "户外" in one.visible
    assert "139****0001" in one.visible


async def test_a_filter_answers_a_script_with_what_it_changes_and_a_plain_address(
    console: ServedConsole, manager: Browser
) -> None:
    mine, other = await screened(console, 1), await screened(console, 2, county=DEJIANG)
    address = f"/registrations?programme_id=&county={SONGTAO}&day=&category=&mark=&sort="
    part = await manager.get(address, fragment=True)
    assert "<html" not in part.text
    assert part.text.strip().startswith('<div id="found">')
    assert (mine in part.visible, other in part.visible) == (True, False)
    assert part.headers["HX-Push-Url"] == f"/registrations?county={SONGTAO}"
    whole = await manager.get(address, fragment=True, headers={"HX-History-Restore-Request": "true"})
    assert "<html" in whole.text, "going back in the browser wants the page"
    assert "HX-Push-Url" not in whole.headers


async def test_a_list_of_many_pages_goes_on_where_it_ended(console: ServedConsole, manager: Browser) -> None:
    for serial in range(1, 53):
        await studied(console, serial)
    with counted_queries(console.records.database) as of_first:
        first = await manager.get("/registrations?sort=oldest")
    second = await manager.get(first.link("next"))
    receipts = re.compile(r'value="(QG[^"]+)"')
    shown = receipts.findall(first.text) + receipts.findall(second.text)
    assert len(set(shown)) == 52
    assert sorted(shown) == shown
    assert second.link("next") == ""
    assert len(of_first) <= 16
    assert "QG" in (await manager.get("/registrations?after=nonsense")).visible


async def test_people_are_found_and_what_was_typed_stands_in_no_address(
    console: ServedConsole, manager: Browser
) -> None:
    mine, other = await screened(console, 1), await screened(console, 2, name="田桂花")
    await manager.get("/registrations")
    for typed in ("龙小芳", number(1), "139 0000 0001"):
        answer = await manager.post("/registrations/search", {"q": typed})
        assert answer.status == 303
        assert "139" not in answer.location
        page = await manager.follow(answer)
        assert mine in page.visible
        assert other not in page.visible
    assert (await manager.post("/registrations/search", {"q": mine.lower()})).location == f"/registrations/{mine}"
    refused = await manager.post("/registrations/search", {"q": "张"})
    assert refused.status == 422
    assert "姓名至少两个字" in refused.visible
    nobody = await manager.follow(await manager.post("/registrations/search", {"q": "没有这人"}))
    assert "没有查到" in nobody.visible


async def test_a_reviewer_of_a_county_sees_and_touches_that_county_alone(console: ServedConsole) -> None:
    mine, other = await screened(console, 1), await screened(console, 2, county=DEJIANG)
    reviewer = await console.staff("county_reviewer", county=SONGTAO)
    page = await reviewer.get(f"/registrations?county={DEJIANG}")
    assert mine in page.visible
    assert other not in page.visible
    for path in ("", "/approve", "/materials", "/materials/1"):
        assert (await reviewer.get(f"/registrations/{other}{path}")).status == 404
    assert (await reviewer.post(f"/registrations/{other}/approve", {"reason": "qualified"})).status == 404
    assert (
        await reviewer.post(f"/registrations/{other}/reveal", {"field": "phone", "reason": "电话核对"})
    ).status == 404
    assert await status_of(console, other, "openid-2") is Status.PENDING


async def test_one_is_approved_with_the_consequence_said_and_a_reason(
    console: ServedConsole, manager: Browser
) -> None:
    receipt = await screened(console)
    asked = await manager.get(f"/registrations/{receipt}/approve")
    assert "占用一个名额，并通知本人" in asked.visible
    assert "<html" not in (await manager.get(f"/registrations/{receipt}/approve", fragment=True)).text
    missing = await manager.post(f"/registrations/{receipt}/approve", {"note": "电话里核过"})
    assert missing.status == 422
    assert 'value="电话里核过"' in missing.text
    done = await manager.post(f"/registrations/{receipt}/approve", {"reason": "qualified"})
    page = await manager.follow(done)
    assert "已办：已通过" in page.visible
    assert "石晓梅 2026-06-15" in page.visible
    assert "programme_manager" not in page.visible
    assert await status_of(console, receipt) is Status.APPROVED
    again = await manager.get(f"/registrations/{receipt}/approve")
    assert "不能这样办" in again.visible
    conflict = await manager.post(f"/registrations/{receipt}/approve", {"reason": "qualified", "key": "another"})
    assert conflict.status == 409
    assert "可能刚被别人处理过" in conflict.visible


async def test_a_decision_made_by_mistake_is_taken_back(console: ServedConsole, manager: Browser) -> None:
    receipt = await screened(console)
    assert "撤回上一步" not in (await manager.get(f"/registrations/{receipt}")).visible
    await manager.post(f"/registrations/{receipt}/approve", {"reason": "qualified"})
    assert "撤回上一步" in (await manager.get(f"/registrations/{receipt}")).visible
    page = await manager.get(f"/registrations/{receipt}/take_back")
    assert "要撤回的： 已通过 石晓梅" in page.visible
    seen = re.findall(r'name="since" value="([^"]+)"', page.text)
    stale = await manager.post(f"/registrations/{receipt}/take_back", {"since": "2026-01-01T00:00:00+08:00"})
    assert stale.status == 409
    assert "之后又有人办过" in stale.visible
    assert await status_of(console, receipt) is Status.APPROVED
    page = await manager.follow(await manager.post(f"/registrations/{receipt}/take_back", {"since": seen[0]}))
    assert "已撤回，现在是“待审核”" in page.visible
    assert "先前的处理有误，已经更正" in page.visible
    assert "撤回上一步" not in page.visible
    assert await status_of(console, receipt) is Status.PENDING


async def test_a_button_pressed_twice_counts_once(console: ServedConsole, manager: Browser) -> None:
    receipt = await screened(console)
    await manager.get(f"/registrations/{receipt}/approve")
    key = manager.key
    for _ in range(2):
        answer = await manager.post(f"/registrations/{receipt}/approve", {"reason": "qualified", "key": key})
        assert answer.status == 303
    moved = await console.records.audit.events(action="registration:pending>approved")
    assert len(moved) == 1


async def test_one_is_sent_back_with_everything_and_a_deadline(console: ServedConsole, manager: Browser) -> None:
    receipt = await studied(console)
    asked = await manager.get(f"/registrations/{receipt}/return")
    assert 'value="student_card" checked' in asked.text
    wrong = await manager.post(
        f"/registrations/{receipt}/return", {"reason": "materials_missing", "until_day": "昨天"}
    )
    assert wrong.status == 422
    assert "请把缺的一次勾全" in wrong.visible
    assert "截止日期要填日期" in wrong.visible
    fields: dict[str, str | Sequence[str]] = {
        "reason": "materials_missing",
        "items": ["student_card", "hardship_proof", "school"],
        "until_day": "2026-06-01",
        "until_time": "18:00",
    }
    past = await manager.post(f"/registrations/{receipt}/return", fields)
    assert past.status == 422
    assert "截止时间要在现在之后" in past.visible
    page = await manager.follow(
        await manager.post(f"/registrations/{receipt}/return", {**fields, "until_day": "2026-06-22"})
    )
    assert "学校、年级和专业" in page.visible
    assert "2026-06-22 18:00 前" in page.visible
    console.records.clock.move(timedelta(days=8))  # type: ignore[attr-defined]
    await manager.sign_in("programme_manager")
    late = await manager.get("/registrations?mark=late")
    assert receipt in late.visible
    assert "逾期未补" in late.visible


async def test_no_place_is_said_and_the_form_stays(console: ServedConsole, manager: Browser) -> None:
    records = console.records
    programme = await records.programmes.current(ProgrammeKind.WORK_STUDY)
    assert programme is not None
    await records.programmes.edit(replace(programme, quota_total=0), editor="test", note="full")
    receipt = await studied(console)
    await manager.get(f"/registrations/{receipt}/approve")
    full = await manager.post(f"/registrations/{receipt}/approve", {"reason": "qualified", "note": "先看看"})
    assert full.status == 422
    assert "本期名额已满" in full.visible
    assert 'value="先看看"' in full.text


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ([("reject", "age_rule"), ("reopen", "after_appeal")], Status.PENDING),
        ([("waitlist", "qualified_but_full"), ("requeue", "")], Status.WAITLISTED),
        (
            [("approve", "qualified"), ("no_show", "did_not_come"), ("complete", "served_recorded_later")],
            Status.COMPLETED,
        ),
        (
            [("approve", "qualified"), ("check_in", ""), ("revoke_check_in", ""), ("cancel", "site_closed")],
            Status.CANCELLED,
        ),
    ],
)
async def test_every_step_is_taken_from_the_page(
    console: ServedConsole, manager: Browser, clock: MovedClock, steps: Sequence[tuple[str, str]], status: Status
) -> None:
    receipt = await screened(console)
    for step, reason in steps:
        if step == "no_show":
            assert "记未到" not in (await manager.get(f"/registrations/{receipt}")).visible
            clock.move(timedelta(days=7))
            await manager.sign_in("programme_manager")
        page = await manager.get(f"/registrations/{receipt}")
        assert f"/registrations/{receipt}/{step}" in page.text, step
        await manager.get(f"/registrations/{receipt}/{step}")
        answer = await manager.post(f"/registrations/{receipt}/{step}", {"reason": reason} if reason else {})
        assert answer.status == 303, answer.visible
    assert await status_of(console, receipt) is status


async def test_what_a_programme_lets_choose_is_shown_in_words(console: ServedConsole, manager: Browser) -> None:
    page = (await manager.get(f"/registrations/{await screened(console)}")).visible
    assert "筛查项目 乳腺超声" in page
    assert "breast" not in page


async def test_a_value_is_shown_once_with_a_reason_and_a_trace(console: ServedConsole, manager: Browser) -> None:
    receipt = await studied(console)
    await manager.get(f"/registrations/{receipt}")
    short = await manager.post(f"/registrations/{receipt}/reveal", {"field": "phone", "reason": "看"})
    assert short.status == 422
    assert "请用至少 4 个字写明事由" in short.visible
    shown = await manager.post(f"/registrations/{receipt}/reveal", {"field": "phone", "reason": "电话通知补材料"})
    assert "13800000000" in shown.visible
    assert "父亲生病" not in shown.visible
    note = await manager.post(
        f"/registrations/{receipt}/reveal", {"field": "answers.ws_hardship_note", "reason": "复核困难情况"}
    )
    assert "父亲生病" in note.visible
    assert "13800000000" not in (await manager.get(f"/registrations/{receipt}")).text
    assert (
        await manager.post(f"/registrations/{receipt}/reveal", {"field": "openid", "reason": "看看而已"})
    ).status == 422
    events = await console.records.audit.events(object_id=receipt)
    assert [event.record.reason for event in events][:2] == [
        "answers.ws_hardship_note:复核困难情况",
        "phone:电话通知补材料",
    ]


async def test_an_auditor_reads_masked_and_decides_nothing(console: ServedConsole) -> None:
    receipt = await screened(console)
    auditor = await console.staff("auditor")
    page = await auditor.get(f"/registrations/{receipt}")
    assert page.status == 200
    assert "/approve" not in page.text
    assert "为什么要看" not in page.text
    assert (await auditor.get(f"/registrations/{receipt}/approve")).status == 403
    assert (
        await auditor.post(f"/registrations/{receipt}/reveal", {"field": "phone", "reason": "随便看看"})
    ).status == 403
    assert "勾选本页全部" not in (await auditor.get("/registrations")).text


async def test_files_are_shown_marked_and_never_cached(console: ServedConsole, manager: Browser) -> None:
    receipt, other = await studied(console, 1), await studied(console, 2)
    target = BytesIO()
    Image.new("RGB", (200, 120), "white").save(target, "PNG")
    stored = await console.records.files.save(target.getvalue(), owner="student-1", purpose="student_card")
    attached = await console.records.registrations.attach_material(
        receipt, "student-1", "student_card", stored.id, "attach-1"
    )
    assert isinstance(attached, Attached)
    page = await manager.get(f"/registrations/{receipt}/materials")
    assert "学生证" in page.visible
    status, data, headers = await manager.download(f"/registrations/{receipt}/materials/1")
    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (200, "image/jpeg", "no-store")
    assert headers["Content-Security-Policy"] == "sandbox"
    with Image.open(BytesIO(data)) as picture:
        assert picture.size == (200, 120)
    assert (await manager.get(f"/registrations/{other}/materials/1")).status == 404
    shown = await console.records.audit.events(action="registrations:material:show")
    assert [(event.record.actor, event.record.object_id) for event in shown] == [("programme_manager", receipt)]


async def test_duplicates_hints_and_absences_stand_beside_it(
    console: ServedConsole, manager: Browser, clock: MovedClock
) -> None:
    first = await screened(console, 1)
    clock.move(timedelta(days=7))
    await manager.sign_in("programme_manager")
    for step, reason in (("approve", "qualified"), ("no_show", "did_not_come")):
        await manager.get(f"/registrations/{first}/{step}")
        await manager.post(f"/registrations/{first}/{step}", {"reason": reason})
    again = await screened(console, 1, key="again")
    shared = await screened(console, 2, phone="13900000001", birth_date=date(2000, 5, 20))
    page = await manager.get(f"/registrations/{again}")
    assert "以前 1 次未到" in page.visible
    assert first in page.visible
    assert "同一人" in page.visible
    page = await manager.get(f"/registrations/{shared}")
    assert "同一手机号" in page.visible
    assert "低于本期规则" in page.visible
    marked = await manager.get("/registrations?mark=findings")
    assert shared in marked.visible
    assert again not in marked.visible


async def test_one_with_many_doubles_costs_as_many_queries_as_one_with_none(
    console: ServedConsole, manager: Browser
) -> None:
    alone = await screened(console, 1)
    shared = [await screened(console, serial, phone="13911112222") for serial in range(2, 6)]
    costs = []
    for receipt in (alone, shared[0]):
        with counted_queries(console.records.database) as queries:
            page = await manager.get(f"/registrations/{receipt}")
        costs.append(len(queries))
    assert page.visible.count("同一手机号") == 3
    assert costs[1] <= costs[0] + 1
    assert max(costs) <= 23


async def test_views_are_kept_shared_and_deleted(console: ServedConsole, manager: Browser) -> None:
    await screened(console)
    await manager.get("/registrations?status=pending&mark=late")
    fields = {"name": "逾期", "status": "pending", "mark": "late", "shared": "on"}
    page = await manager.follow(await manager.post("/registrations/views", fields))
    assert "已保存视图“逾期”" in page.visible
    auditor = await console.staff("auditor")
    seen = await auditor.get("/registrations")
    assert "逾期 石晓梅" in seen.visible
    address = re.search(r"/registrations/views/(\d+)/delete", (await manager.get("/registrations")).text)
    assert address is not None
    assert "不是您的" in (await auditor.follow(await auditor.post(address[0]))).visible
    assert "已删除视图" in (await manager.follow(await manager.post(address[0]))).visible
    empty = await manager.post("/registrations/views", {"name": " "})
    assert empty.status == 422
    assert "请填写视图名称" in empty.visible


async def test_the_next_one_that_waits_longest_comes_up(console: ServedConsole, manager: Browser) -> None:
    first, second = await screened(console, 1), await screened(console, 2)
    page = await manager.get(f"/registrations/{first}")
    address = re.search(r'href="(/registrations/next[^"]+)"', page.text)
    assert address is not None
    assert (await manager.get(address[1].replace("&amp;", "&"))).location == f"/registrations/{second}"
    await manager.get(f"/registrations/{second}/reject")
    await manager.post(f"/registrations/{second}/reject", {"reason": "age_rule"})
    nobody = await manager.follow(await manager.get(address[1].replace("&amp;", "&")))
    assert "没有别的待审核报名了" in nobody.visible
    assert "1 报名待审核" in (await manager.get("/")).visible


async def test_a_name_that_is_a_script_is_text(console: ServedConsole, manager: Browser) -> None:
    receipt = await screened(
        console, 1, name="<script>alert(1)</script>", answers={"hs_employer": "<img src=x onerror=1>"}
    )
    await manager.get(f"/registrations/{receipt}")
    page = await manager.post(f"/registrations/{receipt}/reveal", {"field": "name", "reason": "核对姓名写法"})
    assert "<script>alert(1)" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert "<img src=x" not in page.text


async def test_a_receipt_that_is_none_is_not_found(manager: Browser) -> None:
    assert (await manager.get("/registrations/QG26-0101-9999")).status == 404
    assert (await manager.get("/registrations/nonsense")).status == 404
