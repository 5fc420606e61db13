"""Faults, the control API under /sim, and what keeps the simulator away from anything real."""

import asyncio
import json
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import ClientSession

from bot.simulator.errors import ConfigRefused, NotForProduction
from bot.simulator.faults import Fault
from bot.simulator.json_body import JsonObject
from bot.simulator.models import Channel, Follower, SimulatorConfig
from bot.simulator.platform import SimulatedPlatform
from bot.simulator.server import serve, start
from tests.simulator.client import PNG, ApiClient
from tests.simulator.gateway import APP_ID, APP_SECRET, TOKEN, Gateway, config

SEND = "/cgi-bin/message/custom/send"


async def test_the_next_calls_fail_with_the_code_asked_for(
    platform: SimulatedPlatform, api: ApiClient, yang: Follower
) -> None:
    await platform.say(yang.openid, "你好")
    platform.faults.add(Fault(SEND, left=2, errcode=-1))
    assert [(await api.send_text(yang.openid))["errcode"] for _ in range(3)] == [-1, -1, 0]
    assert platform.calls.count(SEND, yang.openid) == 3
    assert platform.calls.count(SEND, yang.openid, ok_only=True) == 1
    assert platform.calls.count(openid=yang.openid) == 3


@pytest.mark.parametrize(("after_work", "shown"), [(False, 0), (True, 1)])
async def test_a_dropped_connection_before_and_after_the_work(
    platform: SimulatedPlatform, api: ApiClient, yang: Follower, after_work: bool, shown: int
) -> None:
    await platform.say(yang.openid, "你好")
    platform.faults.add(Fault(SEND, left=1, drop=True, after_work=after_work))
    with pytest.raises(aiohttp.ClientError):
        await api.send_text(yang.openid, "断")
    assert len([one for one in platform.seen(yang.openid) if one.channel is Channel.CUSTOMER]) == shown
    assert (await api.send_text(yang.openid))["errcode"] == 0


async def test_latency_and_http_errors(platform: SimulatedPlatform, api: ApiClient) -> None:
    platform.faults.add(Fault(latency_s=0.05))
    platform.faults.add(Fault("/cgi-bin/user/get", left=1, http_status=502))
    async with api.session.get(f"{api.base_url}/cgi-bin/user/get", params={"access_token": api.token}) as response:
        assert (response.status, response.content_type) == (502, "text/html")
    with pytest.raises(TimeoutError):
        async with api.session.get(f"{api.base_url}/cgi-bin/menu/get", timeout=aiohttp.ClientTimeout(total=0.01)):
            pass
    platform.faults.clear()
    assert "errcode" not in await api.get("/cgi-bin/user/get")


class Control:
    """The control API over HTTP."""

    def __init__(self, api: ApiClient) -> None:
        self._session, self._base_url = api.session, api.base_url

    async def post(self, path: str, status: int = 200, /, **body: object) -> JsonObject:
        """Return the answer, which must have ``status``."""
        async with self._session.post(self._base_url + path, json=body) as response:
            assert response.status == status
            answer: JsonObject = await response.json()
            return answer

    async def get(self, path: str) -> JsonObject:
        """Return the answer."""
        async with self._session.get(self._base_url + path) as response:
            assert response.status == 200
            answer: JsonObject = await response.json()
            return answer


async def test_a_conversation_over_the_control_api(api: ApiClient, gateway: Gateway) -> None:
    control = Control(api)
    follower = await control.post("/sim/followers", 201, nickname="<script>", subscribed=False)
    one = f"/sim/followers/{follower['openid']}"
    await control.post(f"{one}/actions", action="follow", scene="bijiang")
    said = await control.post(f"{one}/actions", action="text", text="你好")
    assert [entry["text"] for entry in _objects(said["shown"])] == ["收到:你好"]
    await control.post(f"{one}/actions", action="raw", msg_type="sticker", fields={"StickerId": "9"}, said="[表情]")
    await control.post(f"{one}/actions", action="voice", text="喂", recognised=True)
    assert gateway.messages[2]["StickerId"] == "9"
    assert gateway.messages[3]["Recognition"] == "喂"
    entries = _objects((await control.get(f"{one}/conversation"))["entries"])
    assert [entry["side"] for entry in entries] == ["follower", "follower", "account", "follower", "follower"]
    newer = await control.get(f"{one}/conversation?after={entries[2]['seq']}")
    assert newer["entries"] == entries[3:]
    state = await control.get("/sim/state")
    assert _objects(state["followers"])[0]["scene"] == "bijiang"


async def test_faults_tokens_clock_and_reset_over_the_control_api(
    platform: SimulatedPlatform, api: ApiClient, yang: Follower
) -> None:
    control = Control(api)
    await control.post("/sim/faults", 201, path="/cgi-bin/user/get", calls=1, errcode=-1)
    assert (await api.get("/cgi-bin/user/get"))["errcode"] == -1
    await control.post("/sim/tokens", how="expire")
    assert (await api.get("/cgi-bin/user/get"))["errcode"] == 42001
    assert (await control.get("/sim/counters"))["calls"] == {"/cgi-bin/user/get": 2}
    await control.post("/sim/clock", offset_s=3600)
    assert platform.clock.offset == timedelta(hours=1)
    assert await control.post("/sim/verify") == {"ok": True}
    await control.post("/sim/reset")
    assert (platform.followers.find(yang.openid), platform.clock.offset) == (None, timedelta())


async def test_one_delivery_many_times_over_the_control_api(api: ApiClient, gateway: Gateway, yang: Follower) -> None:
    answer = await Control(api).post(f"/sim/followers/{yang.openid}/deliveries", text="报名", times=3)
    assert len(_objects(answer["attempts"])) == 3
    assert len({message["MsgId"] for message in gateway.messages}) == 1


