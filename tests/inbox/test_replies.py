"""Canned replies: their placeholders, and the rows that staff edit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.inbox.calendar_table import CalendarTable, read_seed
from bot.inbox.canned import CannedReplies, Reply, ReplyDraft
from bot.inbox.errors import NoSuchReply, ReplyChanged
from bot.inbox.placeholders import ANSWER_MAX_BYTES, PLACEHOLDERS, Filled, check_answer, check_reply, fill
from bot.staff.audit import AuditTrail
from bot.storage.sql import Database
from bot.values.clock import MovedClock


@pytest.fixture
def replies(database: Database, clock: MovedClock, trail: AuditTrail) -> CannedReplies:
    return CannedReplies(database, clock, trail=trail)


# Placeholders


def test_values_are_put_in_and_what_is_missing_is_marked() -> None:
    text = "{name}，您的受理号是{receipt}，我们{open_at}上班。再说一次：{receipt}"
    filled = fill(text, {"name": "杨同志", "open_at": "明天9:00", "receipt": ""})
    assert filled == Filled("杨同志，您的受理号是〔受理号〕，我们明天9:00上班。再说一次：〔受理号〕", ("受理号",))


def test_a_value_with_braces_is_not_filled_again() -> None:
    assert fill("{name}", {"name": "{agent}", "agent": "李"}).text == "{agent}"


@pytest.mark.parametrize(
    ("title", "text", "problems"),
    [
        ("打招呼", "{name}您好", {}),
        ("", "您好", {"title": "inbox.reply_title_length"}),
        ("长" * 31, "您好", {"title": "inbox.reply_title_length"}),
        ("空", "", {"text": "inbox.reply_text_length"}),
        ("长", "长" * 501, {"text": "inbox.reply_text_length"}),
        ("错", "{姓名}您好", {"text": "inbox.placeholder_unknown"}),
        ("开", "{name您好", {"text": "inbox.placeholder_form"}),
        ("关", "name}您好", {"text": "inbox.placeholder_form"}),
    ],
)
def test_what_is_wrong_with_a_reply_is_said_by_field(title: str, text: str, problems: dict[str, str]) -> None:
    assert {name: problem.code for name, problem in check_reply(title, text).items()} == problems


def test_an_unknown_placeholder_is_named_beside_those_there_are() -> None:
    problem = check_reply("错", "您好{姓名}")["text"]
    assert problem.fields["name"] == "姓名"
    assert all(name in str(problem.fields["known"]) for name in PLACEHOLDERS)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("好的", None),
        ("选 {一} 或 {二} 都行", None),
        ("  \n ", "inbox.answer_empty"),
        ("长" * (ANSWER_MAX_BYTES // 3 + 1), "inbox.answer_too_long"),
        ("受理号是〔受理号〕", "inbox.answer_has_gap"),
        ("受理号是{receipt}", "inbox.answer_has_gap"),
    ],
)
def test_what_cannot_be_sent(text: str, code: str | None) -> None:
    problem = check_answer(text)
    assert (None if problem is None else problem.code) == code


@given(st.text(max_size=200))
def test_any_text_is_filled_without_fault(text: str) -> None:
    filled = fill(text, {"name": "杨同志"})
    assert bool(filled.missing) == ("〔" in filled.text and filled.text != text) or filled.missing == ()


# Rows


async def test_a_reply_is_written_changed_and_withdrawn(replies: CannedReplies, trail: AuditTrail) -> None:
    made = await replies.create(ReplyDraft("招呼", "{name}您好", None), by="li", source="ip")
    assert isinstance(made, Reply)
    saved = await replies.save(made.id, ReplyDraft("问候", "您好", "legal"), version=1, by="yang", source="ip")
    assert isinstance(saved, Reply)
    assert (saved.title, saved.topic, saved.version, saved.updated_by) == ("问候", "legal", 2, "yang")
    assert [reply.id for reply in await replies.offered("legal")] == [made.id]
    assert await replies.offered("general") == []
    await replies.offer(made.id, offered=False, by="li", source="ip")
    assert await replies.offered("legal") == []
    assert [(reply.title, reply.is_offered) for reply in await replies.all()] == [("问候", False)]
    events = await trail.events(object_kind="canned_reply", object_id=str(made.id))
    assert [one.record.action for one in events] == [f"inbox:reply:{what}" for what in ("withdraw", "save", "create")]


async def test_what_somebody_else_wrote_meanwhile_is_not_lost(replies: CannedReplies) -> None:
    made = await replies.create(ReplyDraft("招呼", "您好", None), by="li")
    assert isinstance(made, Reply)
    await replies.save(made.id, ReplyDraft("招呼", "您好呀", None), version=1, by="yang")
    with pytest.raises(ReplyChanged) as changed:
        await replies.save(made.id, ReplyDraft("招呼", "你好", None), version=1, by="li")
    assert changed.value.fields == {"by": "yang"}
    assert (await replies.get(made.id)).text == "您好呀"


async def test_a_faulty_reply_is_not_stored(replies: CannedReplies) -> None:
    problems = await replies.create(ReplyDraft("招呼", "{谁}您好", None), by="li")
    assert isinstance(problems, dict)
    assert list(problems) == ["text"]
    assert await replies.all() == []
    with pytest.raises(NoSuchReply):
        await replies.get(99)


async def test_the_seed_is_without_fault_and_fits_its_queues(
    calendar_table: CalendarTable, replies: CannedReplies
) -> None:
    del calendar_table
    seeded = await replies.all()
    topics = {queue.topic for queue in read_seed().queues}
    assert len(seeded) == len(read_seed().replies) >= 5
    for reply in seeded:
        assert check_reply(reply.title, reply.text) == {}
        assert reply.topic is None or reply.topic in topics
