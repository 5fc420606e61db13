"""Signed, encrypted callbacks by the platform's side, and how much CPU a server spends on each."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import aiohttp
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import WeChatSigner

from bot.settings import Settings

CONNECTIONS = 50


@dataclass(frozen=True, slots=True)
class Callback:
    """One ready-made delivery."""

    query: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of one server cost: CPU microseconds and wall microseconds for a request."""

    cpu_us: float
    wall_us: float


class Callbacks:
    """Builds deliveries as the platform does, by wechatpy's own crypto."""

    def __init__(self, settings: Settings) -> None:
        wechat = settings.wechat
        self._token = wechat.token
        self._crypto = WeChatCrypto(wechat.token, wechat.aes_keys[0], wechat.app_id)
        self._ids = count(int(time.time() * 1000) * 1000)

    def text(self, openid: str, content: str) -> Callback:
        """Return the delivery of a text."""
        timestamp, nonce = str(int(time.time())), "benchnonce"
        xml = (
            f"<xml><ToUserName>gh_bench</ToUserName><FromUserName>{openid}</FromUserName>"
            f"<CreateTime>{timestamp}</CreateTime><MsgType>text</MsgType><Content>{content}</Content>"
            f"<MsgId>{next(self._ids)}</MsgId></xml>"
        )
        sealed = self._crypto.encrypt_message(xml, nonce, timestamp)
        signer = WeChatSigner()
        signer.add_data(self._token, timestamp, nonce)
        query = {
            "signature": signer.signature,
            "timestamp": timestamp,
            "nonce": nonce,
            "encrypt_type": "aes",
            "msg_signature": sealed.partition("<MsgSignature><![CDATA[")[2].partition("]]>")[0],
        }
        return Callback(query, sealed.encode())


async def cpu_seconds(http: aiohttp.ClientSession, base: str) -> float:
    """Return the CPU time that the server tells."""
    async with http.get(f"{base}/cpu") as answer:
        return float(await answer.json())


async def send_all(http: aiohttp.ClientSession, base: str, callbacks: Sequence[Callback]) -> None:
    """Send ``callbacks`` over CONNECTIONS connections, each in its own order. Raises on any other status than 200."""
    lanes = [callbacks[lane::CONNECTIONS] for lane in range(CONNECTIONS)]
    await asyncio.gather(*(_send_lane(http, base, lane) for lane in lanes))


async def _send_lane(http: aiohttp.ClientSession, base: str, lane: Sequence[Callback]) -> None:
    for callback in lane:
        async with http.post(f"{base}/wechat", params=callback.query, data=callback.body) as answer:
            body = await answer.read()
            if answer.status != 200 or not body:
                raise RuntimeError(f"the server answered {answer.status}")


async def measured(http: aiohttp.ClientSession, base: str, callbacks: Sequence[Callback]) -> Round:
    """Return what ``callbacks`` cost the server at ``base``."""
    before, started = await cpu_seconds(http, base), time.perf_counter()
    await send_all(http, base, callbacks)
    wall = time.perf_counter() - started
    spent = await cpu_seconds(http, base) - before
    return Round(spent / len(callbacks) * 1e6, wall / len(callbacks) * 1e6)


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Return ``median (minimum–maximum)``."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"
