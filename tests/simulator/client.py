"""A thin client of the platform's API, and the objects the tests send with it."""

import json
from dataclasses import dataclass
from io import BytesIO

from aiohttp import ClientSession, FormData

from bot.simulator.json_body import JsonObject
from tests.simulator.gateway import APP_ID, APP_SECRET

#: A picture of one pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc33"
    "0000000049454e44ae426082"
)


@dataclass(slots=True)
class ApiClient:
    """Calls with the access token in the query, as the account does."""

    session: ClientSession
    base_url: str
    token: str

    async def post(self, path: str, body: JsonObject | bytes, token: str | None = None) -> JsonObject:
        """Return the JSON answer, which comes with HTTP 200 even when it is an error."""
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        query = {"access_token": self.token if token is None else token}
        async with self.session.post(self.base_url + path, params=query, data=raw) as response:
            assert response.status == 200
            answer: JsonObject = json.loads(await response.read())
            return answer

    async def get(self, path: str, **query: str) -> JsonObject:
        """Return the JSON answer of a GET."""
        async with self.session.get(self.base_url + path, params={"access_token": self.token, **query}) as response:
            assert response.status == 200
            answer: JsonObject = json.loads(await response.read())
            return answer

    async def upload(self, data: bytes, kind: str = "image", path: str = "/cgi-bin/media/upload") -> JsonObject:
        """Upload a file as the field ``media``."""
        form = FormData()
        form.add_field("media", BytesIO(data), filename="file", content_type="application/octet-stream")
        query = {"access_token": self.token, "type": kind}
        async with self.session.post(self.base_url + path, params=query, data=form) as response:
            answer: JsonObject = json.loads(await response.read())
            return answer

    async def renew(self) -> None:
        """Get a good token after the clock was moved."""
        body: JsonObject = {"grant_type": "client_credential", "appid": APP_ID, "secret": APP_SECRET}
        self.token = str((await self.post("/cgi-bin/stable_token", body))["access_token"])

    async def send_text(self, openid: str, content: str = "您好") -> JsonObject:
        """Send a customer-service text."""
        body: JsonObject = {"touser": openid, "msgtype": "text", "text": {"content": content}}
        return await self.post("/cgi-bin/message/custom/send", body)
