"""What staff write and set around chats: canned replies, alerts, targets, hours, days off, reasons."""

from datetime import date

import pytest

from bot.inbox.canned import CannedReplies
from bot.inbox.models import AlertLevel
from bot.inbox.office import InboxOffice
from tests.console.served import Browser, ServedConsole

SONGTAO, SINAN = "520628", "520624"


@pytest.fixture
async def agent(sqlite_console: ServedConsole) -> Browser:
    return await sqlite_console.staff("chat_agent", username="wu")


@pytest.fixture
async def head(sqlite_console: ServedConsole) -> Browser:
    return await sqlite_console.staff("administrator", username="zhou")


def _replies(console: ServedConsole) -> CannedReplies:
    return CannedReplies(console.records.database, console.records.clock, trail=console.records.audit)


def _office(console: ServedConsole) -> InboxOffice:
    return InboxOffice(console.records.database, trail=console.records.audit)


# Canned replies


async def test_a_reply_is_written_and_offered_in_its_queue_with_the_values_put_in(
    sqlite_console: ServedConsole, agent: Browser
) -> None:
    await agent.get("/inbox/replies/new")
    fields = {"title": "补学生证", "topic": "registration", "text": "{name}，{agent}帮您记着，开学再补。"}
    answer = await agent.post("/inbox/replies/new", fields)
    await agent.post("/inbox/replies/new", fields)
    page = await agent.follow(answer)
    assert page.visible.count("龙同志，wu帮您记着") == 1, "as the follower will read it, and once"
    for topic, there in (("registration", True), ("legal", False)):
        opened = await sqlite_console.records.inbox.escalate(f"o-{topic}", topic, "", f"k-{topic}")
        chat = await agent.get(f"/inbox/{opened.chat_id}")
        assert ("同志，wu帮您记着，开学再补。" in chat.visible) is there
        if there:
            [reply] = [one for one in await _replies(sqlite_console).all() if one.title == "补学生证"]
            filled = await agent.get(f"/inbox/{opened.chat_id}?canned={reply.id}")
            assert "同志，wu帮您记着，开学再补。</textarea>" in filled.text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{nmae}您好", "没有“nmae”这个占位符，可以用：{name}"),
        ("{name您好", "花括号要成对"),
        ("字" * 501, "内容要 1 到 500 个字"),
        ("", "请填写内容"),
    ],
)
async def test_a_reply_with_a_fault_is_refused_and_stays_as_it_was_typed(
    agent: Browser, text: str, says: str
) -> None:
    await agent.get("/inbox/replies/new")
    answer = await agent.post("/inbox/replies/new", {"title": "新的", "topic": "", "text": text})
    assert answer.status == 422
    assert says in answer.visible
    assert f"{text}</textarea>" in answer.text


async def test_what_a_colleague_changed_meanwhile_is_not_overwritten(
    sqlite_console: ServedConsole, agent: Browser, head: Browser
) -> None:
    [reply, *_] = await _replies(sqlite_console).all()
    fields = {"title": reply.title, "topic": "", "version": str(reply.version)}
    await agent.get(f"/inbox/replies/{reply.id}")
    await head.get(f"/inbox/replies/{reply.id}")
    await head.post(f"/inbox/replies/{reply.id}", {**fields, "text": "先改的"})
    answer = await agent.post(f"/inbox/replies/{reply.id}", {**fields, "text": "后改的"})
    assert answer.status == 409
    assert "刚被 zhou 改过" in answer.visible
    assert "先改的" in answer.visible
    assert "后改的</textarea>" in answer.text


async def test_a_reply_that_is_withdrawn_is_not_offered(sqlite_console: ServedConsole, agent: Browser) -> None:
    [reply] = [one for one in await _replies(sqlite_console).all() if one.title == "请稍等"]
    opened = await sqlite_console.records.inbox.escalate("o-1", "general", "", "k-1")
    await agent.get("/inbox/replies")
    answer = await agent.post(f"/inbox/replies/{reply.id}/offer", {"offered": "no"})
    assert "已停用" in (await agent.follow(answer)).visible
    assert "请稍等" not in (await agent.get(f"/inbox/{opened.chat_id}")).visible


async def test_an_answer_with_a_gap_is_not_sent(sqlite_console: ServedConsole, agent: Browser) -> None:
    opened = await sqlite_console.records.inbox.escalate("o-1", "registration", "", "k-1")
    page = await agent.get(f"/inbox/{opened.chat_id}")
    assert "缺受理号" in page.visible
    answer = await agent.post(f"/inbox/{opened.chat_id}/answer", {"text": "您的受理号是〔受理号〕"})
    assert answer.status == 422
    assert "“受理号”还没填上" in answer.visible


# Alerts


