"""Stored messages come back unchanged through JSON, and foreign ones are named."""

import json

import pytest

from bot.wechat.models import (
    Article,
    Choice,
    CustomerArticle,
    CustomerImage,
    CustomerMenu,
    CustomerMessage,
    CustomerMiniProgram,
    CustomerMusic,
    CustomerNews,
    CustomerText,
    CustomerVideo,
    CustomerVoice,
    ImageReply,
    MusicReply,
    NewsReply,
    Outgoing,
    OutImage,
    OutNews,
    OutText,
    PassiveReply,
    RecordUnreadable,
    TextReply,
    TransferReply,
    VideoReply,
    VoiceReply,
    customer_message_from_dict,
    customer_message_to_dict,
    outgoing_from_dict,
    outgoing_to_dict,
    passive_reply_from_dict,
    passive_reply_to_dict,
)

MESSAGES: list[CustomerMessage] = [
    CustomerText("您好"),
    CustomerImage("m"),
    CustomerVoice("m"),
    CustomerVideo("m", "t", "标题"),
    CustomerMusic("歌", "词", "https://a/1", "t"),
    CustomerNews("标题", "说明", "https://a/p", "https://a/"),
    CustomerArticle("b5O2"),
    CustomerMenu("头", (Choice("a", "甲"), Choice("b", "乙")), "尾"),
    CustomerMiniProgram("标题", "wx1", "pages/index", "t"),
]
REPLIES: list[PassiveReply] = [
    TextReply("您好"),
    ImageReply("m"),
    VoiceReply("m"),
    VideoReply("m", "标题"),
    MusicReply("t"),
    NewsReply((Article("a", "b", "c", "d"),)),
    TransferReply(None),
    TransferReply("a@b"),
]
OUTGOING: list[Outgoing] = [
    OutText("您好"),
    OutText("选一个", (Choice("a", "甲", main=True), Choice("b", "乙"))),
    OutImage("m"),
    OutNews("标题", "说明", "https://a/p", "https://a/"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=repr)
def test_messages_survive_json(message: CustomerMessage) -> None:
    assert customer_message_from_dict(json.loads(json.dumps(customer_message_to_dict(message)))) == message


@pytest.mark.parametrize("reply", REPLIES, ids=repr)
def test_replies_survive_json(reply: PassiveReply) -> None:
    assert passive_reply_from_dict(json.loads(json.dumps(passive_reply_to_dict(reply)))) == reply


@pytest.mark.parametrize("outgoing", OUTGOING, ids=repr)
def test_what_the_bot_wants_to_say_survives_json(outgoing: Outgoing) -> None:
    assert outgoing_from_dict(json.loads(json.dumps(outgoing_to_dict(outgoing)))) == outgoing


def test_the_record_is_versioned() -> None:
    assert customer_message_to_dict(CustomerText("您好")) == {"v": 1, "kind": "text", "content": "您好"}


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"v": 2, "kind": "text", "content": "x"},
        {"v": 1, "kind": "hologram"},
        {"v": 1, "kind": ["text"]},
        {"v": 1, "kind": "text"},
        {"v": 1, "kind": "text", "content": "x", "extra": 1},
        {"v": 1, "kind": "menu", "head": "x", "choices": [{"id": "a"}]},
        {"v": 1, "kind": "menu", "head": "x", "choices": 5},
    ],
)
def test_what_another_release_wrote_is_named(record: dict[str, object]) -> None:
    with pytest.raises(RecordUnreadable):
        customer_message_from_dict(record)
    with pytest.raises(RecordUnreadable):
        passive_reply_from_dict({"v": 1, "kind": "news", "articles": []})


@pytest.mark.parametrize(
    ("message", "body"),
    [
        (CustomerText("您好"), {"msgtype": "text", "text": {"content": "您好"}}),
        (CustomerImage("m"), {"msgtype": "image", "image": {"media_id": "m"}}),
        (CustomerVoice("m"), {"msgtype": "voice", "voice": {"media_id": "m"}}),
        (
            CustomerVideo("m", "t", "标题"),
            {"msgtype": "video", "video": {"media_id": "m", "thumb_media_id": "t", "title": "标题"}},
        ),
        (
            CustomerMusic("歌", "词", "u", "t"),
            {
                "msgtype": "music",
                "music": {
                    "title": "歌",
                    "description": "词",
                    "musicurl": "u",
                    "hqmusicurl": "u",
                    "thumb_media_id": "t",
                },
            },
        ),
        (
            CustomerNews("标题", "说明", "p", "u"),
            {
                "msgtype": "news",
                "news": {"articles": [{"title": "标题", "description": "说明", "url": "u", "picurl": "p"}]},
            },
        ),
        (CustomerArticle("b5"), {"msgtype": "mpnewsarticle", "mpnewsarticle": {"article_id": "b5"}}),
        (
            CustomerMenu("头", (Choice("a", "甲"),)),
            {"msgtype": "msgmenu", "msgmenu": {"head_content": "头", "list": [{"id": "a", "content": "甲"}]}},
        ),
        (
            CustomerMiniProgram("标题", "wx1", "p", "t"),
            {
                "msgtype": "miniprogrampage",
                "miniprogrampage": {"title": "标题", "appid": "wx1", "pagepath": "p", "thumb_media_id": "t"},
            },
        ),
    ],
    ids=lambda part: type(part).__name__,
)
def test_the_bodies_of_the_api(message: CustomerMessage, body: dict[str, object]) -> None:
    assert message.as_json("openid") == {"touser": "openid", **body}
