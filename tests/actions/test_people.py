"""People: what staff find when a chat is handed over, and who is alerted about danger."""

from pathlib import Path

import pytest
from sqlalchemy import delete

from bot.inbox.models import AlertLevel, ChatStatus, MessageKind, Satisfaction
from bot.inbox.office_models import CalendarDay, WorkingHours
from tests.actions.conftest import ScriptedNlu, Talk, stored_files
from tests.storage.pictures import phone_photo
from tests.support.assistant import Assistant

DANGERS = [
    ("活起没得意思，想从楼上跳下去", AlertLevel.P0, "self_harm"),
    ("工友触电了喊不答应", AlertLevel.P0, "work_accident"),
    ("我男的拿刀追我", AlertLevel.P0, "violence"),
    ("厂头有个娃儿才十四岁", AlertLevel.P0, "child"),
    ("我们五十几号人明天克爬塔吊", AlertLevel.P1, "mass_protest"),
    ("不给钱我就砍了他", AlertLevel.P1, "threat"),
    ("遭骗进传销走不脱", AlertLevel.P1, "fraud_detention"),
    ("我是电视台的要采访你们", AlertLevel.P2, "media"),
    ("胸口痛", AlertLevel.P2, "medical"),
    ("压力大得睡不着，心里难受想哭", AlertLevel.P2, "distress"),
]


async def test_each_danger_is_told_to_the_people_on_duty_at_its_level(assistant: Assistant) -> None:
    for number, (text, level, kind) in enumerate(DANGERS, start=1):
        talk = Talk(assistant, assistant.platform.add_follower(f"职工{number}").openid)
        await talk.say(text)
        alerts = [one for one in await assistant.bot.records.alerts.open_alerts() if one.openid == talk.openid]
        assert [(one.level, one.kind, one.detail) for one in alerts] == [(level, kind, text)]
        assert all(one.notified_at is not None for one in alerts)


async def test_one_cry_for_help_delivered_thrice_is_one_alert_and_one_chat(talk: Talk) -> None:
    attempts = await talk.say_thrice("我不想活了")
    assert any("12356" in attempt.reply_xml for attempt in attempts)
    records = talk.assistant.bot.records
    assert len(await records.alerts.open_alerts()) == 1
    (chat,) = await records.desk.waiting()
    assert (chat.topic, chat.reason, await records.desk.summary(chat.id)) == ("crisis", "self_harm", "我不想活了")


async def test_danger_in_a_running_chat_is_in_it_and_raises_an_alert(talk: Talk) -> None:
    await talk.say("人工", "我喝了农药")
    records = talk.assistant.bot.records
    (alert,) = await records.alerts.open_alerts()
    assert alert.level is AlertLevel.P0
    (chat,) = await records.desk.waiting()
    assert [message.text for message in await records.desk.conversation(chat.id)] == ["我喝了农药"]


async def test_staff_find_everything_that_was_written_meanwhile(talk: Talk) -> None:
    await talk.say("找人工嘛", "我报了名没消息", "受理号是QG26-0615-0001")
    await talk.show(phone_photo())
    desk = talk.assistant.bot.records.desk
    (chat,) = await desk.waiting()
    messages = await desk.conversation(chat.id)
    assert [(message.kind, message.text) for message in messages] == [
        (MessageKind.TEXT, "我报了名没消息"),
        (MessageKind.TEXT, "受理号是QG26-0615-0001"),
        (MessageKind.IMAGE, ""),
    ]
    assert messages[-1].media_ref
    assert await desk.summary(chat.id) == "", "the word that asks for a person tells nothing"


async def test_a_chat_that_begins_in_the_legal_form_opens_with_the_matter(talk: Talk) -> None:
    await talk.say("我们厂老板拖欠工资三个月不发", "人工")
    desk = talk.assistant.bot.records.desk
    (chat,) = await desk.waiting()
    assert (chat.topic, await desk.summary(chat.id)) == ("legal", "我们厂老板拖欠工资三个月不发")


async def test_the_rating_is_kept_with_the_chat(talk: Talk) -> None:
    await talk.say("人工")
    desk = talk.assistant.bot.records.desk
    (chat,) = await desk.waiting()
    await desk.close(chat.id, "li", "solved")
    await talk.say("不满意")
    (closed,) = await desk.chats(status=ChatStatus.CLOSED)
    assert closed.satisfaction is Satisfaction.DISSATISFIED


async def test_what_only_the_model_takes_for_danger_is_asked_about(
    understanding_assistant: Assistant, nlu: ScriptedNlu
) -> None:
    talk = Talk(understanding_assistant, understanding_assistant.platform.add_follower("杨师傅").openid)
    nlu.intent = "crisis"
    answer = await talk.say("心头空空的，哪样都提不起劲")
    assert "您现在安全吗" in answer
    assert "要不要请值班的人联系您" in answer
    records = understanding_assistant.bot.records
    (alert,) = await records.alerts.open_alerts()
    assert alert.level is AlertLevel.P1
    assert await records.inbox.open_chat_of(talk.openid) is None
    assert "人工" in await talk.say("没事")
    nlu.intent = "check_status"
    assert "没查到您用这个微信报过名" in await talk.say("看下我报的那个")


async def test_a_possible_danger_is_asked_about_gently_and_alerts_nobody_before_a_yes(
    understanding_assistant: Assistant, nlu: ScriptedNlu
) -> None:
    talk = Talk(understanding_assistant, understanding_assistant.platform.add_follower("杨师傅").openid)
    nlu.chances = {"心头空空的": {"crisis": 0.1, "chitchat": 0.15}}
    answer = await talk.say("心头空空的")
    assert "您现在还好吗" in answer
    assert all(number in answer for number in ("12356", "110", "120"))
    alerts = understanding_assistant.bot.records.alerts
    assert await alerts.open_alerts() == []
    assert "已经提醒值班人员" in await talk.say("请人联系我")
    (alert,) = await alerts.open_alerts()
    assert alert.level is AlertLevel.P1


async def test_without_working_hours_nothing_is_promised(talk: Talk) -> None:
    async with talk.assistant.bot.records.database.transaction() as session:
        await session.execute(delete(WorkingHours))
        await session.execute(delete(CalendarDay))
    answer = await talk.say("人工")
    assert "工作人员看到就回您" in answer
    assert "分钟" not in answer


async def test_whoever_means_it_is_handed_over_with_their_words(
    understanding_assistant: Assistant, nlu: ScriptedNlu
) -> None:
    talk = Talk(understanding_assistant, understanding_assistant.platform.add_follower("杨师傅").openid)
    nlu.intent = "crisis"
    await talk.say("不晓得咋个过这一关了", "屋头只剩我一个，天天想哭")
    desk = understanding_assistant.bot.records.desk
    (chat,) = await desk.waiting()
    assert (chat.topic, await desk.summary(chat.id)) == ("crisis", "屋头只剩我一个，天天想哭")


@pytest.mark.parametrize("before", [(), ("两癌筛查", "万山")], ids=["at first", "in a form"])
async def test_a_report_that_nobody_asked_for_is_not_kept(
    talk: Talk, tmp_path: Path, before: tuple[str, ...]
) -> None:
    await talk.say(*before)
    assert "没有保存" in await talk.show(phone_photo())
    assert await stored_files(talk.assistant.bot.records.files, tmp_path) == []
