"""The lawyers' pages: a case is taken after the conflict check, answered, and out of everybody else's sight."""

import re
from io import BytesIO

import pytest
from PIL import Image

from bot.inbox.models import ChatStatus, Direction
from bot.legal.models import CaseDraft, CaseStatus, Scope
from bot.storage.files import Mark
from tests.console.served import Browser, ServedConsole, counted_queries
from tests.storage.pdfs import marks_of, scanned_pdf

SONGTAO, SINAN = "520628", "520624"
STORY = "老板跑路咯<script>alert(1)</script>"


@pytest.fixture
async def receipt(console: ServedConsole) -> str:
    draft = CaseDraft(
        openid="o-1",
        topic="W1",
        county=SONGTAO,
        name="杨晓明",
        phone="13812345678",
        employer="铜仁鸿运建筑公司",
        people_count=13,
        story=STORY,
        callback_times=("noon", "weekend", "midnight"),
        facts={"unpaid_period": "10月到12月", "employed": "no", "left_on": "2026-01-10"},
    )
    return (await console.records.cases.open_case(draft, "k-1")).receipt


@pytest.fixture
async def lawyer(console: ServedConsole) -> Browser:
    return await console.staff("lawyer", county=SONGTAO, username="yang", name="杨胜律师")


async def _take(lawyer: Browser, receipt: str) -> None:
    await lawyer.get(f"/legal/{receipt}/take")
    answer = await lawyer.post(f"/legal/{receipt}/take", {"decision": "take"})
    assert answer.location == f"/legal/{receipt}"


async def test_a_lawyer_takes_a_case_reads_it_and_ends_it(
    console: ServedConsole, lawyer: Browser, receipt: str
) -> None:
    assert "1 待接案件" in (await lawyer.get("/")).visible
    waiting = await lawyer.get("/legal/waiting")
    assert receipt in waiting.visible
    assert "群体 13 人" in waiting.visible
    assert "老板跑路" not in waiting.visible
    assert (await lawyer.get(f"/legal/{receipt}")).status == 404, "not before it is taken"
    assert "未发现利益冲突" in (await lawyer.get(f"/legal/{receipt}/take")).visible
    await _take(lawyer, receipt)
    page = await lawyer.get(f"/legal/{receipt}")
    assert "老板跑路咯" in page.visible
    assert "<script>alert" not in page.text
    assert "138****5678" in page.visible
    assert "13812345678" not in page.text
    assert "劳动仲裁" in page.visible
    assert "中午、周末、midnight" in page.visible, "a time that is no choice any more stands as it is"
    assert "登记 职工本人 2026-06-15" in page.visible
    assert "杨胜律师" in page.visible
    await lawyer.post(f"/legal/{receipt}/note", {"note": "先要考勤记录"})
    assert "先要考勤记录 杨胜律师" in (await lawyer.get(f"/legal/{receipt}")).visible
    assert "联系" in (await lawyer.follow(await lawyer.post(f"/legal/{receipt}/attempt", {"reached": "yes"}))).visible
    refused = await lawyer.post(f"/legal/{receipt}/move", {"to": "completed", "outcome": ""})
    assert refused.status == 422
    done = await lawyer.post(f"/legal/{receipt}/move", {"to": "completed", "outcome": "oral_advice"})
    assert "已更新为“已办结”" in (await lawyer.follow(done)).visible
    case = (await console.records.case_desk.case(receipt, Scope())).summary
    assert (case.status, case.outcome, case.assigned_to) == (CaseStatus.COMPLETED, "oral_advice", "yang")
    steps = [event.record.action for event in await console.records.audit.events(object_id=receipt)]
    assert steps == [
        "legal:case:completed",
        "legal:case:contact",
        "legal:case:note",
        "legal:case:conflict_clear_take",
        "legal:case:assign",
    ]


