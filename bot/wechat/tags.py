"""The account's tags: listed, made, and put on followers.

Sources: the platform's pages "getTags", "createTag", "batchTagging" and "getTagFans".
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.wechat.transport import AiohttpWeChatClient
from bot.wechat.wire import Call, JsonAnswer, expect_json, number_of, text_of

TAG_NAME_BYTES = 30
TAGGED_AT_ONCE = 50
"""How many followers one call tags."""


@dataclass(frozen=True, slots=True)
class PlatformTag:
    """A tag as the platform knows it; ``followers`` is how many have it."""

    id: int
    name: str
    followers: int


class TagApi:
    """The tags of one account. Raises the errors of ``WeChatApi``."""

    def __init__(self, client: AiohttpWeChatClient) -> None:
        self._client = client

    async def all(self) -> list[PlatformTag]:
        """Return every tag; there are a hundred at most."""
        path = "/cgi-bin/tags/get"
        answer = expect_json(await self._client.ask(Call("GET", path)), path)
        return [
            PlatformTag(number_of(one, "id", path), text_of(one, "name", path), number_of(one, "count", path))
            for one in answer.get("tags", [])
        ]

    async def create(self, name: str) -> int:
        """Make a tag of up to ``TAG_NAME_BYTES`` and return its number."""
        answer = await self._post("tags/create", {"tag": {"name": name}})
        return number_of(answer.get("tag", {}), "id", "tags/create")

    async def add(self, tag_id: int, openids: Sequence[str]) -> None:
        """Put a tag on up to ``TAGGED_AT_ONCE`` followers; who has it keeps it."""
        await self._post("tags/members/batchtagging", {"tagid": tag_id, "openid_list": list(openids)})

    async def members(self, tag_id: int) -> AsyncIterator[list[str]]:
        """Yield the OpenIDs that have the tag, up to 10,000 at a time."""
        after = ""
        while True:
            answer = await self._post("user/tag/get", {"tagid": tag_id, "next_openid": after})
            openids = [str(openid) for openid in answer.get("data", {}).get("openid", [])]
            if not openids:
                return
            yield openids
            following = str(answer.get("next_openid", ""))
            if not following or following == after:
                return
            after = following

    async def _post(self, endpoint: str, body: Mapping[str, Any]) -> JsonAnswer:
        path = f"/cgi-bin/{endpoint}"
        return expect_json(await self._client.ask(Call("POST", path, body=body)), path)
