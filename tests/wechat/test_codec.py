"""Callbacks made and read by wechatpy's crypto as the platform's side."""

import base64
from collections.abc import Mapping
from typing import Literal

import pytest
import xmltodict
from wechatpy.crypto import _get_signature
from wechatpy.crypto.cryptography import WeChatCipher

from bot.wechat.codec import ACKNOWLEDGED, MAX_BODY_BYTES, Codec, Delivery
from bot.wechat.errors import BadSignature, CallbackRefused, ForeignApp, Malformed, TooLarge, Undecipherable
from bot.wechat.models import (
    Article,
    ImageReply,
    MusicReply,
    NewsReply,
    PassiveReply,
    TextMessage,
    TextReply,
    TransferReply,
    VideoReply,
    VoiceReply,
)
from tests.support.wechat_callbacks import Callback, PlatformSide, aes_key
from tests.wechat.conftest import APP_ID, KEY, PREVIOUS_KEY, TOKEN, payload

TEXT = payload("text")


def codec_in(mode: Literal["safe", "compatible", "plain"]) -> Codec:
    return Codec(TOKEN, APP_ID, () if mode == "plain" else (KEY, PREVIOUS_KEY), mode)


def decoded(codec: Codec, callback: Callback) -> Delivery:
    delivery = codec.decode(callback.query, callback.body)
    assert isinstance(delivery.message, TextMessage)
    assert delivery.message.content == "我想给孩子报名勤工俭学"
    return delivery


def refusal(codec: Codec, query: Mapping[str, str], body: bytes) -> CallbackRefused:
    with pytest.raises(CallbackRefused) as refused:
        codec.decode(query, body)
    return refused.value


class TestVerification:
    @pytest.mark.parametrize("mode", ["safe", "compatible", "plain"])
    def test_echo_is_returned_unchanged(
        self, platform: PlatformSide, mode: Literal["safe", "compatible", "plain"]
    ) -> None:
        assert codec_in(mode).verify_url(platform.verification("5409 <x>").query) == "5409 <x>"

    @pytest.mark.parametrize("changed", ["signature", "timestamp", "nonce"])
    def test_changed_query_is_refused(self, platform: PlatformSide, codec: Codec, changed: str) -> None:
        query = dict(platform.verification("5409").query)
        with pytest.raises(BadSignature):
            codec.verify_url(query | {changed: "1795276802"})

    def test_missing_parameters_are_refused(self, platform: PlatformSide, codec: Codec) -> None:
        query = dict(platform.verification("5409").query)
        with pytest.raises(BadSignature):
            codec.verify_url({})
        del query["echostr"]
        with pytest.raises(Malformed):
            codec.verify_url(query)


class TestModes:
    def test_safe(self, platform: PlatformSide) -> None:
        codec = codec_in("safe")
        delivery = decoded(codec, platform.safe(TEXT))
        assert delivery.key_index == 0
        assert platform.reply(codec.encode(delivery, TextReply("好的")))["Content"] == "好的"

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("<xml>", "<?xml version='1.0'?><xml>"),
            ("<xml>", "<xml><AgentID>1</AgentID>"),
            ("<ToUserName>", "\n  <ToUserName>"),
            ("<![CDATA[gh_5b1d2c3e4f60]]>", "gh_5b1d2c3e4f60"),
            ("<Encrypt><![CDATA[", "<Encrypt><![CDATA[\n"),
        ],
    )
    def test_the_envelope_may_be_spelt_otherwise(self, platform: PlatformSide, old: str, new: str) -> None:
        callback = platform.safe(TEXT)
        body = callback.body.decode()
        assert old in body
        decoded(codec_in("safe"), Callback(callback.query, body.replace(old, new).encode()))

    def test_safe_refuses_a_body_in_clear(self, platform: PlatformSide) -> None:
        callback = platform.plain(TEXT)
        refused = refusal(codec_in("safe"), callback.query, callback.body)
        assert isinstance(refused, Malformed)
        assert refused.reason == "not encrypted"

    def test_compatible_takes_the_encrypted_part(self, platform: PlatformSide) -> None:
        codec = codec_in("compatible")
        callback = platform.compatible(TEXT)
        assert b"Content" in callback.body
        forged = Callback(callback.query, callback.body.replace("勤工俭学".encode(), b"x"))
        delivery = decoded(codec, forged)
        assert platform.reply(codec.encode(delivery, TextReply("好的")))["Content"] == "好的"

    @pytest.mark.parametrize("mode", ["compatible", "plain"])
    def test_clear_bodies_get_clear_replies(
        self, platform: PlatformSide, mode: Literal["compatible", "plain"]
    ) -> None:
        codec = codec_in(mode)
        delivery = decoded(codec, platform.plain(TEXT))
        assert delivery.key_index is None
        assert xmltodict.parse(codec.encode(delivery, TextReply("好的")))["xml"]["Content"] == "好的"

    def test_plain_reads_the_clear_part_of_a_compatible_body(self, platform: PlatformSide) -> None:
        assert decoded(codec_in("plain"), platform.compatible(TEXT)).key_index is None

    def test_plain_cannot_read_an_encrypted_body(self, platform: PlatformSide) -> None:
        callback = platform.safe(TEXT)
        assert isinstance(refusal(codec_in("plain"), callback.query, callback.body), Malformed)

    @pytest.mark.parametrize("mode", ["safe", "compatible", "plain"])
    def test_no_reply_is_success_in_clear(
        self, platform: PlatformSide, mode: Literal["safe", "compatible", "plain"]
    ) -> None:
        codec = codec_in(mode)
        callback = platform.plain(TEXT) if mode == "plain" else platform.safe(TEXT)
        assert codec.encode(decoded(codec, callback), None) == ACKNOWLEDGED == b"success"


