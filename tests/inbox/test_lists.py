"""Lists of chats: what is in which, in which order, page by page, within what somebody may see."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, text, update

from bot.inbox.desk import ChatDesk
from bot.inbox.errors import NoSuchChat
from bot.inbox.filters import ChatFilter, Cursor, Scope, Tab
from bot.inbox.lists import ChatLists, Counts
from bot.inbox.models import Chat, MessageKind, Step
from bot.inbox.service import InboxService, NoOpenChat
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.console.served import counted_queries

SONGTAO, SINAN = "520628", "520624"
ALL = Scope()


async def _open(inbox: InboxService, number: int, topic: str = "general", county: str | None = None) -> int:
    return (await inbox.escalate(f"o-{number}", topic, "", f"k-{number}", county=county)).chat_id


async def _ids(lists: ChatLists, wanted: ChatFilter, scope: Scope = ALL, viewer: str = "li") -> list[int]:
    return [line.chat.id for line in (await lists.page(scope, wanted, viewer)).lines]


async def _walked(lists: ChatLists, wanted: ChatFilter, limit: int) -> list[int]:
    """Return what all pages show, one after the other."""
    shown: list[int] = []
    after: Cursor | None = None
    while True:
        page = await lists.page(ALL, wanted, "li", after=after, limit=limit)
        assert len(page.lines) <= limit
        shown += [line.chat.id for line in page.lines]
        if page.after is None:
            return shown
        after = Cursor.read(str(page.after))
        assert after == page.after


async def test_the_longest_waiting_comes_first_and_danger_before_all(inbox: InboxService, lists: ChatLists) -> None:
    first, second = await _open(inbox, 1), await _open(inbox, 2)
    danger = await _open(inbox, 3, "crisis")
    assert await _ids(lists, ChatFilter(Tab.WAITING)) == [danger, first, second]


async def test_mine_and_all_show_what_was_said_last_first(
    inbox: InboxService, desk: ChatDesk, lists: ChatLists, clock: MovedClock
) -> None:
    ids = [await _open(inbox, number) for number in range(3)]
    danger = await _open(inbox, 9, "crisis")
    for chat_id in (*ids[:2], danger):
        await desk.claim(chat_id, "li")
    await desk.claim(ids[2], "yang")
    clock.move(timedelta(minutes=5))
    await inbox.record_inbound("o-1", "m-1", text="在吗")
    assert await _ids(lists, ChatFilter(Tab.MINE)) == [danger, ids[1], ids[0]]
    assert await _ids(lists, ChatFilter(Tab.ALL)) == [danger, ids[1], ids[2], ids[0]]
    assert await _ids(lists, ChatFilter(Tab.MINE), viewer="yang") == [ids[2]]


async def test_closed_shows_what_ended_last_first(
    inbox: InboxService, desk: ChatDesk, lists: ChatLists, clock: MovedClock
) -> None:
    ids = [await _open(inbox, number) for number in range(3)]
    for chat_id in (ids[1], ids[0]):
        clock.move(timedelta(minutes=1))
        await desk.close(chat_id, "li", "solved")
    assert await _ids(lists, ChatFilter(Tab.CLOSED)) == [ids[0], ids[1]]


@pytest.mark.parametrize("tab", [Tab.WAITING, Tab.MINE, Tab.ALL, Tab.CLOSED, Tab.PERSON])
async def test_pages_show_each_chat_once(
    database: Database, inbox: InboxService, desk: ChatDesk, lists: ChatLists, clock: MovedClock, tab: Tab
) -> None:
    ids = []
    for number in range(7):
        ids.append(await _open(inbox, number, "crisis" if number % 3 == 1 else "general"))
        if tab in (Tab.MINE, Tab.CLOSED):
            await desk.claim(ids[-1], "li")
        if tab in (Tab.CLOSED, Tab.PERSON):
            await desk.close(ids[-1], "li", "solved")
        if number % 2:
            clock.move(timedelta(microseconds=1))
    if tab is Tab.PERSON:
        async with database.transaction() as session:
            await session.execute(update(Chat).values(openid="o-0"))
    wanted = ChatFilter(tab, like=ids[0])
    whole = await _ids(lists, wanted)
    assert sorted(whole) == ids
    assert await _walked(lists, wanted, 2) == whole


async def test_lists_are_narrowed(inbox: InboxService, desk: ChatDesk, lists: ChatLists, clock: MovedClock) -> None:
    legal, general = await _open(inbox, 1, "legal", SONGTAO), await _open(inbox, 2, "general", SINAN)
    assert await _ids(lists, ChatFilter(Tab.WAITING, topic="legal")) == [legal]
    assert await _ids(lists, ChatFilter(Tab.WAITING, county=SINAN)) == [general]
    await desk.claim(legal, "li")
    assert await _ids(lists, ChatFilter(Tab.ALL, agent="li")) == [legal]
    opened = clock.now()
    assert await _ids(lists, ChatFilter(Tab.ALL, since=opened, until=opened + timedelta(days=1))) == [general, legal]
    assert await _ids(lists, ChatFilter(Tab.ALL, since=opened + timedelta(seconds=1))) == []


async def test_nobody_sees_beyond_their_scope(inbox: InboxService, desk: ChatDesk, lists: ChatLists) -> None:
    songtao, sinan, nowhere = (
        await _open(inbox, 1, county=SONGTAO),
        await _open(inbox, 2, county=SINAN),
        await _open(inbox, 3),
    )
    county = Scope(county=SONGTAO)
    assert await _ids(lists, ChatFilter(Tab.ALL), county) == [songtao]
    assert (await lists.counts(county, "li")).running == 1
    for outside in (sinan, nowhere, 99):
        with pytest.raises(NoSuchChat):
            await lists.get(outside, county)
    await desk.claim(sinan, "lawyer")
    own = Scope(owner="lawyer")
    assert await _ids(lists, ChatFilter(Tab.ALL), own) == [sinan]
    with pytest.raises(NoSuchChat):
        await lists.get(songtao, own)


async def test_the_numbers_beside_the_lists(
    inbox: InboxService, desk: ChatDesk, lists: ChatLists, clock: MovedClock
) -> None:
    ids = [await _open(inbox, number) for number in range(4)]
    await _open(inbox, 9, "crisis")
    await desk.answer(ids[0], "li", "您好", "a-1")
    await desk.claim(ids[1], "yang")
    await desk.close(ids[2], "li", "solved")
    await inbox.record_inbound("o-0", "m-1", text="在吗")
    assert await lists.counts(ALL, "li") == Counts(2, 1, 1, 4, 0, 1)
    clock.move(timedelta(minutes=31))
    # The one that was answered is not late; the crisis, the claimed and the waiting one are.
    assert await lists.counts(ALL, "li") == Counts(2, 1, 1, 4, 3, 1)


async def test_a_line_shows_little_and_masked(
    inbox: InboxService, desk: ChatDesk, lists: ChatLists, clock: MovedClock
) -> None:
    chat_id, danger = await _open(inbox, 1), await _open(inbox, 2, "crisis")
    await inbox.record_inbound("o-1", "m-1", text="我电话13800001234，\n身份证 522229198802299985 " + "很长" * 40)
    await inbox.record_inbound("o-2", "m-2", text="站在楼顶")
    lines = {line.chat.id: line for line in (await lists.page(ALL, ChatFilter(Tab.WAITING), "li")).lines}
    assert lines[chat_id].preview.startswith("我电话138****1234， 身份证 522")
    assert "9988022999" not in lines[chat_id].preview
    assert len(lines[chat_id].preview) == 40
    assert not lines[chat_id].is_own
    assert lines[danger].preview == ""
    clock.move(timedelta(minutes=1))
    await desk.answer(chat_id, "li", "", "a-1", kind=MessageKind.IMAGE, file_id="f" * 32)
    [line] = (await lists.page(ALL, ChatFilter(Tab.MINE), "li")).lines
    assert (line.preview, line.preview_kind, line.is_own) == ("", MessageKind.IMAGE, True)


async def test_the_lines_of_a_long_chat_come_in_parts(inbox: InboxService, lists: ChatLists) -> None:
    chat_id = await _open(inbox, 1)
    for number in range(5):
        await inbox.record_inbound("o-1", f"m-{number}", text=str(number))
    newest = await lists.lines(chat_id, limit=3)
    assert [line.text for line in newest.lines] == ["2", "3", "4"]
    older = await lists.lines(chat_id, before=newest.before, limit=3)
    assert [line.text for line in older.lines] == ["", "0", "1"]
    assert older.before is None


@pytest.mark.parametrize("broken", ["", "1", "x-1-1", "1-zz-1", "1-1-", "9" * 50])
def test_what_is_no_cursor_begins_at_the_first_page(broken: str) -> None:
    assert Cursor.read(broken) is None


# Many rows


async def _crowd(database: Database, clock: MovedClock, count: int) -> None:
    """Store ``count`` closed chats of a year, spread over queues, counties and agents."""
    topics, counties = ("general", "registration", "legal", "complaint"), (SONGTAO, SINAN, "520602", None)
    rows = [
        {
            "openid": f"c-{number}",
            "topic": topics[number % 4],
            "county": counties[number // 4 % 4],
            "reason": "asked",
            "status": "closed",
            "lane": 1,
            "idempotency_key": f"c-{number}",
            "opened_at": clock.now() - timedelta(minutes=count - number + 60),
            "last_at": clock.now() - timedelta(minutes=count - number + 30),
            "closed_at": clock.now() - timedelta(minutes=count - number),
            "closed_by": f"agent-{number % 9}",
            "claimed_by": f"agent-{number % 9}",
            "close_reason": "solved",
        }
        for number in range(count)
    ]
    async with database.connection() as connection:
        await connection.execute(insert(Chat), rows)
    async with database.connection() as connection:
        await connection.execute(text("ANALYZE"))


async def _plans(database: Database, statements: Sequence[str], parameters: Sequence[object]) -> str:
    """Return how the database carries the statements out."""
    plans = []
    async with database.engine.connect() as connection:
        for statement, values in zip(statements, parameters, strict=True):
            prefix = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
            rows = await connection.exec_driver_sql(prefix + statement, values)  # type: ignore[arg-type]
            plans.append("\n".join(str(tuple(row)) for row in rows))
    return "\n".join(plans)


@pytest.mark.parametrize(
    "wanted",
    [
        ChatFilter(Tab.CLOSED),
        ChatFilter(Tab.CLOSED, topic="legal"),
        ChatFilter(Tab.CLOSED, county=SONGTAO),
        ChatFilter(Tab.CLOSED, topic="legal", county=SONGTAO),
        ChatFilter(Tab.CLOSED, agent="agent-3"),
        ChatFilter(Tab.WAITING),
        ChatFilter(Tab.ALL),
        ChatFilter(Tab.ALL, county=SONGTAO),
    ],
    ids=str,
)
async def test_a_page_walks_along_an_index_however_many_chats_there_are(
    database: Database, lists: ChatLists, clock: MovedClock, wanted: ChatFilter
) -> None:
    await _crowd(database, clock, 4_000)
    first = await lists.page(ALL, wanted, "li")
    with counted_queries(database) as asked:
        await lists.page(ALL, wanted, "li", after=first.after)
        await lists.counts(ALL, "li")
    assert len(asked) <= 5, asked
    plan = await _explained(database, lists, wanted, first.after)
    assert "SCAN chats\n" not in plan, plan
    assert "Seq Scan on chats" not in plan, plan
    if wanted.tab is Tab.CLOSED:
        # The running chats are few and may be sorted; the closed ones are all there ever were.
        assert "Sort" not in plan, plan
        assert "TEMP B-TREE" not in plan, plan


async def _explained(database: Database, lists: ChatLists, wanted: ChatFilter, after: Cursor | None) -> str:
    noted: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        if "FROM chats" in statement and "chat_messages" not in statement:
            noted.append((statement, parameters))

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        await lists.page(ALL, wanted, "li", after=after)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return await _plans(database, [one for one, _ in noted], [values for _, values in noted])


async def test_before_anything_is_said_to_people_the_list_shows_what_the_bot_was_told(
    inbox: InboxService, lists: ChatLists
) -> None:
    told = "老板三个月没发工资，我电话 13812345678"
    chat_id = (await inbox.escalate("o-1", "legal", told, "k-1")).chat_id
    [line] = (await lists.page(ALL, ChatFilter(Tab.WAITING), "li")).lines
    assert (line.is_to_bot, line.preview) == (True, "老板三个月没发工资，我电话 138****5678")
    await inbox.record_inbound("o-1", "m-1", text="在吗")
    [line] = (await lists.page(ALL, ChatFilter(Tab.WAITING), "li")).lines
    assert (line.chat.id, line.is_to_bot, line.preview) == (chat_id, False, "在吗")


async def test_the_words_of_a_danger_stand_in_no_list(inbox: InboxService, lists: ChatLists) -> None:
    await inbox.escalate("o-1", "crisis", "我不想活了", "k-1")
    [line] = (await lists.page(ALL, ChatFilter(Tab.WAITING), "li")).lines
    assert (line.is_to_bot, line.preview) == (False, "")


async def test_a_follower_is_told_the_place_that_staff_see(
    inbox: InboxService, desk: ChatDesk, lists: ChatLists
) -> None:
    for number, topic in enumerate(("general", "legal", "crisis", "complaint", "general")):
        await _open(inbox, number, topic)
    await desk.claim((await _ids(lists, ChatFilter(Tab.WAITING)))[1], "li")
    seen = [line.chat for line in (await lists.page(ALL, ChatFilter(Tab.WAITING), "li")).lines]
    assert [chat.topic for chat in seen] == ["crisis", "legal", "complaint", "general"]
    for place, chat in enumerate(seen, start=1):
        told = await inbox.place_of(chat.openid)
        assert told is not None
        assert told.position == place, chat.topic


async def test_asking_for_a_person_again_leaves_what_was_said_in_sight(
    inbox: InboxService, lists: ChatLists, clock: MovedClock
) -> None:
    chat_id, other = await _open(inbox, 1), await _open(inbox, 2)
    assert (await inbox.record_call("o-1", "m-0")) == (await inbox.record_call("o-1", "m-0"))
    (line, _) = (await lists.page(ALL, ChatFilter(Tab.WAITING), "li")).lines
    assert (line.preview, line.chat.unread) == ("", 1)
    await inbox.record_inbound("o-1", "m-1", text="社保断缴咋个补")
    clock.move(timedelta(minutes=5))
    await inbox.record_inbound("o-2", "m-2", text="在吗")
    clock.move(timedelta(minutes=5))
    await inbox.record_call("o-1", "m-3")
    (line, second) = (await lists.page(ALL, ChatFilter(Tab.ALL), "li")).lines
    assert (line.chat.id, line.preview, line.chat.unread) == (chat_id, "社保断缴咋个补", 3), (
        "it moves up all the same"
    )
    assert second.chat.id == other
    shown = (await lists.lines(chat_id)).lines
    assert [one.step for one in shown] == [Step.OPENED, Step.CALLED, None, Step.CALLED]
    assert isinstance(await inbox.record_call("o-9", "m-9"), NoOpenChat)
