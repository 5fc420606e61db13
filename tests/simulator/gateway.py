"""A tiny account server for the simulator's tests: verifies, decrypts and answers with wechatpy alone."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import xmltodict
from aiohttp import web
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import check_signature

from bot.simulator.models import Mode, SimulatorConfig

APP_ID = "wx0123456789abcdef"
APP_SECRET = "simulated-secret"
TOKEN = "simulatedtoken"
AES_KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"

Message = Mapping[str, str]
Answer = Callable[[Message], Awaitable[str | web.Response]]


def config(callback_url: str, mode: Mode = Mode.SAFE, deadline_s: float = 5.0) -> SimulatorConfig:
    """Return the configuration that the gateway below understands."""
    return SimulatorConfig(
        callback_url=callback_url,
        app_id=APP_ID,
        app_secret=APP_SECRET,
        token=TOKEN,
        aes_key="" if mode is Mode.PLAIN else AES_KEY,
        mode=mode,
        deadline_s=deadline_s,
        job_event_delay_s=0.0,
    )


def reply_xml(message: Message, inner: str, msg_type: str = "text") -> str:
    """Return a passive reply to ``message`` with ``inner`` as its own elements."""
    return (
        f"<xml><ToUserName><![CDATA[{message['FromUserName']}]]></ToUserName>"
        f"<FromUserName><![CDATA[{message['ToUserName']}]]></FromUserName>"
        f"<CreateTime>1750000000</CreateTime><MsgType><![CDATA[{msg_type}]]></MsgType>{inner}</xml>"
    )


def text_xml(message: Message, content: str) -> str:
    """Return a text reply."""
    safe = content.replace("]]>", "]]]]><![CDATA[>")
    return reply_xml(message, f"<Content><![CDATA[{safe}]]></Content>")


async def echo(message: Message) -> str:
    """Answer a text with itself and everything else with ``success``."""
    return text_xml(message, f"收到:{message['Content']}") if message["MsgType"] == "text" else "success"


@dataclass
class Gateway:
    """What arrived, and how to answer it. The first ``hangs`` deliveries get no answer."""

    mode: Mode = Mode.SAFE
    answer: Answer = echo
    messages: list[Message] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    hangs: int = 0
    encrypts: bool = True
    url: str = ""

    async def start(self) -> web.AppRunner:
        """Serve on a free port; the runner is the caller's to clean up."""
        app = web.Application()
        app.router.add_get("/wechat", self.verify)
        app.router.add_post("/wechat", self.receive)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/wechat"
        return runner

    async def verify(self, request: web.Request) -> web.Response:
        """Answer the check of the callback URL."""
        query = request.query
        check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])
        return web.Response(text=query["echostr"])

    async def receive(self, request: web.Request) -> web.Response:
        """Read a delivery as an account does and answer it."""
        body, query = await request.read(), dict(request.query)
        self.bodies.append(body)
        self.queries.append(query)
        check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])
        message = self._opened(body, query)
        self.messages.append(message)
        if self.hangs:
            self.hangs -= 1
            await asyncio.Event().wait()
        answer = await self.answer(message)
        if isinstance(answer, web.Response):
            return answer
        clear = answer in {"", "success"} or self.mode is Mode.PLAIN or not self.encrypts
        return web.Response(text=answer if clear else self.sealed(answer), content_type="text/xml")

    def _opened(self, body: bytes, query: dict[str, str]) -> Message:
        clear = body.decode()
        if self.mode is not Mode.PLAIN:
            crypto = WeChatCrypto(TOKEN, AES_KEY, APP_ID)
            clear = crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
        message: Message = xmltodict.parse(clear, strip_whitespace=False)["xml"]
        return message

    def sealed(self, answer: str) -> str:
        """Return a reply encrypted with a nonce and time of its own, as the platform allows."""
        return str(WeChatCrypto(TOKEN, AES_KEY, APP_ID).encrypt_message(answer, "replynonce", "1750000000"))