async def test_an_alert_is_taken_once_by_somebody_of_its_county(
    sqlite_console: ServedConsole, agent: Browser
) -> None:
    records = sqlite_console.records
    alert = await records.alerts.raise_alert(
        AlertLevel.P0, "self_harm", "o-1", "k-1", detail="电话13900001234，不想活了"
    )
    opened = await records.inbox.escalate("o-1", "crisis", "不想活了", "k-1", county=SONGTAO, reason="self_harm")
    own = await sqlite_console.staff("county_reviewer", county=SONGTAO)
    stranger = await sqlite_console.staff("county_reviewer", county=SINAN)
    page = await own.get("/inbox/alerts")
    assert "不想活了" in page.visible
    assert "13900001234" not in page.text
    assert "1 危险提醒没人接" in (await own.get("/")).visible
    assert "1 条危险提醒没人接" in (await own.get("/inbox")).visible
    assert "没有等人接的提醒" in (await stranger.get("/inbox/alerts")).visible
    assert (await stranger.post(f"/inbox/alerts/{alert}/take")).status == 404
    answer = await own.post(f"/inbox/alerts/{alert}/take")
    assert answer.location == f"/inbox/{opened.chat_id}?tab=all"
    late = await agent.follow(await agent.post(f"/inbox/alerts/{alert}/take"))
    assert "已由 county_reviewer" in late.visible


# Targets, hours, days, reasons


async def test_targets_are_set_and_faults_are_named(sqlite_console: ServedConsole, head: Browser) -> None:
    await head.get("/inbox/office")
    fields = {"label": "综合", "usual": "15", "first": "20", "resolution": "600", "asks_rating": "on"}
    answer = await head.follow(await head.post("/inbox/office/queues/general", fields))
    assert "从新会话开始按这个时限算" in answer.visible
    [queue] = [one for one in await _office(sqlite_console).queues() if one.topic == "general"]
    assert (queue.first_answer_minutes, queue.resolution_minutes, queue.asks_rating) == (20, 600, True)
    for change, says in (
        ({"resolution": "10"}, "办结时限不能比首次回复时限短"),
        ({"first": "0"}, "首次回复时限要在 1 到 2,880 之间"),
        ({"label": ""}, "请填写名称"),
    ):
        refused = await head.post("/inbox/office/queues/general", {**fields, **change})
        assert refused.status == 422, change
        assert says in refused.visible
    assert (await head.post("/inbox/office/queues/nonsense", fields)).status == 404


async def test_hours_and_days_off_are_set(sqlite_console: ServedConsole, head: Browser) -> None:
    office = _office(sqlite_console)
    await head.get("/inbox/office")
    stretches = {"opens-0": "09:00", "closes-0": "12:00", "opens-1": "14:30", "closes-1": "17:30"}
    assert (await head.post("/inbox/office/hours/5", stretches)).status == 303
    assert [f"{one.opens:%H:%M}" for one in await office.hours() if one.weekday == 5] == ["09:00", "14:30"]
    for change, says in (
        ({"closes-0": "08:00"}, "下班时间要在上班时间之后"),
        ({"opens-1": "11:00"}, "和前一段重叠"),
        ({"closes-1": ""}, "要一起填"),
    ):
        refused = await head.post("/inbox/office/hours/5", {**stretches, **change})
        assert refused.status == 422, change
        assert says in refused.visible
    assert (await head.post("/inbox/office/hours/5", {})).status == 303
    assert [one for one in await office.hours() if one.weekday == 5] == []
    await head.post("/inbox/office/days", {"day": "2026-06-27", "works_as": "0", "label": "端午调休"})
    page = await head.get("/inbox/office")
    assert "2026-06-27(周六) 按周一上班 端午调休" in page.visible
    await head.post("/inbox/office/days/drop", {"day": "2026-06-27"})
    assert all(one.day != date(2026, 6, 27) for one in await office.special_days(date(2026, 6, 1)))
    assert (await head.post("/inbox/office/days", {"day": "?", "works_as": "9", "label": ""})).status == 422


async def test_reasons_are_added_and_taken_out_of_use(sqlite_console: ServedConsole, head: Browser) -> None:
    opened = await sqlite_console.records.inbox.escalate("o-1", "general", "", "k-1")
    await head.get("/inbox/office")
    await head.post("/inbox/office/reasons", {"code": "", "label": "转市长热线", "asks_rating": "on"})
    assert "转市长热线" in (await head.get(f"/inbox/{opened.chat_id}/close")).visible
    twice = await head.post("/inbox/office/reasons", {"code": "", "label": "转市长热线"})
    assert "已经有“转市长热线”了" in twice.visible
    await head.post("/inbox/office/reasons", {"code": "own_1", "label": "转市长热线"})
    assert "转市长热线" not in (await head.get(f"/inbox/{opened.chat_id}/close")).visible
    unknown = await head.post("/inbox/office/reasons", {"code": "nonsense", "label": "x"})
    assert unknown.status == 422