async def test_a_number_is_shown_only_with_a_reason(console: ServedConsole, lawyer: Browser, receipt: str) -> None:
    await _take(lawyer, receipt)
    await lawyer.get(f"/legal/{receipt}")
    refused = await lawyer.post(f"/legal/{receipt}/reveal", {"field": "phone", "reason": "看"})
    assert refused.status == 422
    assert "13812345678" not in refused.text
    shown = await lawyer.post(f"/legal/{receipt}/reveal", {"field": "phone", "reason": "约定今天打电话"})
    assert "13812345678" in shown.visible
    assert "杨晓明" not in shown.text
    [event] = await console.records.audit.events(action="legal:case:unmask_phone")
    assert event.record.reason == "约定今天打电话"


async def test_evidence_is_marked_with_its_purpose_and_who_looks_and_leaves_a_row(
    console: ServedConsole, lawyer: Browser, receipt: str
) -> None:
    await _take(lawyer, receipt)
    target = BytesIO()
    Image.new("RGB", (200, 120), "white").save(target, "PNG")
    stored = await console.records.files.save(target.getvalue(), owner="o-1", purpose="evidence")
    await console.records.cases.add_evidence(receipt, "o-1", "e-1", kind="image", file_ref=stored.id)
    await console.records.cases.add_evidence(receipt, "o-1", "e-2", kind="note", text="只有文字")
    [(picture, _, _), (note, _, _)] = await console.records.case_desk.evidence(receipt, Scope())
    status, data, headers = await lawyer.download(f"/legal/{receipt}/evidence/{picture}")
    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (200, "image/jpeg", "no-store")
    with Image.open(BytesIO(data)) as shown:
        colours = shown.convert("L").getcolors(256) or []
    assert len(colours) > 1, "the white picture has writing on it"
    mark = Mark("仅供法律咨询办理", f"yang {console.records.clock.now():%Y-%m-%d %H:%M}")
    assert data == (await console.records.files.marked(await console.records.files.read(stored.id), mark))[0]
    assert (await lawyer.get(f"/legal/{receipt}/evidence/{note}")).status == 404
    scan = await console.records.files.save(scanned_pdf(), owner="o-1", purpose="evidence")
    await console.records.cases.add_evidence(receipt, "o-1", "e-3", kind="document", file_ref=scan.id)
    *_, (paper, _, _) = await console.records.case_desk.evidence(receipt, Scope())
    status, data, headers = await lawyer.download(f"/legal/{receipt}/evidence/{paper}")
    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (200, "application/pdf", "no-store")
    assert marks_of(data) == 2, "a mark on each page"
    stranger = await console.staff("county_reviewer", county=SINAN)
    assert (await stranger.get(f"/legal/{receipt}/evidence/{picture}")).status == 404
    event = (await console.records.audit.events(action="legal:case:show_evidence"))[-1]
    assert (event.record.actor, event.record.object_id) == ("yang", receipt)


async def test_a_reply_goes_through_a_chat_once(console: ServedConsole, lawyer: Browser, receipt: str) -> None:
    await _take(lawyer, receipt)
    await lawyer.get(f"/legal/{receipt}")
    key = lawyer.key
    for _ in range(2):
        answer = await lawyer.post(f"/legal/{receipt}/reply", {"reply": "先把考勤留好。", "key": key})
        assert answer.status == 303
    [chat] = await console.records.desk.chats(status=ChatStatus.OPEN)
    messages = await console.records.desk.conversation(chat.id)
    assert [(one.direction, one.text) for one in messages] == [(Direction.OUTBOUND, "先把考勤留好。")]


async def test_a_client_of_the_firm_is_declined(console: ServedConsole, lawyer: Browser, receipt: str) -> None:
    await lawyer.get("/legal/clients")
    await lawyer.post("/legal/clients", {"name": "贵州鸿运劳务有限公司"})
    page = await lawyer.get(f"/legal/{receipt}/take")
    assert "与您登记的服务单位相同" in page.visible
    answer = await lawyer.post(f"/legal/{receipt}/take", {"decision": "decline", "reason": "常年顾问"})
    assert "已记录回避" in (await lawyer.follow(answer)).visible
    assert (await console.records.case_desk.case(receipt, Scope())).summary.status is CaseStatus.PENDING


