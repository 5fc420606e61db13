"""Answers that are lost between the two commits: the next delivery gets them, and the records are there once.

Each kind of thing that people do is done by three followers: one is answered at once, one by the second delivery
because the process was killed, one because Redis forgot the turn altogether. Whole conversations in which every
answer is lost are in ``tests/conversations/test_lost_answers.py``.
"""

import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pytest
from sqlalchemy import func, select

from bot.app.records import Records, open_records
from bot.followers.models import ConsentPurpose
from bot.simulator.models import BodyKind, Delivery, Exchange
from bot.simulator.pushes import Push, follow, image, text, unfollow
from bot.storage.redis_server import RedisServer
from bot.storage.sql import Base, Database
from bot.turns.answers import Answer
from bot.turns.kept_answers import KEPT_FOR, KeptAnswers
from bot.turns.models import FollowerKeys, KeptAnswer
from bot.turns.service import Responder
from bot.values.clock import MovedClock
from bot.wechat.models import Inbound, OutText
from tests.registrations.factories import number
from tests.storage.pictures import phone_photo
from tests.support.assistant import Assistant, simulated_platform
from tests.turns.gateways import Gateways, gateways, settings_over
from tests.turns.losing import How, Losing
from tests.turns.mortal_gateway import Step

PHOTO: Final = image("", "")
"""Stands for a photo, which has to be uploaded before it is sent."""
FORM_QUESTIONS_MAX = 40
NOT_COUNTED: Final = {"turn_answers", "turn_log", "turn_log_days", "chat_changes", "registration_receipt_counters"}
"""Tables that say nothing of what was done: the answers, the log, what screens are told, the counter of a day."""

GATEWAYS = pytest.mark.xdist_group("gateway processes")


@dataclass
class Person:
    """A follower who goes about something. ``serial`` sets their identity number apart."""

    assistant: Assistant
    openid: str
    serial: int

    @property
    def records(self) -> Records:
        """The business records."""
        return self.assistant.bot.records

    async def say(self, *texts: str) -> Exchange:
        """Say one thing after the other; return the last exchange."""
        for words in texts:
            exchange = await self.assistant.say(self.openid, words)
        return exchange

    async def fill_in(self, words: str, *, until: str, answers: Mapping[str, str]) -> None:
        """Answer each question by the part of it that ``answers`` knows, any other by its first choice."""
        for _ in range(FORM_QUESTIONS_MAX):
            asked = (await self.say(words)).text
            if until in asked:
                return
            words = next((answer for part, answer in answers.items() if part in asked), "1")
        raise AssertionError(f"still asking: {asked!r}")


async def book(person: Person, until: str = "请核对") -> None:
    """Fill in the screening up to the question that holds ``until``."""
    answers = {
        "身份证号": number(person.serial),
        "叫什么名字": "我叫龙小芳",
        "手机号": "13812345678",
        "哪个单位": "环卫",
        "跳过": "跳过",
    }
    await person.fill_in("我要预约两癌筛查", until=until, answers=answers)


async def booked(person: Person) -> None:
    """Book a place."""
    await book(person)
    assert "受理号" in (await person.say("提交")).text
    await person.say("不用")


async def tell_a_lawyer(person: Person) -> None:
    """Fill in a legal case up to the review."""
    answers = {
        "怎么回事": "老板欠我三个月工资一直不给",
        "牵涉几个人": "1个",
        "在哪个区县": "碧江",
        "叫什么": "王老板",
        "怎么称呼": "我叫龙小芳",
        "手机号": "13812345678",
        "跳过": "跳过",
    }
    await person.fill_in("法律咨询", until="请核对", answers=answers)


async def has_a_case(person: Person) -> None:
    """Register a legal case."""
    await tell_a_lawyer(person)
    assert "受理号" in (await person.say("提交")).text


async def agreed(person: Person) -> None:
    """Give a consent that can be withdrawn."""
    await person.records.consents.record_consent(
        person.openid,
        ConsentPurpose.PREFILL,
        text_version="1",
        text="…",
        channel="chat",
        key=f"agreed-{person.openid}",
    )


async def chat_has_ended(person: Person) -> None:
    """Be handed over, answered and asked whether it was good."""
    await person.say("人工")
    chat = await person.records.inbox.open_chat_of(person.openid)
    assert chat is not None
    await person.records.desk.close(chat.id, "demo", "solved")


def to(*texts: str) -> Callable[[Person], Awaitable[None]]:
    """Return the way that leads over these texts."""

    async def go(person: Person) -> None:
        if texts:
            await person.say(*texts)

    return go


async def to_the_change_of_time(person: Person) -> None:
    await booked(person)
    await person.fill_in("改时间", until="几点", answers={})


async def to_the_change_of_phone(person: Person) -> None:
    await booked(person)
    await person.say("改信息", "手机号")


async def to_the_cancellation(person: Person) -> None:
    await booked(person)
    await person.say("取消报名")


async def to_the_end_of_the_case(person: Person) -> None:
    await has_a_case(person)
    await person.say("跳过", "取消咨询")


