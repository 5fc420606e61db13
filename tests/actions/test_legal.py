"""Legal consultation: what a conversation leaves with the lawyers, and the facts its flows ask."""

from pathlib import Path

import pytest

from bot.dialogue.catalog import Call, FlowCatalog, Noop
from bot.dialogue.loader import load_catalog
from bot.inbox.models import AlertLevel
from bot.legal.models import CaseView, ContactWay
from bot.legal.topics import Handling, TopicCatalogue
from tests.actions.conftest import Talk, stored_files
from tests.storage.pictures import phone_photo

TO_THE_TOPIC = ("我们厂老板拖欠工资三个月不发", "对", "同意", "同意")
ONE_FACT_LEFT = ("去年10月到12月", "大概一万二", "跳过", "有", "不在了", "今年1月10号", "碧江", "杨老板", "还没有")


@pytest.fixture(scope="module")
def catalog() -> FlowCatalog:
    return load_catalog(Path("flows"))


@pytest.fixture(scope="module")
def topics() -> TopicCatalogue:
    return TopicCatalogue.load()


async def case_of(talk: Talk) -> CaseView:
    """Return the follower's only case, as its lawyer sees it."""
    records = talk.assistant.bot.records
    (summary,) = await records.cases.cases_of(talk.openid)
    return await records.case_queue.case(summary.receipt)


def test_each_topic_asks_just_the_facts_that_its_cases_hold(catalog: FlowCatalog, topics: TopicCatalogue) -> None:
    facts = catalog.flows["consult_lawyer"].steps["facts"]
    assert isinstance(facts, Noop)
    calls = [catalog.flows["consult_lawyer"].steps[branch.target] for branch in facts.next if branch.target]
    flows = [call.flow for call in calls if isinstance(call, Call)]
    asked = [{slot.removeprefix("legal_") for slot in catalog.collects[flow]} for flow in flows]
    held = [{fact.key for fact in topic.facts} for topic in topics if topic.handling is not Handling.CRISIS]
    assert asked == held


def test_what_a_topic_claims_can_be_chosen(catalog: FlowCatalog, topics: TopicCatalogue) -> None:
    choices = {option.value for option in catalog.slots["legal_claims"].options}
    assert {topic.claim for topic in topics} - {""} <= choices


async def test_the_lawyer_gets_what_was_told(talk: Talk) -> None:
    await talk.say(
        *TO_THE_TOPIC, "1个", *ONE_FACT_LEFT, "打电话", "留名字", "杨建国", "13812345678", "晚上", "怕", "提交"
    )
    case = await case_of(talk)
    assert (case.name, case.phone, case.contact_way, case.callback_times) == (
        "杨建国",
        "13812345678",
        ContactWay.PHONE,
        ("evening",),
    )
    assert (case.summary.topic, case.summary.county, case.employer) == ("W1", "520602", "杨老板")
    assert (case.summary.fears_retaliation, case.summary.is_anonymous) == (True, False)
    assert case.story == TO_THE_TOPIC[0]
    assert dict(case.facts) == {
        "unpaid_period": "去年10月到12月",
        "unpaid_amount": "约12000元",
        "has_iou": "yes",
        "employed": "no",
        "left_on": "2026-01-10",
        "claims": "要回工资",
        "steps": "还没有",
    }


async def test_an_anonymous_case_holds_neither_name_nor_phone(talk: Talk) -> None:
    # The name and phone that were given at first are gone with the change of mind.
    await talk.say(*TO_THE_TOPIC, "1个", *ONE_FACT_LEFT, "打电话", "留名字", "杨建国", "13812345678", "晚上", "不怕")
    await talk.say("怎么联系改成在这里文字答复", "留不留名字改成先不留名", "提交")
    case = await case_of(talk)
    assert (case.summary.is_anonymous, case.name, case.phone) == (True, "", "")
    assert case.contact_way is ContactWay.TEXT


async def test_one_delivery_handed_in_thrice_is_one_case_and_one_alert(talk: Talk) -> None:
    await talk.say(*TO_THE_TOPIC, "十三个人", *ONE_FACT_LEFT, "文字", "先不留名", "不怕")
    attempts = await talk.say_thrice("提交")
    assert len({attempt.result for attempt in attempts}) == 1
    case = await case_of(talk)
    assert (case.summary.is_group, case.summary.people_count) == (True, 13)
    (alert,) = await talk.assistant.bot.records.alerts.open_alerts()
    assert (alert.level, alert.kind, alert.detail) == (AlertLevel.P1, "group_case", case.summary.receipt)


async def test_a_limit_within_a_week_alerts_somebody_today(talk: Talk) -> None:
    await talk.say(
        *TO_THE_TOPIC, "1个", *ONE_FACT_LEFT[:-1], "劳动仲裁", "6月3号", "跳过", "文字", "先不留名", "不怕"
    )
    assert "紧急" in await talk.say("提交")
    assert (await case_of(talk)).summary.is_urgent
    (alert,) = await talk.assistant.bot.records.alerts.open_alerts()
    assert (alert.level, alert.kind) == (AlertLevel.P2, "urgent_case")


async def test_photos_go_into_the_case_one_by_one(talk: Talk, tmp_path: Path) -> None:
    await talk.say(*TO_THE_TOPIC, "1个", *ONE_FACT_LEFT, "文字", "先不留名", "不怕", "提交")
    await talk.show(phone_photo())
    # The second one is there although nobody ever says that it was the last.
    assert "收到2张" in await talk.show(phone_photo())
    assert (await case_of(talk)).evidence_count == 2
    files = talk.assistant.bot.records.files
    assert await stored_files(files, tmp_path) == ["legal_evidence", "legal_evidence"]


async def test_a_case_that_is_over_takes_no_more_photos(talk: Talk, tmp_path: Path) -> None:
    await talk.say(*TO_THE_TOPIC, "1个", *ONE_FACT_LEFT, "文字", "先不留名", "不怕", "提交")
    records = talk.assistant.bot.records
    await records.cases.cancel((await case_of(talk)).summary.receipt, talk.openid, "k-1")
    assert "已经办结" in await talk.show(phone_photo())
    assert await stored_files(records.files, tmp_path) == []
