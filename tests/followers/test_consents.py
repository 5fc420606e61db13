"""Consents as evidence, and the prefill values that hang on one of them."""

import hashlib
from datetime import timedelta
from pathlib import Path

from bot.followers.consents import ConsentService
from bot.followers.models import ConsentPurpose
from bot.followers.service import FollowerService
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock

TEXT = "我同意为审核报名收集姓名和手机号。"


async def _agree(consents: ConsentService, purpose: str, key: str, *, programme_id: str = "") -> int:
    record = await consents.record_consent(
        "o-1", purpose, text_version="v3", text=TEXT, channel="chat", key=key, programme_id=programme_id
    )
    return record.id


async def test_a_consent_records_version_hash_channel_and_time(consents: ConsentService, clock: MovedClock) -> None:
    await _agree(consents, ConsentPurpose.GENERAL, "k-1", programme_id="qg-2026-summer")
    (record,) = await consents.consents_of("o-1")
    assert record.text_version == "v3"
    assert record.text_sha256 == hashlib.sha256(TEXT.encode()).hexdigest()
    assert (record.channel, record.programme_id) == ("chat", "qg-2026-summer")
    assert record.given_at == clock.now()
    assert record.withdrawn_at is None


async def test_the_same_key_records_once_a_purpose(consents: ConsentService) -> None:
    first = await _agree(consents, ConsentPurpose.GENERAL, "k-1")
    repeated = await _agree(consents, ConsentPurpose.GENERAL, "k-1")
    other = await _agree(consents, ConsentPurpose.SENSITIVE, "k-1")
    assert first == repeated
    assert other != first


async def test_withdrawing_keeps_the_record(consents: ConsentService, clock: MovedClock) -> None:
    await _agree(consents, ConsentPurpose.SENSITIVE, "k-1")
    clock.move(timedelta(hours=2))
    assert await consents.withdraw("o-1", ConsentPurpose.SENSITIVE) == 1
    withdrawn_at = clock.now()
    clock.move(timedelta(hours=2))
    assert await consents.withdraw("o-1", ConsentPurpose.SENSITIVE) == 0
    (record,) = await consents.consents_of("o-1")
    assert record.withdrawn_at == withdrawn_at
    assert not await consents.has_consent("o-1", ConsentPurpose.SENSITIVE)


async def test_agreeing_again_makes_a_second_record(consents: ConsentService) -> None:
    await _agree(consents, ConsentPurpose.SENSITIVE, "k-1")
    await consents.withdraw("o-1", ConsentPurpose.SENSITIVE)
    await _agree(consents, ConsentPurpose.SENSITIVE, "k-2")
    assert len(await consents.consents_of("o-1")) == 2
    assert await consents.has_consent("o-1", ConsentPurpose.SENSITIVE)


async def test_withdrawing_for_one_programme_leaves_the_others(consents: ConsentService) -> None:
    await _agree(consents, ConsentPurpose.THIRD_PARTY, "k-1", programme_id="a")
    await _agree(consents, ConsentPurpose.THIRD_PARTY, "k-2", programme_id="b")
    assert await consents.withdraw("o-1", ConsentPurpose.THIRD_PARTY, programme_id="a") == 1
    assert not await consents.has_consent("o-1", ConsentPurpose.THIRD_PARTY, programme_id="a")
    assert await consents.has_consent("o-1", ConsentPurpose.THIRD_PARTY, programme_id="b")


async def test_nothing_is_kept_for_prefill_without_consent(followers: FollowerService) -> None:
    assert not await followers.save_profile("o-1", {"name": "龙小芳"})
    assert await followers.prefill("o-1") is None


async def test_prefill_returns_the_last_answers(followers: FollowerService, consents: ConsentService) -> None:
    await _agree(consents, ConsentPurpose.PREFILL, "k-1")
    assert await followers.save_profile("o-1", {"name": "龙小芳", "school": "铜仁学院"})
    assert await followers.save_profile("o-1", {"name": "龙小芳", "school": "铜仁职院"})
    kept = await followers.prefill("o-1")
    assert kept is not None
    assert kept.values == {"name": "龙小芳", "school": "铜仁职院"}


async def test_withdrawing_prefill_deletes_the_answers(followers: FollowerService, consents: ConsentService) -> None:
    await _agree(consents, ConsentPurpose.PREFILL, "k-1")
    await followers.save_profile("o-1", {"name": "龙小芳"})
    await consents.withdraw("o-1", ConsentPurpose.PREFILL)
    await _agree(consents, ConsentPurpose.PREFILL, "k-2")
    assert await followers.prefill("o-1") is None


async def test_forgetting_the_profile_says_whether_there_was_one(
    followers: FollowerService, consents: ConsentService
) -> None:
    await _agree(consents, ConsentPurpose.PREFILL, "k-1")
    await followers.save_profile("o-1", {"name": "龙小芳"})
    assert await followers.forget_profile("o-1")
    assert not await followers.forget_profile("o-1")


async def test_the_database_file_holds_no_prefill_value_in_plain(
    sqlite_url: str, cipher: FieldCipher, clock: MovedClock
) -> None:
    database = Database(sqlite_url)
    consents, followers = ConsentService(database, clock), FollowerService(database, cipher, clock)
    await _agree(consents, ConsentPurpose.PREFILL, "k-1")
    values = {"name": "麻阿妹", "id_number": "522229198802299985", "phone": "13985600017"}
    await followers.save_profile("o-1", values)
    await followers.describe("o-1", county="readable-county")
    await database.close()
    stored = b"".join(path.read_bytes() for path in Path(sqlite_url.split("///")[1]).parent.glob("records.db*"))
    assert b"readable-county" in stored, "the control: unsealed values are found by this search"
    assert [value for value in values.values() if value.encode() in stored] == []
