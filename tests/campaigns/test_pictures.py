"""Pictures of campaigns: at the platform once, for every batch, and nobody is sent anything without them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.campaigns.content import Article, News, Picture
from bot.campaigns.errors import PictureGone
from bot.campaigns.models import CampaignState, Outcome, SendChannel
from bot.campaigns.pace import Pace
from bot.campaigns.pictures import CampaignPictures
from bot.campaigns.progress import CampaignLists
from bot.campaigns.sending import BatchSender
from bot.campaigns.service import CampaignService
from bot.campaigns.unused_pictures import UnusedPictures
from bot.simulator.bubbles import MediaBubble
from bot.simulator.faults import Fault
from bot.storage.encryption import FieldCipher
from bot.storage.files import FileMissing, FileRefused, PrivateFiles
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from bot.wechat.errors import SystemBusy
from tests.campaigns.people import draft, openid, started
from tests.campaigns.platform import Sending
from tests.console.test_campaign_form import PNG

UPLOAD = "/cgi-bin/material/add_material"


@pytest.fixture
def files(tmp_path: Path, cipher: FieldCipher) -> PrivateFiles:
    return PrivateFiles(tmp_path / "files", cipher)


@pytest.fixture
def pictures(database: Database, files: PrivateFiles, clock: MovedClock) -> CampaignPictures:
    return CampaignPictures(database, files, clock)


@pytest.fixture
async def with_pictures(sending: Sending, pictures: CampaignPictures, redis_url: str) -> AsyncIterator[Sending]:
    """The sender of a worker that has the pictures at hand."""

    async def at_once(_seconds: float) -> None:
        await asyncio.sleep(0)

    redis = Redis.from_url(redis_url)
    sending.sender = BatchSender(
        sending.batches,
        Pace(redis),
        sending.stops,
        sending.mass,
        sending.api,
        sending.clock,
        sleep=at_once,
        pictures=pictures,
    )
    yield sending
    await redis.aclose()


class Shelf:
    """A platform that counts what it is given, and refuses the first ``refusals``."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals, self.kept = refusals, list[bytes]()

    async def add_picture(self, data: bytes, filename: str) -> str:
        """Return a new number each time."""
        await asyncio.sleep(0)
        if self.refusals:
            self.refusals -= 1
            raise SystemBusy(-1)
        assert filename.endswith(".png")
        self.kept.append(data)
        return f"media-{len(self.kept)}"


async def test_a_picture_goes_to_the_platform_once(pictures: CampaignPictures) -> None:
    file_id, shelf = await pictures.add(PNG, by="wang"), Shelf(refusals=1)
    with pytest.raises(SystemBusy):
        await pictures.ready(Picture("", file_id), shelf)
    for _ in range(2):
        assert await pictures.ready(Picture("", file_id), shelf) == Picture("media-1", file_id)
    news = News((Article("一", "<p>x</p>", file_id=file_id), Article("二", "<p>x</p>", "by hand")))
    ready = await pictures.ready(news, shelf)
    assert isinstance(ready, News)
    assert [one.thumb_media_id for one in ready.articles] == ["media-1", "by hand"]
    assert len(shelf.kept) == 1


async def test_other_files_are_no_pictures_of_campaigns(pictures: CampaignPictures, files: PrivateFiles) -> None:
    with pytest.raises(FileRefused):
        await pictures.add(b"%PDF-1.4 %%EOF", by="wang")
    other = await files.save(PNG, owner="o-worker", purpose="material")
    with pytest.raises(FileMissing):
        await pictures.read(other.id)
    with pytest.raises(FileMissing):
        await pictures.ready(Picture("", other.id), Shelf())
    assert await pictures.known([other.id]) == frozenset()


@pytest.mark.parametrize("channel", [SendChannel.MASS_LIST, SendChannel.CUSTOMER])
async def test_nobody_gets_anything_until_the_picture_is_there(
    with_pictures: Sending,
    service: CampaignService,
    lists: CampaignLists,
    pictures: CampaignPictures,
    files: PrivateFiles,
    channel: SendChannel,
) -> None:
    sending = with_pictures
    await sending.people(range(3))
    for number in range(3):
        await sending.platform.say(openid(number), "您好")
    file_id = await pictures.add(PNG, by="wang")
    campaign = await started(service, draft(channel, Picture("", file_id)))
    sending.platform.faults.add(Fault(UPLOAD, left=1, errcode=45009))
    await sending.run()
    paused = await service.get(campaign.id)
    assert (paused.state, paused.pause_reason) == (CampaignState.PAUSED, "quota_used_up")
    assert (await lists.progress(campaign.id)).counts == {Outcome.QUEUED: 3}
    await service.resume(campaign.id, by="wang")
    await sending.run(rounds=2)
    assert _pictures_of(sending) == dict.fromkeys([openid(number) for number in range(3)], 1)
    lost = await started(service, draft(channel, Picture("", await pictures.add(PNG, by="wang"))), key="lost")
    await files.delete(str(getattr(lost.content, "file_id", "")))
    await sending.run()
    assert (await service.get(lost.id)).pause_reason == "missing"


