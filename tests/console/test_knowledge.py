"""Questions and answers in the console: edited, published, said by the bot, restored."""

from dataclasses import replace

import pytest

from bot.knowledge.models import EntryStatus, Found
from tests.console.served import Browser, ServedConsole

FIELDS = {
    "section": "E",
    "question": "高温补贴一个月多少",
    "variants": "天热有没有补贴\n高温费咋个算",
    "answer": "高温天气露天作业按规定发津贴，标准以省里当年通知为准。",
    "basis": "防暑降温措施管理办法第17条",
    "intents": ["faq_labour_law"],
    "next_step": "consult_lawyer",
}


@pytest.fixture
async def editor(console: ServedConsole) -> Browser:
    return await console.staff("programme_manager", name="石晓梅")


async def _created(editor: Browser) -> str:
    await editor.get("/knowledge/new")
    answer = await editor.post("/knowledge/new", FIELDS)
    assert answer.status == 303, answer.visible
    await editor.follow(answer)
    return answer.location.rpartition("/")[2]


async def test_an_entry_is_written_checked_published_and_said(console: ServedConsole, editor: Browser) -> None:
    code = await _created(editor)
    assert code.startswith("E")
    page = await editor.get(f"/knowledge/{code}")
    assert "草稿" in page.visible
    assert "依据：防暑降温措施管理办法第17条" in page.visible
    assert "约律师" in page.visible
    assert (
        "已发布，几秒后"
        in (await editor.follow(await editor.post(f"/knowledge/{code}/publish", {"version": "1"}))).visible
    )
    await console.records.knowledge.refresh(now=True)
    found = await console.records.knowledge.answer_for("高温补贴一个月多少")
    assert isinstance(found, Found)
    assert found.entry.code == code
    actions = [event.record.action for event in await console.records.audit.events(object_id=code)]
    assert actions == ["knowledge:entry:published", "knowledge:entry:create"]


async def test_what_does_not_do_is_said_beside_the_field_and_nothing_typed_is_lost(editor: Browser) -> None:
    await editor.get("/knowledge/new")
    wrong = {**FIELDS, "answer": "补贴{hot}元。", "valid_until": "下个月", "intents": []}
    answer = await editor.post("/knowledge/new", wrong)
    assert answer.status == 422
    assert "有效期至要填日期" in answer.visible
    answer = await editor.post("/knowledge/new", {**wrong, "valid_until": ""})
    assert "回答里用了活动字段" in answer.visible
    assert "高温费咋个算</textarea>" in answer.text
    assert 'value="防暑降温措施管理办法第17条"' in answer.text


async def test_of_two_editors_the_second_sees_that_and_keeps_what_they_wrote(
    console: ServedConsole, editor: Browser
) -> None:
    code, other = await _created(editor), await console.staff("lawyer", county="520628")
    for browser in (editor, other):
        await browser.get(f"/knowledge/{code}/edit")
    first = await editor.post(f"/knowledge/{code}/edit", {**FIELDS, "answer": "先问单位。", "version": "1"})
    assert first.status == 303
    second = await other.post(f"/knowledge/{code}/edit", {**FIELDS, "answer": "先问工会。", "version": "1"})
    assert second.status == 409
    assert "刚被别人改过" in second.visible
    assert "先问工会。</textarea>" in second.text
    again = await other.post(f"/knowledge/{code}/edit", {**FIELDS, "answer": "先问工会。", "version": "2"})
    assert again.status == 303
    assert (await console.records.entries.get(code)).answer == "先问工会。"


async def test_history_shows_what_changed_and_brings_it_back(console: ServedConsole, editor: Browser) -> None:
    code = await _created(editor)
    await editor.get(f"/knowledge/{code}/edit")
    await editor.post(f"/knowledge/{code}/edit", {**FIELDS, "answer": "先问单位。", "version": "1"})
    page = await editor.get(f"/knowledge/{code}")
    assert "第 2 版 石晓梅" in page.visible
    assert "第 1 版 随系统带来" in (await editor.get("/knowledge/E01")).visible
    assert '<p class="is">先问单位。</p>' in page.text
    await editor.post(f"/knowledge/{code}/restore", {"to": "1"})
    entry = await console.records.entries.get(code)
    assert (entry.answer, entry.version, entry.status) == (FIELDS["answer"], 3, EntryStatus.DRAFT)
    assert (await editor.post(f"/knowledge/{code}/restore", {"to": "99"})).status == 400


async def test_retiring_asks_first_and_says_what_it_means(console: ServedConsole, editor: Browser) -> None:
    page = await editor.get("/knowledge/E01/retire")
    assert "内容和历史都保留" in page.visible
    part = await editor.get("/knowledge/E01/retire", fragment=True)
    assert "<html" not in part.text
    version = (await console.records.entries.get("E01")).version
    await editor.post("/knowledge/E01/retire", {"version": str(version)})
    assert (await console.records.entries.get("E01")).status is EntryStatus.RETIRED


async def test_the_list_is_searched_and_filtered(console: ServedConsole, editor: Browser) -> None:
    everything = await editor.get("/knowledge")
    assert f"{len(await console.records.entries.entries())} 条" in everything.visible
    drafts = await editor.get("/knowledge?status=draft&section=C")
    assert "C13" in drafts.visible
    assert "badge good" not in drafts.text
    assert "没有符合条件的问答" in (await editor.get("/knowledge?q=不会有这个词")).visible


async def test_a_question_is_tried(editor: Browser) -> None:
    page = await editor.get("/knowledge/try?text=" + "试用期最长几个月")
    assert "试用期" in page.visible
    assert "相似" in page.visible
    nothing = await editor.get("/knowledge/try?text=" + "红烧肉怎么做才不腻")
    assert "答不上来" in nothing.visible or "拿几条反问" in nothing.visible


async def test_an_answer_that_ends_soon_stands_on_the_start_page(console: ServedConsole, editor: Browser) -> None:
    await editor.get("/knowledge/E01/edit")
    entry = await console.records.entries.get("E01")
    await console.records.entries.save(replace(entry, valid_until=console.records.clock.now().date()), by="li")
    assert "1 问答到期或将到期" in (await editor.get("/")).visible
    assert "E01" in (await editor.get("/knowledge?validity=soon")).visible


async def test_readers_do_not_see_buttons_that_are_not_theirs(console: ServedConsole) -> None:
    agent = await console.staff("chat_agent")
    page = await agent.get("/knowledge/E01")
    assert "修改" not in page.visible
    assert (await agent.get("/knowledge/E01/edit")).status == 403
    assert (await agent.post("/knowledge/E01/publish", {"version": "1"})).status == 403
    assert (await agent.get("/knowledge/Z99")).status == 404
