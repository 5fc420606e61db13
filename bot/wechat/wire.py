"""One HTTP call to the platform's API: real UTF-8 out, JSON or a file back, every failure as a typed error.

The access token and OpenIDs are part of addresses, so no error of the HTTP client is passed on or chained.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import aiohttp

from bot.wechat.errors import AlreadySubmitted, AnswerTooLarge, OutcomeUnknown, TimedOut, Unreachable, api_error

MAX_ANSWER_BYTES = 20 * 1024 * 1024
"""Twice the largest file the platform keeps."""

CHUNK_BYTES = 64 * 1024
CONNECT_TIMEOUT_S = 3.0
TEXT_TYPES = ("application/json", "text/json", "text/plain", "text/html", "text/javascript")
"""What the platform calls its JSON; anything else is a file."""

JsonAnswer: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """Bytes, and what the platform says they are."""

    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to send in the form field ``media``."""

    content: bytes
    filename: str
    content_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Call:
    """What to ask; ``path`` begins with a slash. ``body`` becomes JSON, ``upload`` a form."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    upload: Upload | None = None


class Wire:
    """Calls to one address of the API. ``timeout_s`` is for a whole call, from connecting to the last byte."""

    def __init__(self, http: aiohttp.ClientSession, api_base: str, timeout_s: float) -> None:
        self._http = http
        self._api_base = api_base.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(CONNECT_TIMEOUT_S, timeout_s))

    async def ask(self, call: Call, *, access_token: str = "") -> JsonAnswer | FileAnswer:
        """Return the platform's answer.

        Raises Unreachable, TimedOut, OutcomeUnknown or AnswerTooLarge when there is none that can be used, and the
        ApiError of its errcode when the platform refuses.
        """
        params = {**call.params, "access_token": access_token} if access_token else call.params
        data = _form(call.upload) if call.upload else _json(call.body)
        headers = {"Content-Type": "application/json"} if call.body is not None else None
        try:
            async with self._http.request(
                call.method,
                self._api_base + call.path,
                params=params,
                data=data,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                answer = FileAnswer(await _read(response), response.content_type)
                status = response.status
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unreachable(endpoint=call.path, kind=type(error).__name__) from None
        except TimeoutError:
            raise TimedOut(endpoint=call.path) from None
        except aiohttp.ClientError as error:
            raise OutcomeUnknown(endpoint=call.path, kind=type(error).__name__) from None
        if status != 200:
            raise OutcomeUnknown(endpoint=call.path, http_status=status)
        return _understood(answer, call.path)


def _json(body: Mapping[str, Any] | None) -> bytes | None:
    # Escapes such as \\u4f60 would be shown literally, or be refused in menus.
    return None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def _form(upload: Upload) -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("media", upload.content, filename=upload.filename, content_type=upload.content_type)
    return form


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the body, but never more of it than MAX_ANSWER_BYTES."""
    content = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            response.close()
            raise AnswerTooLarge(max_bytes=MAX_ANSWER_BYTES)
    return bytes(content)


def _understood(answer: FileAnswer, path: str) -> JsonAnswer | FileAnswer:
    """Return JSON where the answer is JSON; raises the ApiError that it holds."""
    if answer.content_type not in TEXT_TYPES:
        return answer
    try:
        found = json.loads(answer.content.decode("utf-8", "replace"), strict=False)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise OutcomeUnknown(endpoint=path, kind="not a JSON object")
    errcode = _errcode(found.get("errcode", 0), path)
    if errcode:
        error = api_error(errcode, str(found.get("errmsg", "")))
        if isinstance(error, AlreadySubmitted):
            error.msg_id = int(str(found.get("msg_id", 0)))
        raise error
    return found


def _errcode(value: object, path: str) -> int:
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.lstrip("-").isdecimal():
        return int(value)
    raise OutcomeUnknown(endpoint=path, kind="errcode is not a number")


def expect_json(answer: JsonAnswer | FileAnswer, path: str) -> JsonAnswer:
    """Return the answer if it is JSON; raises OutcomeUnknown for a file."""
    if isinstance(answer, FileAnswer):
        raise OutcomeUnknown(endpoint=path, kind="a file instead of JSON")
    return answer


def text_of(answer: Mapping[str, Any], name: str, path: str) -> str:
    """Return the text ``name`` of an answer; raises OutcomeUnknown when it is missing or empty."""
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise OutcomeUnknown(endpoint=path, kind=f"{name} is missing")
    return value


def number_of(answer: Mapping[str, Any], name: str, path: str) -> int:
    """Return the number ``name`` of an answer, which may be written as a text; raises OutcomeUnknown."""
    value = answer.get(name)
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    if not isinstance(value, int):
        raise OutcomeUnknown(endpoint=path, kind=f"{name} is missing")
    return value
