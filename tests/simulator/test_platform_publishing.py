"""Publishing over the wire: our API client and codec against the simulated platform."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import ClientSession

from bot.simulator.faults import Fault
from bot.simulator.models import Channel, Follower
from bot.simulator.platform import SimulatedPlatform
from bot.simulator.publications import Verdict, take_down
from bot.simulator.server import start
from bot.values.clock import MovedClock
from bot.wechat.client import WeChatApi
from bot.wechat.codec import Codec
from bot.wechat.errors import (
    ApiError,
    DraftNotAccepted,
    InvalidMedia,
    NoSuchArticle,
    NotAuthorised,
    QuotaUsedUp,
    ReplyWindowClosed,
)
from bot.wechat.inbound import ArticleUrl, PublishJobFinished
from bot.wechat.mass import DraftArticle, MassApi
from bot.wechat.models import CustomerArticle
from bot.wechat.publishing import PublishApi, PublishStatus
from tests.simulator.client import ApiClient
from tests.simulator.gateway import AES_KEY, APP_ID, TOKEN, Gateway, config

ARTICLES = (
    DraftArticle("六月活动", "<p>免费体检开始了</p><script>alert(1)</script>", "thumb", "市总工会"),
    DraftArticle("勤工俭学", "<p>暑期岗位</p>", "thumb", content_source_url="https://example.com/more"),
)
SUBMIT = "/cgi-bin/freepublish/submit"


class GoodToken:
    """The token of the platform that runs."""

    def __init__(self, platform: SimulatedPlatform) -> None:
        self._platform = platform

    async def get(self) -> str:
        return self._platform.tokens.stable(self._platform.clock.now(), force=False).value

    async def replace(self, refused: str) -> str:
        raise AssertionError(refused)


@pytest.fixture
async def wechat(platform: SimulatedPlatform) -> AsyncIterator[WeChatApi]:
    async with ClientSession() as http:
        yield WeChatApi(http, GoodToken(platform), platform.base_url, APP_ID)


@pytest.fixture
def publishing(wechat: WeChatApi) -> PublishApi:
    return PublishApi(wechat.client)


@pytest.fixture
def mass(wechat: WeChatApi) -> MassApi:
    return MassApi(wechat.client)


def events(gateway: Gateway) -> list[PublishJobFinished]:
    """Return what the account was told of publications, as its own codec reads it."""
    codec = Codec(TOKEN, APP_ID, (AES_KEY,), "safe")
    deliveries = zip(gateway.queries, gateway.bodies, strict=True)
    read = [codec.decode(query, body).message for query, body in deliveries]
    return [one for one in read if isinstance(one, PublishJobFinished)]


async def test_a_draft_becomes_readable_articles_and_the_account_hears_of_it(
    platform: SimulatedPlatform, gateway: Gateway, publishing: PublishApi, mass: MassApi, yang: Follower
) -> None:
    media_id = await mass.add_draft(ARTICLES)
    publish_id = await publishing.submit(media_id)
    assert (await publishing.status(publish_id)).status is PublishStatus.RUNNING
    await platform.settle()
    result = await publishing.status(publish_id)
    assert (result.status, result.failed_indexes) == (PublishStatus.PUBLISHED, ())
    assert result.article_id
    (event,) = events(gateway)
    assert (event.publish_id, event.status, event.article_id) == (publish_id, 0, result.article_id)
    assert event.article_urls == result.article_urls
    assert [one.index for one in event.article_urls] == [1, 2]
    assert platform.drafts == {}
    with pytest.raises(InvalidMedia):
        await publishing.submit(media_id)
    page = await read(result.article_urls[0])
    assert (page[0], "免费体检开始了" in page[1], "alert" in page[1]) == (200, True, False)
    assert "六月活动" in (await read(ArticleUrl(0, f"{platform.base_url}/home")))[1]
    assert platform.seen(yang.openid) == [], "nobody is notified"


async def read(article: ArticleUrl) -> tuple[int, str]:
    async with ClientSession() as http, http.get(article.url) as response:
        return response.status, await response.text()


async def test_what_is_published_is_listed_and_looked_up(
    platform: SimulatedPlatform, publishing: PublishApi, mass: MassApi
) -> None:
    await publishing.submit(await mass.add_draft(ARTICLES))
    await publishing.submit(await mass.add_draft(ARTICLES[:1]))
    await platform.settle()
    newest = await publishing.newest()
    assert [[article.title for article in one.articles] for one in newest] == [["六月活动"], ["六月活动", "勤工俭学"]]
    single, double = newest
    assert single.articles[0].digest == "免费体检开始了", "the platform fills it in"
    assert double.articles[1].source_url == "https://example.com/more"
    assert (double.at, double.is_deleted) == (platform.clock.now(), False)
    found = await publishing.article(double.article_id)
    assert found.articles == double.articles
    with pytest.raises(NoSuchArticle):
        await publishing.article("nothing")


@pytest.mark.parametrize(
    ("verdict", "failed"),
    [(Verdict.NOT_ORIGINAL, (1, 2)), (Verdict.FAILED, ()), (Verdict.NOT_ALLOWED, (1, 2))],
)
async def test_a_publication_that_is_refused(
    platform: SimulatedPlatform,
    gateway: Gateway,
    publishing: PublishApi,
    mass: MassApi,
    yang: Follower,
    verdict: Verdict,
    failed: tuple[int, ...],
) -> None:
    platform.publications.verdicts.append(verdict)
    publish_id = await publishing.submit(await mass.add_draft(ARTICLES))
    await platform.settle()
    result = await publishing.status(publish_id)
    assert (int(result.status or 0), result.article_id, result.failed_indexes) == (verdict, None, failed)
    (event,) = events(gateway)
    assert (event.status, event.failed_indexes, event.openid) == (verdict, failed, yang.openid)
    assert len(platform.drafts) == 1
    assert await publishing.newest() == []


async def test_what_was_published_is_deleted_for_good(
    platform: SimulatedPlatform, publishing: PublishApi, mass: MassApi
) -> None:
    publish_id = await publishing.submit(await mass.add_draft(ARTICLES))
    await platform.settle()
    result = await publishing.status(publish_id)
    assert result.article_id
    await publishing.delete(result.article_id)
    assert (await publishing.status(publish_id)).status is PublishStatus.DELETED
    assert (await publishing.article(result.article_id)).is_deleted
    assert "已被发布者删除" in (await read(result.article_urls[1]))[1]
    with pytest.raises(NoSuchArticle):
        await publishing.delete(result.article_id)


@pytest.mark.usefixtures("yang")
@pytest.mark.parametrize(("how", "word"), [(Verdict.DELETED, "删除"), (Verdict.BANNED, "违规")])
async def test_what_others_take_down_is_told(
    platform: SimulatedPlatform,
    gateway: Gateway,
    publishing: PublishApi,
    mass: MassApi,
    how: Verdict,
    word: str,
) -> None:
    publish_id = await publishing.submit(await mass.add_draft(ARTICLES))
    await platform.settle()
    result = await publishing.status(publish_id)
    take_down(platform, result.article_id or "", how)
    await platform.settle()
    assert [one.status for one in events(gateway)] == [0, how]
    assert len({one.delivery_key for one in events(gateway)}) == 2
    assert word in (await read(result.article_urls[0]))[1]


async def test_two_jobs_that_end_in_one_second_are_two_events(
    gateway: Gateway, clock: MovedClock, yang: Follower
) -> None:
    settings = replace(config(gateway.url), distinct_event_times=False)
    async with (
        SimulatedPlatform(settings, clock, acknowledged_not_production=True) as platform,
        ClientSession() as http,
    ):
        running = await start(platform, port=0)
        platform.add_follower(yang.nickname)
        wechat = WeChatApi(http, GoodToken(platform), platform.base_url, APP_ID)
        mass, publishing = MassApi(wechat.client), PublishApi(wechat.client)
        for _ in range(2):
            await publishing.submit(await mass.add_draft(ARTICLES))
        await platform.settle()
        await running.close()
    told = events(gateway)
    assert len({one.created_s for one in told}) == 1
    assert len({one.delivery_key for one in told}) == 2


@pytest.mark.parametrize(
    ("errcode", "kind"),
    [
        (53503, DraftNotAccepted),
        (53504, DraftNotAccepted),
        (53505, DraftNotAccepted),
        (48001, NotAuthorised),
        (45009, QuotaUsedUp),
    ],
)
async def test_the_platform_says_why_it_does_not_begin(
    platform: SimulatedPlatform, publishing: PublishApi, mass: MassApi, errcode: int, kind: type[ApiError]
) -> None:
    platform.faults.add(Fault(SUBMIT, left=1, errcode=errcode))
    with pytest.raises(kind) as refused:
        await publishing.submit(await mass.add_draft(ARTICLES))
    assert (refused.value.errcode, bool(refused.value.rid)) == (errcode, True)
    assert platform.publications.everything() == ()


async def test_the_days_calls_are_counted(publishing: PublishApi, api: ApiClient) -> None:
    limits = {"submit": 100, "get": 100, "getarticle": 100, "batchget": 100, "delete": 10}
    for name, limit in limits.items():
        quota = (await api.post("/cgi-bin/openapi/quota/get", {"cgi_path": f"/cgi-bin/freepublish/{name}"}))["quota"]
        assert isinstance(quota, dict)
        assert quota["daily_limit"] == limit
    for _ in range(10):
        with pytest.raises(NoSuchArticle):
            await publishing.delete("nothing")
    with pytest.raises(QuotaUsedUp):
        await publishing.delete("nothing")


async def test_only_what_is_published_goes_out_as_a_message(
    platform: SimulatedPlatform, wechat: WeChatApi, publishing: PublishApi, mass: MassApi, yang: Follower
) -> None:
    publish_id = await publishing.submit(await mass.add_draft(ARTICLES))
    await platform.settle()
    article_id = (await publishing.status(publish_id)).article_id or ""
    with pytest.raises(ReplyWindowClosed):
        await wechat.send_customer_message(yang.openid, CustomerArticle(article_id))
    await platform.say(yang.openid, "您好")
    with pytest.raises(NoSuchArticle):
        await wechat.send_customer_message(yang.openid, CustomerArticle("nothing"))
    await wechat.send_customer_message(yang.openid, CustomerArticle(article_id))
    shown = platform.seen(yang.openid)[-1]
    assert (shown.channel, shown.text) == (Channel.CUSTOMER, "六月活动")
    assert (await read(ArticleUrl(1, shown.links[0].url)))[0] == 200
    await publishing.delete(article_id)
    with pytest.raises(NoSuchArticle):
        await wechat.send_customer_message(yang.openid, CustomerArticle(article_id))


async def test_a_demonstration_decides_how_publications_end(
    platform: SimulatedPlatform, publishing: PublishApi, mass: MassApi
) -> None:
    async with ClientSession(platform.base_url) as http:
        for body, status in (({"verdict": 4}, 200), ({"verdict": 1}, 400), ({"article_id": "nothing"}, 400)):
            async with http.post("/sim/publications", json=body) as response:
                assert response.status == status, body
        refused = await publishing.submit(await mass.add_draft(ARTICLES))
        await platform.settle()
        assert (await publishing.status(refused)).status is PublishStatus.NOT_ALLOWED
        publish_id = await publishing.submit(await mass.add_draft(ARTICLES))
        await platform.settle()
        article_id = (await publishing.status(publish_id)).article_id
        async with http.post("/sim/publications", json={"article_id": article_id, "how": "ban"}) as response:
            assert response.status == 200
        assert (await publishing.status(publish_id)).status is PublishStatus.BANNED
        async with http.get("/sim/state") as response:
            listed = (await response.json())["publications"]
        assert [one["status"] for one in listed] == [6, 4]
