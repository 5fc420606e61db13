"""The callback over HTTP: genuine deliveries are answered, everything else is refused without a word."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import xmltodict
from yarl import URL

from bot.storage.encryption import FieldCipher
from bot.wechat.codec import Codec
from tests.gateway.conftest import APP_ID, KEY, PREVIOUS_KEY, TOKEN
from tests.gateway.served import Answered, Served, echoing
from tests.support.npm_platform import NotInstallable, NpmPlatform, install
from tests.support.wechat_callbacks import Callback, PlatformSide, aes_key

PAYLOADS = Path(__file__).parents[1] / "wechat" / "payloads"
TEXT = (PAYLOADS / "text.xml").read_text()
ECHO = "第1条：我想给孩子报名勤工俭学"


# The check of the address ---------------------------------------------------------------------------------------


async def test_the_address_is_verified(gateway: Served, platform: PlatformSide) -> None:
    query = platform.verification("5837204916352748190").query
    assert await gateway.get("/wechat", query) == Answered(200, b"5837204916352748190")


async def test_a_stranger_does_not_verify_the_address(gateway: Served, platform: PlatformSide) -> None:
    query = dict(platform.verification("583720").query)
    assert await gateway.get("/wechat", query | {"signature": "0" * 40}) == Answered(403, b"")
    assert await gateway.get("/wechat", query | {"echostr": ""}) == Answered(400, b"")
    assert await gateway.get("/wechat") == Answered(403, b"")


# Deliveries -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [KEY, PREVIOUS_KEY], ids=["current key", "previous key"])
async def test_wechatpy_reads_the_answer_in_safe_mode(gateway: Served, key: str) -> None:
    side = PlatformSide(TOKEN, APP_ID, key)
    answered = await gateway.deliver(side.safe(TEXT))
    assert answered.status == 200
    assert side.reply(answered.body)["Content"] == ECHO


async def test_wechatpy_reads_the_answer_in_plain_mode(plain_gateway: Served, platform: PlatformSide) -> None:
    answered = await plain_gateway.deliver(platform.plain(TEXT))
    assert answered.status == 200
    assert xmltodict.parse(answered.body)["xml"]["Content"] == ECHO


async def test_the_npm_package_reads_the_answer_in_safe_mode(gateway: Served) -> None:
    try:
        folder = await asyncio.to_thread(install)
    except NotInstallable as reason:
        pytest.skip(str(reason))
    side = NpmPlatform(folder, TOKEN, APP_ID, KEY)
    answered = await gateway.deliver(await asyncio.to_thread(side.safe, TEXT))
    xml, app_id = await asyncio.to_thread(side.reply, answered.body)
    assert (answered.status, app_id) == (200, APP_ID)
    assert xmltodict.parse(xml)["xml"]["Content"] == ECHO


# What is refused ------------------------------------------------------------------------------------------------

DEEP = f"<xml>{'<a>' * 200}{'</a>' * 200}</xml>"
REFUSED: dict[str, tuple[int, str, Callable[[PlatformSide], Callback]]] = {
    "signature": (403, "bad_signature", lambda side: changed(side.safe(TEXT), signature="0" * 40)),
    "no query": (403, "bad_signature", lambda side: Callback({}, side.safe(TEXT).body)),
    "signature of the body": (403, "bad_signature", lambda side: changed(side.safe(TEXT), msg_signature="0" * 40)),
    "body of another message": (
        403,
        "bad_signature",
        lambda side: replace(side.safe(TEXT), body=side.safe(TEXT + " ").body),
    ),
    "another AppID": (403, "foreign_app", lambda _side: PlatformSide(TOKEN, "wxforeign", KEY).safe(TEXT)),
    "unknown key": (400, "undecipherable", lambda _side: PlatformSide(TOKEN, APP_ID, aes_key("x")).safe(TEXT)),
    "in clear": (400, "malformed", lambda side: side.plain(TEXT)),
    "empty": (400, "malformed", lambda side: side.plain("")),
    "too large": (413, "too_large", lambda side: side.plain(f"<xml>{'x' * 65 * 1024}</xml>")),
    "no XML": (400, "malformed", lambda side: side.plain("{}")),
    "no XML inside": (400, "malformed", lambda side: side.safe("在吗")),
    "deep": (400, "malformed", lambda side: side.plain(DEEP)),
    "deep inside": (400, "malformed", lambda side: side.safe(DEEP)),
    "entities": (
        400,
        "malformed",
        lambda side: side.plain('<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xml>&b;</xml>'),
    ),
    "not UTF-8": (400, "malformed", lambda side: replace(side.plain(""), body=TEXT.encode("gb18030"))),
    "no sender": (400, "malformed", lambda side: side.safe("<xml><MsgType>text</MsgType></xml>")),
}


def changed(callback: Callback, **query: str) -> Callback:
    return replace(callback, query={**callback.query, **query})


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_not_genuine_is_refused_and_counted(gateway: Served, platform: PlatformSide, case: str) -> None:
    status, reason, made = REFUSED[case]
    assert await gateway.deliver(made(platform)) == Answered(status, b"")
    assert await gateway.counted("wechat_refused_total", reason=reason) == 1


async def test_an_encrypted_body_is_not_read_in_plain_mode(plain_gateway: Served, platform: PlatformSide) -> None:
    assert (await plain_gateway.deliver(platform.safe(TEXT))).status == 400


async def test_a_body_without_a_length_is_measured_too(gateway: Served, platform: PlatformSide) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield b"x" * 1024

    query = platform.plain("").query
    async with gateway.http.post(f"{gateway.base}/wechat", params=query, data=chunks()) as response:
        assert response.status == 413


@pytest.mark.parametrize(
    ("body", "status"),
    [(gzip.compress(b"<xml>" + b"x" * 4_000_000), 413), (b"this is not gzip", 400)],
    ids=["a bomb", "not what it says"],
)
async def test_a_compressed_body_is_no_way_around(
    gateway: Served, platform: PlatformSide, body: bytes, status: int
) -> None:
    callback = replace(platform.plain(""), body=body)
    assert (await gateway.deliver(callback, {"Content-Encoding": "gzip"})).status == status


async def talk(gateway: Served, platform: PlatformSide, rest: bytes) -> bytes:
    """Send a request by hand, ``rest`` behind its first line and host; return the answer's first line."""
    address = URL(f"{gateway.base}/wechat").with_query(dict(platform.plain("").query))
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(f"POST {address.raw_path_qs} HTTP/1.1\r\nHost: gateway\r\n".encode() + rest)
        return await asyncio.wait_for(reader.readline(), timeout=10)
    finally:
        writer.close()


async def test_a_body_that_never_ends_does_not_keep_its_connection(
    redis_url: str, cipher: FieldCipher, platform: PlatformSide
) -> None:
    async with echoing(Codec(TOKEN, APP_ID, (KEY,), "safe"), redis_url, cipher, deadline_s=0.2) as gateway:
        answer = await talk(gateway, platform, b"Content-Length: 100\r\n\r\n<xml>")
    assert answer.split()[1] == b"408"


@pytest.mark.parametrize(
    "rest",
    [
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
        b"Content-Type: text/xml; charset=nonsense\r\nContent-Length: 5\r\n\r\n<xml>",
        b"\xff\xfe: x\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["chunk", "length", "gzip", "charset", "header"],
)
async def test_broken_http_is_the_senders_fault(gateway: Served, platform: PlatformSide, rest: bytes) -> None:
    assert (await talk(gateway, platform, rest)).split()[1] == b"400"
