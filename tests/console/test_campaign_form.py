"""The form of campaigns: what a campaign holds stays, what cannot be is refused, every content comes back."""

import re
from dataclasses import replace
from html import unescape

import aiohttp
import pytest

from bot.campaigns.audience import (
    AllOf,
    AnyOf,
    Audience,
    Consented,
    Everyone,
    FollowedWithin,
    GotCampaign,
    InCategory,
    InCounty,
    InUnit,
    Named,
    Not,
    Registered,
    SeenWithin,
    Tagged,
)
from bot.campaigns.content import Article, Content, Menu, MenuChoice, News, Picture, Subscribe, Template, Text
from bot.campaigns.counting import AudienceCounter
from bot.campaigns.drafts import CampaignDraft
from bot.campaigns.models import SendChannel
from bot.campaigns.rules import SendingHours
from bot.campaigns.views import CampaignView
from bot.console.campaigns.audience import audience_values
from bot.programmes.models import ProgrammeKind, ProgrammeStatus
from tests.campaigns.people import add_followers
from tests.console.served import Answer, Browser, ServedConsole
from tests.console.test_campaigns import COUNTY, FIELDS, FOLLOWERS, composed, follow

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100"
    "c9fe92ef0000000049454e44ae426082"
)


async def stored(console: ServedConsole, draft: CampaignDraft) -> CampaignView:
    return await console.records.campaigns.service.create(draft, by="campaign_operator", key="stored")


async def saved_as_shown(browser: Browser, number: int, **changed: str | list[str]) -> Answer:
    """Open the form of a campaign and send it back as a browser would, with some fields ``changed``."""
    page = await browser.get(f"/campaigns/{number}/edit")
    assert page.status == 200, page.visible
    form = page.text[page.text.index(f'action="/campaigns/{number}/edit"') :]
    fields: dict[str, list[str]] = {}
    for tag in re.findall(r"<input [^>]*>", form):
        name, kind = re.search(r' name="([^"]+)"', tag), re.search(r' type="([^"]+)"', tag)
        value = re.search(r' value="([^"]*)"', tag)
        if name is None or kind is None or kind[1] == "file" or (kind[1] == "checkbox" and " checked" not in tag):
            continue
        fields.setdefault(name[1], []).append(value[1] if value else "on")
    for name, inner in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', inner)
        fields[name] = [chosen[1]] if chosen else [""]
    for name, inner in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        fields[name] = [unescape(inner)]
    changes = {name: [value] if isinstance(value, str) else value for name, value in changed.items()}
    return await browser.post(f"/campaigns/{number}/edit", fields | changes)


async def after_saving(console: ServedConsole, browser: Browser, view: CampaignView, **changed: str) -> CampaignView:
    answer = await saved_as_shown(browser, view.id, **changed)
    assert answer.status == 303, answer.visible
    return await console.records.campaigns.service.get(view.id)


async def test_nothing_that_is_stored_is_lost_when_it_is_not_offered_any_more(console: ServedConsole) -> None:
    programmes = console.records.programmes
    programme = await programmes.current(ProgrammeKind.HEALTH_SCREENING)
    assert programme is not None
    operator = await console.staff("campaign_operator")
    audience = AllOf(
        (
            InCounty((COUNTY, "520699")),
            InCategory(("driver", "of old")),
            Registered(programme.id, ("approved",)),
            Consented("of old"),
            Tagged("重点"),
            InUnit(("铜仁市人民医院", "某某公司工会")),
            GotCampaign(4),
            Not(GotCampaign(5)),
        )
    )
    draft = CampaignDraft(
        "只给报过的人",
        SendChannel.MASS_LIST,
        Text("您好"),
        audience,
        purpose="older purpose",
        programme_id=programme.id,
        hours=SendingHours(0, 24 * 60, "1111100"),
    )
    view = await stored(console, draft)
    await programmes.edit(replace(programme, status=ProgrammeStatus.DRAFT), editor="wang", note="下架")
    assert "没有开放" in (await operator.get(f"/campaigns/{view.id}/edit")).visible
    changed = await after_saving(console, operator, view, title="改了名字")
    assert changed.title == "改了名字"
    assert (changed.audience, changed.programme_id, changed.purpose) == (audience, programme.id, "older purpose")
    assert changed.hours == draft.hours


