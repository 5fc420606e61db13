"""The review list in the console: one click relabels, the rest of the queue stays where it is."""

from datetime import timedelta

import pytest

from bot.understanding.models import Guess
from bot.understanding.review.models import Filter, Reason, Status, Turn
from tests.console.served import Browser, ServedConsole, counted_queries


async def _listed(console: ServedConsole, *texts: str) -> list[int]:
    start = console.records.clock.now()
    for number, text in enumerate(texts):
        guesses = (Guess("check_status", 0.41), Guess("change_registration", 0.33))
        moment = start + timedelta(minutes=number)
        await console.records.reviews.add(
            Turn(f"key-{number}", f"o-{number}", moment, text, guesses, "model-1", ()), Reason.ASKED_BACK
        )
    return [item.id for item in reversed((await console.records.reviews.page(Filter(), limit=200)).items)]


@pytest.fixture
async def agent(console: ServedConsole) -> Browser:
    return await console.staff("chat_agent", name="吴敏")


async def test_a_message_is_relabelled_with_one_click_and_the_trail_knows(
    console: ServedConsole, agent: Browser
) -> None:
    [item] = await _listed(console, "那个号头咋整的哦")
    page = await agent.get("/review")
    assert "那个号头咋整的哦" in page.visible
    assert "查进度 41%" in page.visible
    answer = await agent.post(f"/review/{item}/relabel", {"label": "check_status"})
    assert "已标为“查进度”" in (await agent.follow(answer)).visible
    row = await console.records.reviews.get(item)
    assert (row.status, row.label, row.decided_by) == (Status.RELABELLED, "check_status", "chat_agent")
    shown = (await agent.get("/review?status=all")).visible
    assert "吴敏" in shown
    assert "chat_agent" not in shown
    [event] = await console.records.audit.events(action="understanding:message:relabel")
    assert (event.record.object_id, event.record.source) == (str(item), "127.0.0.1")


async def test_a_script_gets_the_card_alone_and_can_undo(console: ServedConsole, agent: Browser) -> None:
    [item] = await _listed(console, "那个号头咋整的哦")
    await agent.get("/review")
    card = await agent.post(f"/review/{item}/dismiss", fragment=True)
    assert card.status == 200
    assert "<html" not in card.text
    assert "已略过 吴敏" in card.visible
    card = await agent.post(f"/review/{item}/undo", fragment=True)
    assert 'data-status="open"' in card.text
    assert (await console.records.reviews.get(item)).status is Status.OPEN


async def test_what_was_reworded_is_trained_on_and_a_wrong_label_keeps_what_was_typed(
    console: ServedConsole, agent: Browser
) -> None:
    [item] = await _listed(console, "找石老师改哈时间")
    await agent.get("/review")
    refused = await agent.post(
        f"/review/{item}/relabel", {"other": "no_such", "wording": "找老师改下时间"}, fragment=True
    )
    assert refused.status == 422
    assert "请在列出的意思里选一个" in refused.visible
    assert "找老师改下时间</textarea>" in refused.text
    await agent.post(f"/review/{item}/relabel", {"other": "change_registration", "wording": "找老师改下时间"})
    assert (await console.records.reviews.get(item)).line == "找老师改下时间"


async def test_two_people_at_once_do_not_overwrite_each_other(console: ServedConsole, agent: Browser) -> None:
    [item] = await _listed(console, "那个号头咋整的哦")
    other = await console.staff("administrator")
    for browser in (agent, other):
        await browser.get("/review")
    await agent.post(f"/review/{item}/relabel", {"label": "check_status"})
    answer = await other.post(f"/review/{item}/relabel", {"label": "complaint"})
    assert "已由 吴敏 处理过" in (await other.follow(answer)).visible
    assert (await console.records.reviews.get(item)).label == "check_status"


async def test_filters_and_pages_and_the_number_of_queries(console: ServedConsole, agent: Browser) -> None:
    items = await _listed(console, *(f"第{number}句话说的是哪样" for number in range(65)))
    await console.records.reviews.dismiss(items[0], "li")
    assert "待处理 64" in (await agent.get("/review")).visible
    with counted_queries(console.records.database) as queries:
        page = await agent.get("/review?status=all")
    assert len(queries) == 5, "one of them for the names of colleagues"
    seen = page.text.count('<article class="card review"')
    for _ in range(2):
        page = await agent.get(page.link("next"))
        seen += page.text.count('<article class="card review"')
    assert page.link("next") == ""
    assert seen == 65
    assert "没有符合条件的话" in (await agent.get("/review?guessed=complaint")).visible


async def test_a_row_that_is_gone_says_so(agent: Browser) -> None:
    await agent.get("/review")
    answer = await agent.post("/review/99/dismiss")
    assert answer.status == 404
    assert "可能已过保存期限" in answer.visible


async def test_who_may_not_relabel_does_not_see_the_page(console: ServedConsole) -> None:
    lawyer = await console.staff("lawyer", county="520628")
    assert "听不懂的话" not in (await lawyer.get("/")).visible
    assert (await lawyer.get("/review")).status == 403