class TestKeys:
    def test_previous_key_opens_and_seals(self, codec: Codec) -> None:
        before = PlatformSide(TOKEN, APP_ID, PREVIOUS_KEY)
        delivery = decoded(codec, before.safe(TEXT))
        assert delivery.key_index == 1
        assert before.reply(codec.encode(delivery, TextReply("好的")))["Content"] == "好的"

    def test_unknown_key_is_undecipherable(self, codec: Codec) -> None:
        callback = PlatformSide(TOKEN, APP_ID, aes_key("stranger")).safe(TEXT)
        assert isinstance(refusal(codec, callback.query, callback.body), Undecipherable)

    @pytest.mark.parametrize("key", [KEY, PREVIOUS_KEY])
    def test_another_app_is_foreign(self, codec: Codec, key: str) -> None:
        callback = PlatformSide(TOKEN, "wx0000000000000000", key).safe(TEXT)
        assert isinstance(refusal(codec, callback.query, callback.body), ForeignApp)

    def test_another_token_is_no_platform(self, codec: Codec) -> None:
        callback = PlatformSide("another", APP_ID, KEY).safe(TEXT)
        assert isinstance(refusal(codec, callback.query, callback.body), BadSignature)

    @pytest.mark.parametrize("keys", [("short",), (KEY, "*" * 43), (KEY + "=",), ()])
    def test_wrong_keys_stop_the_start_without_being_shown(self, keys: tuple[str, ...]) -> None:
        with pytest.raises(ValueError, match=r"EncodingAESKey") as error:
            Codec(TOKEN, APP_ID, keys, "safe")
        assert not any(key in str(error.value) for key in keys)

    @pytest.mark.parametrize(("token", "app_id"), [("", APP_ID), ("ab", APP_ID), ("a" * 33, APP_ID), (TOKEN, "")])
    def test_wrong_token_or_app_stops_the_start(self, token: str, app_id: str) -> None:
        with pytest.raises(ValueError, match=r"token|AppID"):
            Codec(token, app_id, (KEY,), "safe")


