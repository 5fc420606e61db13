"""What conversations leave behind: sealed files without metadata, consents as evidence, nothing else readable."""

from io import BytesIO
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image
from sqlalchemy import select

from bot.dialogue.catalog import FlowCatalog
from bot.registrations.models import Material
from tests.conversations.chats import AssistantChat
from tests.conversations.conftest import Town
from tests.support.conversations import load_directory, run_case

CASES = {str(case): case for case in load_directory(Path(__file__).parent)}
WHOLE_WAY = "work_study: a parent registers a grown-up student, in dialect"
TO_THE_REVIEW = "work_study: on the review screen lines are changed by number, by name and in one go"
PERSONAL = ("522221200601010013", "522221197803150028", "13800001234", "13900005678", "13700001111", "杨小芳", "住院")

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def _registered(chat: AssistantChat, catalog: FlowCatalog) -> None:
    await run_case(CASES[WHOLE_WAY], chat, catalog, surroundings=chat)


@pytest.mark.usefixtures("_registered")
async def test_a_photo_is_kept_without_its_metadata(chat: AssistantChat) -> None:
    records = chat.assistant.bot.records
    async with records.database.reading() as session:
        rows = list(await session.scalars(select(Material).order_by(Material.id)))
    assert [row.code for row in rows] == ["student_card", "hardship_proof"]
    kept = await records.files.read(rows[0].file_id)
    assert (kept.owner, kept.purpose) == (chat.openid, "student_card")
    picture = Image.open(BytesIO(kept.data))
    assert (picture.format, dict(picture.getexif())) == ("JPEG", {})
    # The phone had laid it on its side; it is upright now that nothing says so any more.
    assert picture.size == (40, 60)
    assert b"secret place" not in kept.data


@pytest.mark.usefixtures("_registered")
async def test_a_file_on_disk_tells_nothing(chat: AssistantChat) -> None:
    files = [path for path in (chat.assistant.settings.data_dir / "files").rglob("*") if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        assert b"JFIF" not in content
        assert chat.openid.encode() not in content


@pytest.mark.usefixtures("_registered")
async def test_every_consent_is_recorded_on_its_own(chat: AssistantChat) -> None:
    consents = await chat.assistant.bot.records.consents.consents_of(chat.openid)
    assert [(consent.purpose, consent.text_version, consent.channel) for consent in consents] == [
        ("general", "demo-1", "chat"),
        ("sensitive", "demo-1", "chat"),
        ("third_party", "demo-1", "chat"),
        ("prefill", "1", "chat"),
    ]
    assert len({consent.text_sha256 for consent in consents}) == 4


async def test_nothing_personal_is_readable_in_the_stores_while_a_form_is_open(
    town: Town, catalog: FlowCatalog
) -> None:
    chat = town.fresh_chat()
    case = CASES[TO_THE_REVIEW]
    await run_case(case, chat, catalog, surroundings=chat)
    stored = await _everything_in_redis(chat) + _everything_in_sql(town)
    assert chat.openid in stored, "the stores were not looked into at all"
    forms = [form for word in PERSONAL for form in (word, str(word.encode())[2:-1])]
    assert [form for form in forms if form in stored] == []


async def test_the_scenes_of_the_codes_that_were_scanned_are_kept(chat: AssistantChat) -> None:
    await chat.send_event("subscribe:poster-3")
    await chat.send_event("scan:poster-9")
    known = await chat.assistant.bot.records.followers.find(chat.openid)
    assert known is not None
    assert (known.first_scene, known.latest_scene) == ("poster-3", "poster-9")


async def test_after_an_erasure_nothing_of_the_follower_is_left(chat: AssistantChat, catalog: FlowCatalog) -> None:
    case = CASES["common: shown, withdrawn, and erased with everything that was still open"]
    await run_case(case, chat, catalog, surroundings=chat)
    records = chat.assistant.bot.records
    assert await records.registrations.find_for(chat.openid) == ()
    assert await records.consents.consents_of(chat.openid) == []
    assert await records.followers.prefill(chat.openid) is None
    state = await chat.state()
    assert (state.drafts, [name for name in state.slots if name.startswith("ws_parent")]) == ((), [])


async def _everything_in_redis(chat: AssistantChat) -> str:
    redis = chat.assistant.bot.redis
    values: list[object] = []
    for key in await redis.keys("*"):
        match await redis.type(key):
            case b"string":
                values += [key, await redis.get(key)]
            case b"hash":
                values += [key, await redis.hgetall(key)]
            case b"stream":
                values += [key, await redis.xrange(key)]
            case b"zset":
                values += [key, await redis.zrange(key, 0, -1)]
            case b"list":
                values += [key, await redis.lrange(key, 0, -1)]
            case b"set":
                values += [key, await redis.smembers(key)]
            case other:
                raise AssertionError(f"what is a {other!r}?")
    # What is shown of bytes that are no ASCII is their code, so Chinese words are looked for in that form too.
    return "\n".join(map(str, values))


def _everything_in_sql(town: Town) -> str:
    files = (town.live, town.live.with_name(f"{town.live.name}-wal"))
    return b"\n".join(path.read_bytes() for path in files if path.exists()).decode("utf-8", "replace")