async def to_the_prefill(person: Person) -> None:
    await book(person)
    assert "下次" in (await person.say("提交")).text


async def waits_for_people(person: Person) -> None:
    await person.say("人工")


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that writes: the way there, what is said or done then, and a part of the answer (empty: silence)."""

    name: str
    way: Callable[[Person], Awaitable[None]]
    last: str | Push
    answer: str

    def __str__(self) -> str:
        return self.name


KINDS: Sequence[Kind] = (
    Kind("a place is held", lambda person: book(person, until="几点方便"), "1", "已为您留住"),
    Kind("a place is booked", book, "提交", "受理号"),
    Kind("the next form may be filled in", to_the_prefill, "好", "下次先给您填上"),
    Kind("a place is moved", to_the_change_of_time, "1", "受理号"),
    Kind("a phone number is changed", to_the_change_of_phone, "13900001111", "改好了"),
    Kind("a place is given back", to_the_cancellation, "确定取消", "已取消"),
    Kind("a consent is given", to("勤工俭学报名", "1"), "同意", "同意"),
    Kind("consents are withdrawn", agreed, "撤回同意", "已撤回1项同意"),
    Kind("a case is registered", tell_a_lawyer, "提交", "受理号"),
    Kind("a photo is added to a case", has_a_case, PHOTO, "收到1张"),
    Kind("a case is withdrawn", to_the_end_of_the_case, "确定取消", "已取消"),
    Kind("somebody complains", to(), "我要投诉食堂", "编号TS"),
    Kind("people are called", to(), "人工", "已转工作人员"),
    Kind("people are written to", waits_for_people, "我的钱还没到", ""),
    Kind("people are not waited for", waits_for_people, "退出人工", "不用等了"),
    Kind("a chat is rated", chat_has_ended, "满意", "谢谢您的评价"),
    Kind("somebody is in danger", to(), "我不想活了", "12356"),
    Kind("campaigns are not wanted", to(), "退订", "不给您群发消息了"),
    Kind("campaigns are wanted again", to("退订"), "恢复订阅", "有活动会发消息给您"),
    Kind("somebody follows", to(), follow("poster", "ticket"), "欢迎"),
    Kind("somebody goes", to("菜单"), unfollow(), ""),
)


@dataclass
class Overtaken:
    """Answers, and before its answer is kept another attempt does the same message from claim to commit."""

    inner: Responder
    assistant: Assistant
    delivery: Delivery
    meanwhile: str = ""

    async def respond(self, message: Inbound, stored: bytes) -> Answer:
        """Answer once the other attempt has finished; nothing is written before that."""
        self.assistant.bot.turns.responder = self.inner
        await self.assistant.bot.link.call("DEL", FollowerKeys.of(message.openid).lock)
        (other,) = await self.assistant.platform.deliver(self.delivery)
        self.meanwhile = str(other.result)
        return await self.inner.respond(message, stored)

    def apologise(self, message: Inbound, stored: bytes) -> Answer:
        """Leave that to ``inner``."""
        return self.inner.apologise(message, stored)


async def rows_by_table(database: Database) -> dict[str, int]:
    """Return how many rows each table of the business has."""
    tables = [table for table in Base.metadata.sorted_tables if table.name not in NOT_COUNTED]
    async with database.reading() as session:
        counts = {table.name: await session.scalar(select(func.count()).select_from(table)) for table in tables}
    return {name: rows or 0 for name, rows in counts.items()}


async def done_once(assistant: Assistant, kind: Kind, serial: int, how: How | None) -> tuple[str, dict[str, int]]:
    """Go the way of ``kind`` and end it, with the answer lost ``how``; return the answer and the rows that came."""
    turns, database = assistant.bot.turns, assistant.bot.records.database
    person = Person(assistant, assistant.platform.add_follower(f"第{serial}位").openid, serial)
    await kind.way(person)
    before = await rows_by_table(database)
    answering = turns.responder
    losing = Losing(answering, assistant.bot.link, how or "killed", loses=lambda _: how is not None)
    turns.responder = losing
    exchange = await _end(person, kind.last)
    turns.responder = answering
    after = await rows_by_table(database)
    assert exchange.attempts[-1].answered
    assert len(losing.lost) == (how is not None)
    for lost in losing.lost.values():
        # What the second delivery gets is the very answer that was lost.
        assert [out.text for out in lost.outgoing if isinstance(out, OutText) and out.text not in exchange.text] == []
    return exchange.text, {name: after[name] - before[name] for name in after if after[name] != before[name]}


async def _end(person: Person, last: str | Push) -> Exchange:
    if isinstance(last, str):
        return await person.say(last)
    if last is PHOTO:
        return await person.assistant.platform.send_image(person.openid, phone_photo())
    return await person.assistant.platform.do(person.openid, last)


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_what_is_done_is_done_once_and_answered_the_same(assistant: Assistant, kind: Kind) -> None:
    answer, rows = await done_once(assistant, kind, 1, None)
    assert kind.answer in answer
    assert bool(answer) is bool(kind.answer)
    hows: tuple[How, ...] = ("killed", "forgotten")
    for serial, how in enumerate(hows, start=2):
        again, rows_again = await done_once(assistant, kind, serial, how)
        assert kind.answer in again
        assert rows_again == rows


async def _anew(
    self: KeptAnswers, message: Inbound, stored: bytes, work: Callable[[], Awaitable[Answer]], *, repeated: bool
) -> Answer:
    """Answer without the guard."""
    del self, message, stored, repeated
    return await work()


@pytest.mark.parametrize("seeded_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("consents are withdrawn", "没有要撤回的同意"),
        ("people are not waited for", "没有占着人工"),
    ],
)
async def test_without_what_is_kept_people_hear_something_else(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch, name: str, wrong: str
) -> None:
    """The control: the second delivery finds done what it asks for."""
    monkeypatch.setattr(KeptAnswers, "once", _anew)
    kind = next(kind for kind in KINDS if kind.name == name)
    person = Person(assistant, assistant.platform.add_follower("杨师傅").openid, 1)
    await kind.way(person)
    turns = assistant.bot.turns
    turns.responder = Losing(turns.responder, assistant.bot.link)
    assert isinstance(kind.last, str)
    answer = (await person.say(kind.last)).text
    assert kind.answer not in answer
    assert wrong in answer


async def test_a_dialogue_that_went_on_is_left_as_it_is(assistant: Assistant) -> None:
    """A message is pending while Redis forgets, and is worked on again only after the next one."""
    person = Person(assistant, assistant.platform.add_follower("杨师傅").openid, 1)
    await person.say("我要预约两癌筛查")
    turns, store = assistant.bot.turns, assistant.bot.store
    turns.responder = losing = Losing(turns.responder, assistant.bot.link, "forgotten")
    delivery = assistant.platform.prepare(person.openid, text("退订"))
    await assistant.platform.deliver(delivery)
    turns.responder = losing.inner
    for key in await assistant.bot.redis.keys("*queue:*"):
        await assistant.bot.redis.delete(key)
    await person.say("松桃")
    went_on = await store.stored_state(person.openid)
    (again,) = await assistant.platform.deliver(delivery)
    assert "不给您群发消息了" in str(again.result)
    assert await store.stored_state(person.openid) == went_on


async def test_who_finishes_second_undoes_what_they_did(assistant: Assistant) -> None:
    """The first attempt sleeps so long over its answer that another one takes the message over and finishes it."""
    person = Person(assistant, assistant.platform.add_follower("杨师傅").openid, 1)
    turns = assistant.bot.turns
    delivery = assistant.platform.prepare(person.openid, text("我要投诉食堂"))
    sleeping = Overtaken(turns.responder, assistant, delivery)
    turns.responder = sleeping
    await assistant.platform.deliver(delivery)
    assert "编号TS000001" in sleeping.meanwhile
    rows = await rows_by_table(assistant.bot.records.database)
    assert (rows["chats"], rows["chat_messages"]) == (1, 1)


@pytest.mark.parametrize("seeded_url", ["sqlite"], indirect=True)
async def test_what_is_kept_is_sealed_and_goes_after_a_week(assistant: Assistant, clock: MovedClock) -> None:
    person = Person(assistant, assistant.platform.add_follower("杨师傅").openid, 1)
    await person.say("我要投诉食堂")
    database = person.records.database
    async with database.reading() as session:
        (kept,) = await session.scalars(select(KeptAnswer))
    assert "编号".encode() not in kept.content
    export = await person.records.privacy.export(person.openid)
    assert "编号TS000001" in str(export["turn_answers"])
    clock.move(KEPT_FOR)
    assert await person.records.kept_answers.forget_old() == 0
    clock.move(KEPT_FOR)
    assert await person.records.kept_answers.forget_old() == 1


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def group(
    request: pytest.FixtureRequest, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateways]:
    """Gateways with the real flows, in processes of their own."""
    settings = settings_over(request, redis_server, tmp_path_factory.mktemp("lost"))
    with gateways(settings) as running:
        yield running


@GATEWAYS
@pytest.mark.parametrize("step", ["answered", "written"])
async def test_a_gateway_killed_between_the_commits_leaves_its_answer_to_the_next(
    group: Gateways, step: Step
) -> None:
    survivor, mortal = group.survivor(flows=True), group.mortal(step, "撤回同意", flows=True)
    async with simulated_platform(group.settings) as platform, open_records(group.settings) as records:
        openid = platform.add_follower("杨师傅").openid
        await records.consents.record_consent(
            openid, ConsentPurpose.PREFILL, text_version="1", text="…", channel="chat", key=f"agreed-{openid}"
        )
        delivery = platform.prepare(openid, text("撤回同意"))
        first, second = await platform.deliver(
            delivery, times=2, at_once=False, callback_urls=[mortal.url, survivor.url]
        )
        assert mortal.died_by_signal() == signal.SIGKILL
        assert first.body_kind is BodyKind.DISCONNECTED
        assert "已撤回1项同意" in str(second.result)
        assert not await records.consents.has_consent(openid, ConsentPurpose.PREFILL)