class TestChecks:
    def test_message_signature_covers_the_body(self, platform: PlatformSide, codec: Codec) -> None:
        callback, other = platform.safe(TEXT), platform.safe(payload("click"))
        assert isinstance(refusal(codec, callback.query, other.body), BadSignature)

    def test_message_signature_is_needed(self, platform: PlatformSide, codec: Codec) -> None:
        callback = platform.safe(TEXT)
        query = {name: value for name, value in callback.query.items() if name != "msg_signature"}
        assert isinstance(refusal(codec, query, callback.body), BadSignature)

    def test_the_querys_signature_is_checked_before_the_size(self, platform: PlatformSide, codec: Codec) -> None:
        body = b"<xml>" + b" " * MAX_BODY_BYTES
        assert isinstance(refusal(codec, platform.safe(TEXT).query, body), TooLarge)
        assert isinstance(refusal(codec, {}, body), BadSignature)

    def test_a_body_may_be_as_large_as_the_limit(self, platform: PlatformSide) -> None:
        callback = platform.plain(TEXT)
        decoded(codec_in("plain"), Callback(callback.query, callback.body.ljust(MAX_BODY_BYTES)))

    @pytest.mark.parametrize("padding", [b"\x00" * 32, b"\x21" * 33 + b"\x00" * 31, b"\x01" * 31 + b"\x20"])
    def test_padding_is_checked(self, platform: PlatformSide, codec: Codec, padding: bytes) -> None:
        # wechatpy cuts the last bytes off unread; here they have to be what PKCS#7 says.
        callback = sealed_raw(platform, padding)
        assert isinstance(refusal(codec, callback.query, callback.body), Undecipherable)

    @pytest.mark.parametrize("extra_length", [1000, 2**31])
    def test_the_stated_length_is_checked(self, platform: PlatformSide, codec: Codec, extra_length: int) -> None:
        callback = sealed_raw(platform, b"\x20" * 32, extra_length)
        assert isinstance(refusal(codec, callback.query, callback.body), Undecipherable)

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b"", "not XML"),
            (b"hello", "not XML"),
            (b'{"MsgType": "text"}', "not XML"),
            (b"<xml>", "not XML"),
            (b"<xml/>", "no xml element with children"),
            (b"<xml>text</xml>", "no xml element with children"),
            (b"<other><MsgType>text</MsgType></other>", "no xml element with children"),
            (b"<xml><a></xml>", "not XML"),
            (b"<xml>\xff\xfe</xml>", "not UTF-8"),
            ("<?xml version='1.0' encoding='utf-16'?><xml/>".encode("utf-16"), "not UTF-8"),
            (b"<xml>" + b"<a>" * 20000 + b"</xml>", "nested too deeply"),
            (b"<!DOCTYPE xml [<!ENTITY a 'b'>]><xml><MsgType>&a;</MsgType></xml>", "document type"),
            (b"<!DOCTYPE xml SYSTEM 'file:///etc/passwd'><xml><MsgType>text</MsgType></xml>", "document type"),
            (b"<xml><MsgType>&a;</MsgType></xml>", "not XML"),
            (b"<xml><MsgType>text</MsgType><MsgType>text</MsgType></xml>", "MsgType"),
            (b"<xml><MsgType><a>text</a></MsgType></xml>", "MsgType"),
        ],
    )
    def test_hostile_bodies_are_malformed(self, platform: PlatformSide, body: bytes, reason: str) -> None:
        refused = refusal(codec_in("plain"), platform.plain(TEXT).query, body)
        assert isinstance(refused, Malformed)
        assert refused.reason == reason

    @pytest.mark.parametrize("encrypted", ["", "AAAA", "****", "é" * 16, "A" * 64, "<b/>", "A</Encrypt><Encrypt>A"])
    def test_hostile_envelopes_are_refused(self, platform: PlatformSide, codec: Codec, encrypted: str) -> None:
        body = f"<xml><Encrypt>{encrypted}</Encrypt></xml>".encode()
        assert 400 <= refusal(codec, signed_for(platform, encrypted), body).status < 500

    def test_errors_have_a_status_and_a_label_of_their_own(self) -> None:
        kinds = (BadSignature, ForeignApp, TooLarge, Malformed, Undecipherable)
        assert {kind.status for kind in kinds} == {400, 403, 413}
        assert len({kind.label for kind in kinds}) == len(kinds)
        # Other edges refuse for reasons of their own, with errors of their own.
        own = {kind for kind in CallbackRefused.__subclasses__() if kind.__module__ == CallbackRefused.__module__}
        assert own == set(kinds)


def signed_for(platform: PlatformSide, encrypted: str) -> dict[str, str]:
    """A query whose both signatures are right for ``encrypted``."""
    query = dict(platform.plain(TEXT).query)
    query["msg_signature"] = _get_signature(TOKEN, query["timestamp"], query["nonce"], encrypted)
    return query