async def test_a_rule_keeps_its_programme(sqlite_console: ServedConsole) -> None:
    programmes = sqlite_console.records.programmes
    programme = await programmes.current(ProgrammeKind.HEALTH_SCREENING)
    assert programme is not None
    operator = await sqlite_console.staff("campaign_operator")
    await operator.get("/campaigns/rules/new")
    rule = {"kind": "appointment", "days": "3", "at": "09:00", "body": "请按时到。", "programme_id": programme.id}
    await operator.post("/campaigns/rules/new", rule)
    await programmes.edit(replace(programme, status=ProgrammeStatus.DRAFT), editor="wang", note="下架")
    [stored_rule] = await sqlite_console.records.campaigns.automatic.rules.all()
    page = await operator.get(f"/campaigns/rules/{stored_rule.id}")
    assert re.search(rf'value="{programme.id}" selected', page.text)
    answer = await operator.post(f"/campaigns/rules/{stored_rule.id}", {**rule, "days": "1"})
    assert answer.status == 303, answer.visible
    [changed] = await sqlite_console.records.campaigns.automatic.rules.all()
    assert (changed.days, changed.programme_id) == (1, programme.id)


@pytest.mark.parametrize(
    "audience",
    [
        Everyone(),
        Registered("", ()),
        Registered("", ("approved",)),
        AnyOf((InCounty((COUNTY,)), AllOf((Tagged("重点"), SeenWithin(30))), Not(GotCampaign(2)))),
        AllOf((FollowedWithin(7), Registered("p", ("approved", "completed")))),
    ],
)
def test_what_the_form_shows_it_shows_whole(audience: Audience) -> None:
    values = audience_values(audience)
    assert values is not None
    assert (values == {}) == (audience == Everyone())


@pytest.mark.parametrize(
    "audience",
    [
        Named(("o-1",)),
        Not(InCounty((COUNTY,))),
        AllOf((Tagged("a"), Tagged("b"))),
        InUnit(("甲、乙公司",)),
        AnyOf((Tagged("a"), Tagged("b"), Tagged("c"), Tagged("d"))),
        AllOf((Tagged("a"), AnyOf((Tagged("b"), Tagged("c"))))),
    ],
)
def test_what_the_form_cannot_show_it_says(audience: Audience) -> None:
    assert audience_values(audience) is None


async def test_groups_of_conditions_are_joined_by_or(sqlite_console: ServedConsole) -> None:
    operator = await sqlite_console.staff("campaign_operator")
    number = await composed(operator, counties=[COUNTY], seen_days="30", tag_2="重点")
    view = await sqlite_console.records.campaigns.service.get(number)
    assert view.audience == AnyOf((AllOf((InCounty((COUNTY,)), SeenWithin(30))), Tagged("重点")))
    shown = (await operator.get(f"/campaigns/{number}")).visible
    assert "区县是松桃，并且最近 30 天互动过；或者 有标签“重点”" in shown
    assert (await after_saving(sqlite_console, operator, view)).audience == view.audience


async def test_an_audience_of_the_shell_is_kept_until_it_is_let_go(sqlite_console: ServedConsole) -> None:
    operator = await sqlite_console.staff("campaign_operator")
    audience = Not(InCounty((COUNTY,)))
    view = await stored(sqlite_console, CampaignDraft("不含松桃", SendChannel.MASS_LIST, Text("您好"), audience))
    assert "不符合：区县是松桃" in (await operator.get(f"/campaigns/{view.id}/edit")).visible
    kept = await after_saving(sqlite_console, operator, view)
    assert kept.audience == audience
    both = await saved_as_shown(operator, view.id, tag="重点")
    assert both.status == 422
    assert "请先去掉“保留这个受众”的勾" in both.visible
    let_go = await after_saving(sqlite_console, operator, view, tag="重点", keep_audience="")
    assert let_go.audience == Tagged("重点")


