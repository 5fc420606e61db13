"""Export and erasure across subjects."""

import json

import pytest
from sqlalchemy import select

from bot.followers.consents import ConsentService
from bot.followers.models import Consent, ConsentPurpose, Erasure
from bot.followers.personal_data import FollowerData
from bot.followers.privacy import ERASED_PREFIX, JsonValue, PrivacyService
from bot.followers.service import FollowerService
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock


class Notes:
    """A subject that keeps notes by OpenID, and fails to erase as often as it is told to."""

    subject = "notes"

    def __init__(self, failures: int = 0) -> None:
        self.by_openid: dict[str, list[str]] = {"o-1": ["first", "second"], "o-2": ["other"]}
        self.failures = failures

    async def export(self, openid: str) -> JsonValue:
        return list(self.by_openid.get(openid, []))

    async def erase(self, openid: str) -> int:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the store of the notes is away")
        return len(self.by_openid.pop(openid, []))


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def privacy(
    database: Database, cipher: FieldCipher, clock: MovedClock, follower_data: FollowerData, notes: Notes
) -> PrivacyService:
    return PrivacyService(database, cipher, clock, holders=(notes, follower_data))


async def _fill(followers: FollowerService, consents: ConsentService) -> None:
    await followers.followed("o-1", "poster", "k-1")
    await consents.record_consent(
        "o-1", ConsentPurpose.PREFILL, text_version="v1", text="…", channel="chat", key="k-2"
    )
    await followers.save_profile("o-1", {"name": "龙小芳"})


async def test_an_export_holds_every_subject_and_is_json(
    privacy: PrivacyService, followers: FollowerService, consents: ConsentService
) -> None:
    await _fill(followers, consents)
    exported = json.loads(json.dumps(await privacy.export("o-1")))
    assert exported["notes"] == ["first", "second"]
    assert exported["followers"]["kept_answers"] == {"name": "龙小芳"}
    assert exported["followers"]["consents"][0]["purpose"] == "prefill"


async def test_an_export_of_somebody_unknown_is_empty(privacy: PrivacyService) -> None:
    exported = await privacy.export("o-nobody")
    assert exported["notes"] == []
    assert exported["followers"] == {**dict.fromkeys(_NOTHING), "kept_answers": {}, "consents": []}


_NOTHING = ("subscribed", "first_scene", "latest_scene", "followed_at", "last_seen_at", "county", "category", "unit")


async def test_erasing_leaves_nothing_but_proofs_without_the_openid(
    privacy: PrivacyService, followers: FollowerService, consents: ConsentService, database: Database, notes: Notes
) -> None:
    await _fill(followers, consents)
    report = await privacy.erase("o-1", requested_by="follower")
    assert report.rows_by_subject == {"notes": 2, "followers": 4}
    assert await followers.find("o-1") is None
    assert await followers.prefill("o-1") is None
    assert await consents.consents_of("o-1") == []
    assert notes.by_openid == {"o-2": ["other"]}
    async with database.reading() as session:
        holders = list(await session.scalars(select(Consent.openid)))
        (proof,) = await session.scalars(select(Erasure))
    assert [holder.startswith(ERASED_PREFIX) for holder in holders] == [True]
    assert "o-1" not in proof.holder_hash
    assert proof.requested_by == "follower"


async def test_erasing_again_touches_nothing(
    privacy: PrivacyService, followers: FollowerService, consents: ConsentService
) -> None:
    await _fill(followers, consents)
    await privacy.erase("o-1", requested_by="follower")
    assert (await privacy.erase("o-1", requested_by="follower")).total == 0


async def _proofs(database: Database) -> list[str]:
    async with database.reading() as session:
        return list(await session.scalars(select(Erasure.requested_by).order_by(Erasure.id)))


async def test_a_followers_erasure_that_is_run_twice_is_proved_once(
    privacy: PrivacyService, followers: FollowerService, consents: ConsentService, database: Database
) -> None:
    await privacy.erase("o-1", requested_by="follower")
    await privacy.erase("o-1", requested_by="follower")
    assert await _proofs(database) == ["follower"]
    await _fill(followers, consents)
    await privacy.erase("o-1", requested_by="follower")
    assert await _proofs(database) == ["follower"] * 2
    # Staff have asked for it all the same, each time.
    await privacy.erase("o-1", requested_by="staff")
    await privacy.erase("o-1", requested_by="staff")
    assert await _proofs(database) == ["follower"] * 2 + ["staff"] * 2


async def test_an_erasure_that_failed_halfway_is_repeated(
    database: Database,
    cipher: FieldCipher,
    clock: MovedClock,
    follower_data: FollowerData,
    followers: FollowerService,
    consents: ConsentService,
) -> None:
    await _fill(followers, consents)
    privacy = PrivacyService(database, cipher, clock, holders=(follower_data, Notes(failures=1)))
    with pytest.raises(ConnectionError):
        await privacy.erase("o-1", requested_by="platform")
    report = await privacy.erase("o-1", requested_by="platform")
    assert report.rows_by_subject == {"followers": 0, "notes": 2}


def test_two_holders_of_one_name_are_refused(database: Database, cipher: FieldCipher, clock: MovedClock) -> None:
    with pytest.raises(ValueError, match="share a subject name"):
        PrivacyService(database, cipher, clock, holders=(Notes(), Notes()))
