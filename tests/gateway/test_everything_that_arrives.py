"""The whole assistant behind the callback: every type of the platform, and whatever an attacker makes up."""

import itertools
import string
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.app.assistant import open_bot
from bot.gateway.server import Gateway, Metrics
from tests.gateway.served import Served, served
from tests.gateway.test_callback import PAYLOADS, TEXT
from tests.support.assistant import settings_for
from tests.support.wechat_callbacks import Callback, PlatformSide

RECORDED = sorted(path.stem for path in PAYLOADS.glob("*.xml"))
SILENT = ("unknown_event", "unsubscribe", "view", "template_job_success", "location_report")

quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
# The platform's XML cannot hold what XML forbids, nor a lone surrogate.
anything = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60)
query_names = st.sampled_from(
    ["signature", "timestamp", "nonce", "msg_signature", "encrypt_type", "openid", "echostr"]
)


@pytest.fixture
async def assistant(sqlite_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[tuple[Served, PlatformSide]]:
    """The assistant's gateway, and the platform in front of it."""
    made = settings_for(database_url=sqlite_url, redis_url=redis_url, data_dir=tmp_path)
    async with open_bot(made) as bot:
        gateway = Gateway(bot.codec, bot.turns, Metrics(), _ready, deadline_s=20.0)
        async with served(gateway) as opened:
            yield opened, PlatformSide(made.wechat.token, made.wechat.app_id, made.wechat.aes_keys[0])


async def _ready() -> dict[str, bool]:
    return {"tests": True}


async def test_every_type_of_the_platform_is_taken(assistant: tuple[Served, PlatformSide]) -> None:
    gateway, platform = assistant
    for name in RECORDED:
        answered = await gateway.deliver(platform.safe((PAYLOADS / f"{name}.xml").read_text()))
        assert answered.status == 200, name
        if name in SILENT:
            assert answered.body == b"success", name
    assert await gateway.counted("wechat_deliveries_total", kind="UnknownEvent", outcome="answered") == 1


@quick
@given(query=st.dictionaries(query_names, anything), body=st.binary(max_size=300))
async def test_any_query_and_body_are_refused(
    assistant: tuple[Served, PlatformSide], query: dict[str, str], body: bytes
) -> None:
    gateway, _ = assistant
    answered = await gateway.deliver(Callback(query, body))
    assert (400 <= answered.status < 500, answered.body) == (True, b"")
    assert 400 <= (await gateway.get("/wechat", query)).status < 500


@quick
@given(body=st.binary(max_size=300), cut=st.integers(0, 400), changes=st.dictionaries(query_names, anything))
async def test_any_change_to_a_genuine_delivery_is_refused_or_answered(
    assistant: tuple[Served, PlatformSide], body: bytes, cut: int, changes: dict[str, str]
) -> None:
    gateway, platform = assistant
    genuine = platform.safe(TEXT)
    spoiled = Callback({**genuine.query, **changes}, genuine.body[:cut] + body + genuine.body[cut:])
    assert (await gateway.deliver(spoiled)).status < 500


numbers = itertools.count(10**9)
fields = st.dictionaries(
    st.sampled_from(["Content", "MediaId", "PicUrl", "EventKey", "Ticket", "Recognition", "Label", "Url", "Status"]),
    anything,
)
kinds = st.sampled_from(["text", "image", "voice", "video", "location", "link", "event", "file"])
events = st.sampled_from(["subscribe", "unsubscribe", "SCAN", "CLICK", "VIEW", "LOCATION", "view_miniprogram", "new"])
times = st.integers(0, 4 * 10**9) | st.sampled_from([-1, 10**12, 10**30])


def xml_of(values: Mapping[str, str], created_s: int = 1_795_276_800) -> str:
    """Return the XML of a follower's message or event, with an id of its own."""
    whole = {"ToUserName": "gh_1", "FromUserName": "oFuzzed", **values}
    parts = "".join(f"<{name}><![CDATA[{value.replace(']]>', '')}]]></{name}>" for name, value in whole.items())
    return f"<xml>{parts}<CreateTime>{created_s}</CreateTime><MsgId>{next(numbers)}</MsgId></xml>"


@quick
@given(kind=kinds, event=events, values=fields, created_s=times)
async def test_any_fields_behind_a_genuine_signature_are_refused_or_answered(
    assistant: tuple[Served, PlatformSide], kind: str, event: str, values: dict[str, str], created_s: int
) -> None:
    gateway, platform = assistant
    xml = xml_of({"MsgType": kind, "Event": event, **values}, created_s)
    assert (await gateway.deliver(platform.safe(xml))).status < 500


words = st.text(
    st.sampled_from(string.printable.strip() + "我要报名取消返回改是不第一二三号，。身份证电话错了"), max_size=40
)


@quick
@given(texts=st.lists(words, min_size=1, max_size=6))
async def test_any_conversation_is_answered(assistant: tuple[Served, PlatformSide], texts: list[str]) -> None:
    gateway, platform = assistant
    openid, said = f"oFuzzed{next(numbers)}", ""
    for text in ("女职工体检", *texts):
        xml = xml_of({"FromUserName": openid, "MsgType": "text", "Content": text})
        answered = await gateway.deliver(platform.safe(xml))
        if answered.body == b"success":
            assert "工作人员" in said, "only people's own chats are not answered"
            return
        said = str(platform.reply(answered.body)["Content"])
        assert "没处理成" not in said, text
