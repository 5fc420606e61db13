"""wechatpy's API client on aiohttp.

wechatpy's endpoint objects (``client.message``, ``client.user`` …) hand every call to ``_request``. Here that is a
coroutine, so whatever an endpoint returns unchanged can be awaited. The original fetches tokens without a lock, has
no timeout and repeats a refused call without end; none of that code is reached. Endpoints that look at their own
result are not usable this way; ``client.py`` calls only those that its tests cover.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from wechatpy.client import WeChatClient

from bot.wechat.errors import SystemBusy, TokenRejected
from bot.wechat.token import TokenSource
from bot.wechat.wire import Call, FileAnswer, JsonAnswer, Upload, Wire

PATH_PREFIX = "/cgi-bin/"
BUSY_DELAYS_S = (0.2, 0.8)


class AiohttpWeChatClient(WeChatClient):  # type: ignore[misc] # wechatpy has no types.
    """The client whose calls are awaited.

    A refused access token is replaced and the call made once more; ``-1`` (busy) is tried again after each of
    ``busy_delays_s``. Raises the errors of ``Wire.ask``.
    """

    def __init__(  # The base's __init__ would open a requests session and a token store; nothing here uses them.
        self,
        wire: Wire,
        files_wire: Wire,
        tokens: TokenSource,
        app_id: str,
        *,
        busy_delays_s: Sequence[float] = BUSY_DELAYS_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.appid = app_id
        self._wire = wire
        self._files_wire = files_wire
        self._tokens = tokens
        self._busy_delays_s = busy_delays_s
        self._sleep = sleep

    @property
    def access_token(self) -> str:
        """The base reads its token here; ours is awaited. The base looks at this once while it builds itself."""
        raise AttributeError("the access token is awaited by each call")

    async def ask(self, call: Call, *, is_file: bool = False) -> JsonAnswer | FileAnswer:
        """Return the answer to ``call``; ``is_file`` allows the time that files need."""
        wire = self._files_wire if is_file else self._wire
        token = await self._tokens.get()
        is_replaced = False
        delays_s = list(self._busy_delays_s)
        while True:
            try:
                return await wire.ask(call, access_token=token)
            except TokenRejected:
                if is_replaced:
                    raise
                token, is_replaced = await self._tokens.replace(token), True
            except SystemBusy:
                if not delays_s:
                    raise
                await self._sleep(delays_s.pop(0))

    async def _request(
        self,
        method: str,
        url_or_endpoint: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        files: Mapping[str, Upload] | None = None,
        result_processor: Callable[[Any], Any] | None = None,
    ) -> Any:
        """What wechatpy's endpoints call. An argument that is not named here is one they are not used with."""
        upload = files["media"] if files else None
        call = Call(
            method.upper(),
            PATH_PREFIX + url_or_endpoint,
            params={name: str(value) for name, value in (params or {}).items()},
            body=data,
            upload=upload,
        )
        answer = await self.ask(call, is_file=upload is not None or url_or_endpoint == "media/get")
        return result_processor(answer) if result_processor else answer
