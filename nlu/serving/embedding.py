"""``POST /model/embed``: the sentence encoder as a service, for whoever looks for the nearest of many texts."""

import asyncio
import base64

from sanic import Sanic
from sanic.request import Request
from sanic.response import HTTPResponse, json

from nlu.components.encoder import DIMENSIONS, encoder_id, memory

TEXTS_MAX = 512
CHARS_MAX = 600
_TEXTS_AT_ONCE = 8


class BadRequest(ValueError):
    """The body is not what was asked for; the message says how."""


def texts_of(body: object) -> list[str]:
    """Return the texts of a request's body. Raises BadRequest, which repeats nothing of them."""
    texts = body.get("texts") if isinstance(body, dict) else None
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise BadRequest('the body must be {"texts": [a list of strings]}')
    if not 1 <= len(texts) <= TEXTS_MAX:
        raise BadRequest(f"texts: 1 to {TEXTS_MAX} are taken at a time, not {len(texts)}")
    for place, text in enumerate(texts):
        if len(text) > CHARS_MAX:
            raise BadRequest(f"texts[{place}]: at most {CHARS_MAX} characters, not {len(text)}")
    return texts


async def embed(texts: list[str]) -> dict[str, object]:
    """Return the encoder's name, the dimensions and for each text its unit vector.

    A vector is the base64 of little-endian 32 bit floats. Other requests are answered every few texts; a second
    thread would fight with them for the interpreter.
    """
    vectors: list[str] = []
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        found = memory().vectors(texts[start : start + _TEXTS_AT_ONCE])
        vectors += [base64.b64encode(vector.astype("<f4").tobytes()).decode() for vector in found]
        await asyncio.sleep(0)
    return {"encoder": encoder_id(), "dimensions": DIMENSIONS, "vectors": vectors}


async def _handle(request: Request) -> HTTPResponse:
    try:
        texts = texts_of(request.json)
    except BadRequest as fault:
        return json({"status": "failure", "reason": "BadRequest", "message": str(fault), "code": 400}, status=400)
    return json(await embed(texts))


def add_route(app: Sanic) -> None:
    """Answer ``POST /model/embed`` on ``app``."""
    app.add_route(_handle, "/model/embed", methods=["POST"])