async def test_a_picture_over_the_control_api_is_shown_but_never_run(
    platform: SimulatedPlatform, api: ApiClient, gateway: Gateway, yang: Follower
) -> None:
    for data, kind in ((PNG, "image/png"), (b"<script>alert(1)</script>", "application/octet-stream")):
        form = aiohttp.FormData()
        form.add_field("picture", data, filename="a.png", content_type="image/png")
        async with api.session.post(f"{api.base_url}/sim/followers/{yang.openid}/pictures", data=form) as response:
            assert response.status == 200
        async with api.session.get(gateway.messages[-1]["PicUrl"]) as response:
            assert (response.content_type, await response.read()) == (kind, data)
            assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert platform.exchanges[-1].delivery.push.said_kind == "image"


async def test_the_stream_tells_what_happens(platform: SimulatedPlatform, api: ApiClient, yang: Follower) -> None:
    other = platform.add_follower("田大姐")
    url = f"{api.base_url}/sim/stream?openid={yang.openid}"
    async with api.session.get(url) as response:
        assert response.content_type == "text/event-stream"
        await response.content.readuntil(b"\n\n")
        await platform.say(other.openid, "别处")
        await platform.say(yang.openid, "你好")
        events = [(await response.content.readuntil(b"\n\n")).decode() for _ in range(3)]
    assert [event.split("\n")[0] for event in events] == ["event: entry", "event: entry", "event: exchange"]
    assert json.loads(events[1].split("data: ")[1])["bubble"] == {"kind": "text", "text": "收到:你好"}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/sim/followers/oNobody/actions", {"action": "text", "text": "x"}, 404),
        ("/sim/followers/{yang}/actions", {"action": "fly"}, 400),
        ("/sim/followers/{yang}/actions", {"action": "text"}, 400),
        ("/sim/followers/{yang}/actions", {"action": "click", "label": "没有"}, 400),
        ("/sim/followers/{yang}/actions", {"action": "menu", "button": "没有"}, 400),
        ("/sim/followers/{yang}/deliveries", {"text": "x", "callback_urls": ["http://example.com/"]}, 400),
    ],
)
async def test_wrong_requests_are_named(
    api: ApiClient, yang: Follower, path: str, body: dict[str, str], status: int
) -> None:
    answer = await Control(api).post(path.format(yang=yang.openid), status, **body)
    assert str(answer["error"]).startswith("simulator.")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example:8082"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Host": "localhost:8082"}, 200),
    ],
    ids=["rebound name", "foreign page", "own name"],
)
async def test_foreign_hosts_and_origins_are_refused(
    platform: SimulatedPlatform, headers: dict[str, str], status: int
) -> None:
    async with ClientSession() as session, session.get(f"{platform.base_url}/sim/state", headers=headers) as response:
        assert response.status == status


async def test_a_form_of_a_foreign_page_changes_nothing(platform: SimulatedPlatform, api: ApiClient) -> None:
    async with api.session.post(f"{platform.base_url}/sim/reset", data="{}", headers={"Origin": "null"}) as response:
        assert response.status == 403
    async with api.session.post(f"{platform.base_url}/sim/followers", data='{"nickname":"x"}') as response:
        assert response.status == 400


async def test_the_page_allows_nothing_from_elsewhere(platform: SimulatedPlatform, api: ApiClient) -> None:
    async with api.session.get(platform.base_url) as response:
        html = await response.text()
        assert response.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert "铜仁市总工会" in html
    assert "http://" not in html
    assert "https://" not in html


async def test_it_refuses_to_serve_other_hosts_and_to_post_elsewhere(platform: SimulatedPlatform) -> None:
    with pytest.raises(ConfigRefused):
        await start(platform, host="0.0.0.0", port=0)  # noqa: S104 - the address that must be refused
    with pytest.raises(ConfigRefused):
        config("https://wx.example.com/wechat")
    with pytest.raises(ConfigRefused):
        await platform.verify_callback("http://10.0.0.1/wechat")


async def test_it_serves_until_it_is_cancelled() -> None:
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    settings = config("http://127.0.0.1:1/wechat")
    serving = asyncio.create_task(serve(settings, 0, acknowledged_not_production=True, ready=ready.set_result))
    url = await ready
    async with ClientSession() as session:
        async with session.get(url) as response:
            assert response.status == 200
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        with pytest.raises(aiohttp.ClientError):
            await session.get(url)


async def test_it_refuses_to_be_built_for_production() -> None:
    with pytest.raises(NotForProduction):
        SimulatedPlatform(config("http://127.0.0.1:1/wechat"), acknowledged_not_production=False)


@pytest.mark.parametrize("change", [{"aes_key": "short"}, {"token": "ab"}, {"mode": "secret"}, {"app_id": ""}])
def test_a_wrong_configuration_names_its_key_and_keeps_its_secrets(change: dict[str, str]) -> None:
    good = {"callback_url": "http://127.0.0.1:1/wechat", "app_id": APP_ID, "app_secret": APP_SECRET, "token": TOKEN}
    settings: dict[str, str] = {**good, "aes_key": "k" * 43, **change}
    with pytest.raises(ConfigRefused) as caught:
        SimulatorConfig(**settings)  # type: ignore[arg-type] # a wrong mode is what one case is about
    assert next(iter(change)) in str(caught.value)
    assert APP_SECRET not in repr(config("http://127.0.0.1:1/wechat"))


def _objects(value: object) -> list[JsonObject]:
    assert isinstance(value, list)
    return value
