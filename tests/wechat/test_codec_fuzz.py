"""Whatever arrives, decode returns a delivery or raises one of its errors, and what it sends back can be read."""

import base64
import string

import pytest
import xmltodict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wechatpy.crypto import _get_signature

from bot.wechat.codec import Codec, Delivery
from bot.wechat.crypto import signature
from bot.wechat.errors import CallbackRefused
from bot.wechat.models import TextReply
from bot.wechat.xml_tree import ILLEGAL_CHARACTERS, read_tree
from tests.support.wechat_callbacks import PlatformSide
from tests.wechat.conftest import APP_ID, KEY, PAYLOADS, PREVIOUS_KEY, TOKEN

PLATFORM = PlatformSide(TOKEN, APP_ID, KEY)
SAFE = Codec(TOKEN, APP_ID, (KEY, PREVIOUS_KEY), "safe")
COMPATIBLE = Codec(TOKEN, APP_ID, (KEY,), "compatible")
PLAIN = Codec(TOKEN, APP_ID, (), "plain")
QUERY = dict(PLATFORM.plain("").query)
SAMPLES = [path.read_bytes() for path in sorted(PAYLOADS.glob("*.xml"))]

quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
names = st.sampled_from(
    ["xml", "MsgType", "Event", "FromUserName", "CreateTime", "List", "item", "Encrypt", "a", "B:b"]
)
snippets = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(
        [b"<![CDATA[", b"]]>", b"&x;", b"&#0;", b"&#xD800;", b"<!DOCTYPE xml>", b"<?a?>", b"<!--", b"\x00"]
    ),
    names.map(lambda name: f"<{name}>".encode()),
    names.map(lambda name: f"</{name}>".encode()),
)


def attempt(codec: Codec, query: dict[str, str], body: bytes) -> Delivery | None:
    try:
        return codec.decode(query, body)
    except CallbackRefused as refused:
        assert 400 <= refused.status < 500  # noqa: PT017 - any other exception fails the test by itself.
        return None


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A recorded delivery in which pieces were put in, taken out or said twice."""
    data = draw(st.sampled_from(SAMPLES))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 60)))
        match draw(st.sampled_from(["insert", "delete", "repeat"])):
            case "insert":
                data = data[:start] + draw(snippets) + data[start:]
            case "delete":
                data = data[:start] + data[end:]
            case _:
                data = data[:end] + data[start:]
    return data


@quick
@given(st.binary(max_size=400))
def test_random_bytes(body: bytes) -> None:
    for codec in (SAFE, COMPATIBLE, PLAIN):
        assert attempt(codec, QUERY, body) is None


@quick
@given(mutated())
def test_mutated_deliveries_in_clear(body: bytes) -> None:
    delivery = attempt(PLAIN, QUERY, body)
    if delivery is not None:
        assert delivery.message.delivery_key[:2] in ("m:", "e:")
        assert delivery.message.created_at.tzinfo is not None
        xmltodict.parse(PLAIN.encode(delivery, TextReply(str(delivery.message.raw))))


@quick
@given(mutated())
def test_mutated_deliveries_inside_the_encryption(content: bytes) -> None:
    callback = PLATFORM.safe("")
    encrypted = SAFE._envelope.seal(content, 0)
    query = {**callback.query, "msg_signature": _get_signature(TOKEN, QUERY["timestamp"], QUERY["nonce"], encrypted)}
    delivery = attempt(SAFE, query, f"<xml><Encrypt>{encrypted}</Encrypt></xml>".encode())
    if delivery is not None:
        PLATFORM.reply(SAFE.encode(delivery, TextReply("好的")))


@quick
@given(st.binary(max_size=300))
def test_random_ciphertexts_with_a_right_signature(sealed: bytes) -> None:
    encrypted = base64.b64encode(sealed).decode()
    query = {**QUERY, "msg_signature": _get_signature(TOKEN, QUERY["timestamp"], QUERY["nonce"], encrypted)}
    assert attempt(SAFE, query, f"<xml><Encrypt>{encrypted}</Encrypt></xml>".encode()) is None


@quick
@given(
    st.dictionaries(
        st.sampled_from(["signature", "timestamp", "nonce", "msg_signature", "echostr", "x"]), st.text(max_size=40)
    )
)
def test_random_queries(query: dict[str, str]) -> None:
    body = PLATFORM.safe(SAMPLES[0].decode()).body
    assert attempt(SAFE, query, body) is None
    with pytest.raises(CallbackRefused):
        SAFE.verify_url(query)


@quick
@given(nonce=st.text(max_size=20), timestamp=st.text(max_size=20))
def test_signed_queries_with_strange_values(nonce: str, timestamp: str) -> None:
    query = {"signature": signature(TOKEN, timestamp, nonce), "timestamp": timestamp, "nonce": nonce}
    delivery = attempt(PLAIN, query, SAMPLES[0])
    if delivery is not None:
        assert set(timestamp) <= set(string.digits)
        assert set(nonce) <= set(string.printable)


@quick
@given(
    st.recursive(
        st.just(""), lambda inner: st.tuples(names, inner).map(lambda pair: f"<{pair[0]}>{pair[1]}</{pair[0]}>")
    )
)
def test_nesting(xml: str) -> None:
    attempt(PLAIN, QUERY, f"<xml>{xml}</xml>".encode())


@quick
@given(st.text(max_size=80))
def test_any_text_survives_the_round_trip(text: str) -> None:
    callback = PLATFORM.safe(SAMPLES[0].decode())
    delivery = SAFE.decode(callback.query, callback.body)
    reply = SAFE.encode(delivery, TextReply(f"|{text}|"))
    expected = ILLEGAL_CHARACTERS.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    assert PLATFORM.reply(reply)["Content"] == f"|{expected}|"


@quick
@given(mutated())
def test_the_tree_is_what_xmltodict_reads(data: bytes) -> None:
    """The oracle: where both accept, they agree up to blanks and to attributes, which the platform does not use."""
    try:
        ours = read_tree(data)
        theirs = xmltodict.parse(data, strip_whitespace=False, xml_attribs=False)["xml"]
    except (CallbackRefused, xmltodict.expat.ExpatError, ValueError):
        return
    assert _normal(ours) == _normal(theirs)


def _normal(value: object) -> object:
    if isinstance(value, dict):
        return {name: _normal(inner) for name, inner in value.items() if name != "#text"}
    if isinstance(value, list):
        return [_normal(inner) for inner in value]
    return value or ""