async def test_of_two_lawyers_one_gets_the_case(console: ServedConsole, lawyer: Browser, receipt: str) -> None:
    other = await console.staff("lawyer", county=SONGTAO, username="tian")
    for browser in (lawyer, other):
        await browser.get(f"/legal/{receipt}/take")
    await _take(lawyer, receipt)
    answer = await other.post(f"/legal/{receipt}/take", {"decision": "take"})
    assert answer.status in (303, 404)
    for path in (f"/legal/{receipt}", f"/legal/{receipt}/evidence/1"):
        assert (await other.get(path)).status == 404
    for step in ("attempt", "note", "reply", "move", "give-back", "reveal"):
        fields = {"reason": "看一看电话", "note": "x", "reply": "x", "to": "answering", "give_back_reason": "x"}
        assert (await other.post(f"/legal/{receipt}/{step}", fields)).status == 404, step


async def test_another_county_sees_nothing(console: ServedConsole, receipt: str) -> None:
    stranger = await console.staff("lawyer", county=SINAN, username="wu")
    assert receipt not in (await stranger.get("/legal/waiting")).visible
    assert (await stranger.get(f"/legal/{receipt}/take")).status == 404
    reviewer = await console.staff("county_reviewer", county=SINAN)
    assert (await reviewer.get(f"/legal/{receipt}")).status == 404
    assert (await reviewer.get(f"/legal/{receipt}/assign")).status == 404


async def test_the_office_assigns_and_takes_back(console: ServedConsole, lawyer: Browser, receipt: str) -> None:
    await console.staff("lawyer", county=SINAN, username="wu")
    chief = await console.staff("administrator")
    page = await chief.get(f"/legal/{receipt}/assign")
    assert page.visible.index("杨胜律师") < page.visible.index("wu"), "the county's own lawyer first"
    await chief.post(f"/legal/{receipt}/assign", {"lawyer": "yang"})
    assert f"{receipt} 欠薪" in (await lawyer.get("/legal")).visible
    shown = (await lawyer.get(f"/legal/{receipt}")).visible
    assert "律师 杨胜律师" in shown
    assert "未发现利益冲突 · 接案 杨胜律师（administrator指派）" in shown
    refused = await chief.post(f"/legal/{receipt}/assign", {"lawyer": "wu"})
    assert refused.status == 422
    await chief.post(f"/legal/{receipt}/assign", {"lawyer": "wu", "reason": "出差"})
    assert (await lawyer.get(f"/legal/{receipt}")).status == 404


async def test_lists_and_figures_ask_a_constant_number_of_times(console: ServedConsole, receipt: str) -> None:
    chief = await console.staff("administrator")
    for number in range(30):
        draft = CaseDraft(openid=f"o-{number}", topic="W4", county=SINAN)
        await console.records.cases.open_case(draft, f"more-{number}")
    with counted_queries(console.records.database) as queries:
        page = await chief.get("/legal")
    assert len(queries) == 3, "one of them for the names of colleagues"
    assert receipt in page.visible
    with counted_queries(console.records.database) as queries:
        page = await chief.get("/legal/statistics")
    assert len(queries) == 3, queries
    assert "31 件次" in page.visible
    assert "43 人次" in page.visible


async def test_what_waits_is_paged_and_counted(console: ServedConsole, lawyer: Browser, receipt: str) -> None:
    for number in range(60):
        draft = CaseDraft(openid=f"o-{number}", topic="W4", county=SONGTAO)
        await console.records.cases.open_case(draft, f"more-{number}")
    with counted_queries(console.records.database) as queries:
        first = await lawyer.get("/legal/waiting")
    assert len(queries) == 3, queries
    assert "共 61 件" in first.visible
    assert receipt in first.visible, "a group comes first"
    second = await lawyer.get(first.link("next"))
    assert "共 61 件" in second.visible
    seen = [len(re.findall(r"FL\d{2}-\d{4}-\d{4}(?= )", page.visible)) for page in (first, second)]
    assert seen == [50, 11]
    assert second.link("next") == ""
    assert (await lawyer.get(second.link("first"))).visible == first.visible
    assert (await lawyer.get("/legal/waiting?after=x")).status == 200