@pytest.mark.parametrize(("channel", "tag_id"), [("mass_tag", "7"), ("mass_all", "")])
async def test_a_channel_that_cannot_choose_refuses_conditions(
    sqlite_console: ServedConsole, channel: str, tag_id: str
) -> None:
    operator = await sqlite_console.staff("campaign_operator")
    await operator.get("/campaigns/new")
    fields = {**FIELDS, "channel": channel, "tag_id": tag_id, "counties": [COUNTY], "purpose": "campaigns"}
    answer = await operator.post("/campaigns/new", fields)
    assert answer.status == 422
    assert "请清空条件，或改用按名单群发" in answer.visible
    assert re.search(rf'name="counties" value="{COUNTY}" checked', answer.text)
    number = await composed(operator, channel=channel, tag_id=tag_id)
    view = await sqlite_console.records.campaigns.service.get(number)
    assert view.audience == (Tagged("wx:7") if tag_id else Everyone())
    assert (await after_saving(sqlite_console, operator, view)).audience == view.audience


async def test_midnight_stays_midnight(sqlite_console: ServedConsole) -> None:
    operator = await sqlite_console.staff("campaign_operator")
    number = await composed(operator, open="", close="")
    view = await sqlite_console.records.campaigns.service.get(number)
    assert (view.hours.open_minute, view.hours.close_minute) == (0, 24 * 60)
    assert "每天 00:00–24:00" in (await operator.get(f"/campaigns/{number}")).visible
    assert (await after_saving(sqlite_console, operator, view)).hours == view.hours


CONTENTS: list[tuple[str, Content]] = [
    ("customer", Text("{区县}的朋友，您好")),
    ("mass_list", Picture("material-1")),
    ("mass_list", News((Article("六月", "<p>正文</p>", "thumb-1", "工会", "摘要", "https://example.org/"),))),
    ("template", Template("tpl", {"thing1": "免费体检", "time2": "2026-06-20"}, "https://example.org/")),
    ("subscribe", Subscribe("sub", {"thing1": "免费体检"}, "pages/index")),
    (
        "customer",
        Menu("要做什么？", (MenuChoice("/flow:register", "报名"), MenuChoice("/flow:ask", "问问")), "回数字"),
    ),
]


@pytest.mark.parametrize(("channel", "content"), CONTENTS, ids=[type(one).__name__ for _, one in CONTENTS])
async def test_every_content_comes_back_from_its_form(
    sqlite_console: ServedConsole, channel: str, content: Content
) -> None:
    operator = await sqlite_console.staff("campaign_operator")
    view = await stored(sqlite_console, CampaignDraft("六月", SendChannel(channel), content, Everyone()))
    assert (await operator.get(f"/campaigns/{view.id}")).status == 200
    assert (await after_saving(sqlite_console, operator, view)).content == content
    await operator.get(f"/campaigns/{view.id}")
    copied = await operator.post(f"/campaigns/{view.id}/copy")
    again = await sqlite_console.records.campaigns.service.get(int(copied.location.rpartition("/")[2]))
    assert (again.content, again.state.value) == (content, "draft")


async def test_an_empty_article_is_not_stored(sqlite_console: ServedConsole) -> None:
    operator = await sqlite_console.staff("campaign_operator")
    news = {"kind": "news", "a1_title": "第一篇", "a1_body": "正文", "a1_thumb_media_id": "t", "a2_title": " "}
    number = await composed(operator, **news)
    view = await sqlite_console.records.campaigns.service.get(number)
    assert isinstance(view.content, News)
    assert [one.title for one in view.content.articles] == ["第一篇"]
    form = (await operator.get(f"/campaigns/{number}/edit")).text
    assert 'name="a2_title"' in form
    assert 'name="a3_title"' not in form


def _with_picture(field: str, data: bytes, key: str, **fields: str) -> aiohttp.FormData:
    form = aiohttp.FormData()
    for name, value in {**FIELDS, **fields, "key": key}.items():
        for one in [value] if isinstance(value, str) else value:
            form.add_field(name, one)
    form.add_field(field, data, filename="封面.png", content_type="image/png")
    return form