@pytest.fixture
def unused(sending: Sending, files: PrivateFiles) -> UnusedPictures:
    return UnusedPictures(sending.database, sending.clock, shelf=sending.mass, remove_file=files.delete)


async def _at_the_platform(sending: Sending, pictures: CampaignPictures, file_id: str) -> str:
    ready = await pictures.ready(Picture("", file_id), sending.mass)
    assert isinstance(ready, Picture)
    return ready.media_id


def _has(sending: Sending, media_id: str) -> bool:
    return sending.platform.media.has(media_id, sending.clock.now())


async def test_what_no_campaign_held_for_a_week_is_deleted_here_and_there(
    sending: Sending,
    service: CampaignService,
    pictures: CampaignPictures,
    files: PrivateFiles,
    unused: UnusedPictures,
) -> None:
    used, by_number, cover, lonely, forgotten = [await pictures.add(PNG, by="wang") for _ in range(5)]
    kept, typed, gone = [await _at_the_platform(sending, pictures, one) for one in (used, by_number, lonely)]
    await service.create(draft(content=Picture("", used)), by="wang", key="file")
    await service.create(draft(content=Picture(typed)), by="wang", key="number")
    await service.create(draft(content=News((Article("一", "<p>x</p>", file_id=cover),))), by="wang", key="cover")
    sending.clock.move(timedelta(days=7) - timedelta(minutes=1))
    assert await unused.remove() == 0
    sending.clock.move(timedelta(minutes=1))
    assert await unused.remove() == 2
    assert await pictures.known([used, by_number, cover, lonely, forgotten]) == {used, by_number, cover}
    assert [_has(sending, one) for one in (kept, typed, gone)] == [True, True, False]
    for one in (lonely, forgotten):
        with pytest.raises(FileMissing):
            await files.read(one)
    sending.clock.move(timedelta(days=30))
    assert await unused.remove() == 0
    assert (await files.read(used)).file.id == used


async def test_a_week_begins_when_a_campaign_lets_a_picture_go(
    sending: Sending, service: CampaignService, pictures: CampaignPictures, unused: UnusedPictures
) -> None:
    file_id = await pictures.add(PNG, by="wang")
    campaign = await service.create(draft(content=Picture("", file_id)), by="wang", key="k")
    sending.clock.move(timedelta(days=20))
    await service.edit(campaign.id, draft(), by="wang", version=campaign.version)
    sending.clock.move(timedelta(days=6))
    assert await unused.remove() == 0
    sending.clock.move(timedelta(days=1))
    assert await unused.remove() == 1
    with pytest.raises(PictureGone):
        await service.create(draft(content=Picture("", file_id)), by="wang", key="late")


async def test_what_the_platform_does_not_let_go_of_is_tried_again_and_nobody_takes_it(
    sending: Sending,
    service: CampaignService,
    pictures: CampaignPictures,
    files: PrivateFiles,
    unused: UnusedPictures,
) -> None:
    first, second = [await pictures.add(PNG, by="wang") for _ in range(2)]
    material, other = [await _at_the_platform(sending, pictures, one) for one in (first, second)]
    sending.clock.move(timedelta(days=8))
    sending.platform.faults.add(Fault("/cgi-bin/material/del_material", left=1, errcode=45009))
    assert await unused.remove() == 0
    assert (_has(sending, material), _has(sending, other)) == (True, True)
    with pytest.raises(PictureGone):
        await service.create(draft(content=Picture("", first)), by="wang", key="late")
    await sending.mass.delete_material(material)
    assert await unused.remove() == 2
    assert not _has(sending, other)
    with pytest.raises(FileMissing):
        await files.read(first)


def _pictures_of(sending: Sending) -> Mapping[str, int]:
    shown = {openid(number): sending.platform.seen(openid(number)) for number in range(3)}
    return {one: sum(isinstance(each.bubble, MediaBubble) for each in messages) for one, messages in shown.items()}