def sealed_raw(platform: PlatformSide, padding: bytes, extra_length: int = 0) -> Callback:
    """A signed callback whose plaintext ends in ``padding`` and claims ``extra_length`` bytes more than it has."""
    content = TEXT.encode()
    plain = b"0" * 16 + (len(content) + extra_length).to_bytes(4, "big") + content + APP_ID.encode()
    plain += b"\0" * (-(len(plain) + len(padding)) % 16) + padding
    cipher = WeChatCipher(base64.b64decode(KEY + "="))
    encrypted = base64.b64encode(cipher.encrypt(plain)).decode()
    body = f"<xml><Encrypt>{encrypted}</Encrypt></xml>".encode()
    return Callback(signed_for(platform, encrypted), body)


REPLIES: list[tuple[PassiveReply, dict[str, object]]] = [
    (TextReply("第一行\n第二行"), {"MsgType": "text", "Content": "第一行\n第二行"}),
    (ImageReply("m1"), {"MsgType": "image", "Image": {"MediaId": "m1"}}),
    (VoiceReply("m2"), {"MsgType": "voice", "Voice": {"MediaId": "m2"}}),
    (VideoReply("m3"), {"MsgType": "video", "Video": {"MediaId": "m3"}}),
    (
        VideoReply("m3", "标题", "说明"),
        {"MsgType": "video", "Video": {"MediaId": "m3", "Title": "标题", "Description": "说明"}},
    ),
    (
        MusicReply("t1", "歌", "词", "http://a/1", "http://a/2"),
        {
            "MsgType": "music",
            "Music": {
                "Title": "歌",
                "Description": "词",
                "MusicUrl": "http://a/1",
                "HQMusicUrl": "http://a/2",
                "ThumbMediaId": "t1",
            },
        },
    ),
    (
        NewsReply((Article("标题", "说明", "http://a/p.jpg", "http://a/?a=1&b=2"),)),
        {
            "MsgType": "news",
            "ArticleCount": "1",
            "Articles": {
                "item": {
                    "Title": "标题",
                    "Description": "说明",
                    "PicUrl": "http://a/p.jpg",
                    "Url": "http://a/?a=1&b=2",
                }
            },
        },
    ),
    (TransferReply(), {"MsgType": "transfer_customer_service"}),
    (
        TransferReply("lawyer1@tongren"),
        {"MsgType": "transfer_customer_service", "TransInfo": {"KfAccount": "lawyer1@tongren"}},
    ),
]


class TestReplies:
    @pytest.mark.parametrize(
        ("reply", "content"), REPLIES, ids=lambda part: getattr(part, "__class__", part).__name__
    )
    def test_every_type_arrives_as_the_platform_expects(
        self, platform: PlatformSide, codec: Codec, reply: PassiveReply, content: dict[str, object]
    ) -> None:
        delivery = decoded(codec, platform.safe(TEXT))
        assert platform.reply(codec.encode(delivery, reply)) == {
            "ToUserName": "oXbF21AbCdEfGhIjKlMnOpQrStU0",
            "FromUserName": "gh_5b1d2c3e4f60",
            "CreateTime": "1795276800",
            **content,
        }

    @pytest.mark.parametrize(
        ("text", "seen"),
        [
            ("]]>", "]]>"),
            ("a]]></Content><MsgType>x</MsgType><![CDATA[b", "a]]></Content><MsgType>x</MsgType><![CDATA[b"),
            ("]]]]>>", "]]]]>>"),
            ("a\x00b\x0bc\x1fd\ufffee\ud800f", "abcdef"),
            ("<a href='x'>&amp;</a>", "<a href='x'>&amp;</a>"),
            ("🀄👨\u200d👩\u200d👧𠮷", "🀄👨\u200d👩\u200d👧𠮷"),
        ],
    )
    def test_no_text_breaks_out(self, platform: PlatformSide, codec: Codec, text: str, seen: str) -> None:
        delivery = decoded(codec, platform.safe(TEXT))
        reply = platform.reply(codec.encode(delivery, TextReply(text)))
        assert reply["Content"] == seen
        assert reply["MsgType"] == "text"

    def test_the_same_reply_is_the_same_content_in_every_envelope(self, platform: PlatformSide, codec: Codec) -> None:
        delivery = decoded(codec, platform.safe(TEXT))
        first, second = (codec.encode(delivery, TextReply("好的")) for _ in range(2))
        assert first != second
        assert platform.reply(first) == platform.reply(second)

    @pytest.mark.parametrize("count", [0, 9])
    def test_a_news_reply_has_one_to_eight_articles(self, count: int) -> None:
        with pytest.raises(ValueError, match="1 to 8"):
            NewsReply((Article("a", "b", "c", "d"),) * count)