async def test_a_picture_is_chosen_kept_and_shown(sqlite_console: ServedConsole) -> None:
    operator = await sqlite_console.staff("campaign_operator")
    await operator.get("/campaigns/new")
    # The name is missing: the form comes back with the picture, which need not be chosen again.
    refused = await operator.post(
        "/campaigns/new", _with_picture("picture", PNG, operator.key, kind="picture", title="")
    )
    assert refused.status == 422
    [file_id] = re.findall(r'name="file_id" value="([0-9a-f]{32})"', refused.text)
    number = await composed(operator, kind="picture", file_id=file_id)
    view = await sqlite_console.records.campaigns.service.get(number)
    assert view.content == Picture("", file_id)
    page = await operator.get(f"/campaigns/{number}")
    assert f'src="/campaigns/pictures/{file_id}"' in page.text
    status, data, headers = await operator.download(f"/campaigns/pictures/{file_id}")
    assert (status, data[:4], headers["Content-Type"]) == (200, PNG[:4], "image/png")
    assert (await after_saving(sqlite_console, operator, view)).content == view.content


async def test_what_is_no_picture_of_campaigns_is_refused(sqlite_console: ServedConsole) -> None:
    operator = await sqlite_console.staff("campaign_operator")
    await operator.get("/campaigns/new")
    pdf = await operator.post(
        "/campaigns/new", _with_picture("picture", b"%PDF-1.4 %%EOF", operator.key, kind="picture")
    )
    assert pdf.status == 422
    assert "只能用 JPG 或 PNG 图片" in pdf.visible
    secret = await sqlite_console.records.files.save(PNG, owner="o-worker", purpose="material")
    forged = await operator.post("/campaigns/new", {**FIELDS, "kind": "picture", "file_id": secret.id})
    assert forged.status == 422
    assert "请重新选一张" in forged.visible
    assert (await operator.get(f"/campaigns/pictures/{secret.id}")).status == 404


async def test_the_audience_is_counted_while_it_is_composed(console: ServedConsole) -> None:
    await follow(console)
    operator = await console.staff("campaign_operator")
    await operator.get("/campaigns/new")
    part = await operator.post("/campaigns/new/count", {"channel": "mass_list"}, fragment=True)
    assert f"现在能发到 {FOLLOWERS} 人" in part.visible
    assert "全体关注者" in part.visible
    assert "<html" not in part.text
    assert "o-follower-0001" not in part.text
    none = await operator.post("/campaigns/new/count", {**FIELDS, "tag": "没人有"})
    assert "现在能发到 0 人" in none.visible
    assert 'value="没人有"' in none.text
    wrong = await operator.post("/campaigns/new/count", {"channel": "mass_list", "seen_days": "many"}, fragment=True)
    assert "<strong" not in wrong.text
    assert "problem" in wrong.text
    number = await composed(operator)
    kept = await operator.post(f"/campaigns/{number}/edit/count", {**FIELDS, "version": "1"})
    assert f"现在能发到 {FOLLOWERS} 人" in kept.visible
    assert (await console.records.campaigns.service.get(number)).version == 1


async def test_a_count_of_very_many_says_that_it_is_estimated(
    sqlite_console: ServedConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = sqlite_console.records
    await add_followers(records.database, range(300, 400), records.clock.now())
    counter = AudienceCounter(records.database, estimated_from=1, exact_below=1)
    monkeypatch.setattr(records.campaigns.planner, "counter", counter)
    operator = await sqlite_console.staff("campaign_operator")
    await operator.get("/campaigns/new")
    part = await operator.post("/campaigns/new/count", {"channel": "mass_list", "not_got": "1"}, fragment=True)
    assert "现在大约能发到 100 人" in part.visible
    assert "抽样估算" in part.visible
    told = await operator.post("/campaigns/new/count", {"channel": "mass_list"}, fragment=True)
    assert "大约" not in told.visible


async def test_a_subscription_account_is_offered_what_it_has(
    sqlite_console: ServedConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_console.records.campaigns.planner, "account", "subscription")
    operator = await sqlite_console.staff("campaign_operator")
    page = await operator.get("/campaigns/new")
    assert "这是订阅号" in page.visible
    assert 'value="mass_all"' in page.text
    assert 'value="template"' not in page.text
    number = await composed(operator)
    shown = await operator.get(f"/campaigns/{number}")
    assert "订阅号没有这个渠道" in shown.visible
