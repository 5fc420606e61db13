"""Passive replies as the platform's XML.

wechatpy renders unescaped CDATA, so that a text with ``]]>`` breaks out of it, and has no TransInfo; hence templates
of our own. Its reply classes stay the oracle in the tests.
"""

from typing import assert_never

from bot.wechat.inbound import Inbound
from bot.wechat.outgoing import (
    Article,
    ImageReply,
    MusicReply,
    NewsReply,
    PassiveReply,
    TextReply,
    TransferReply,
    VideoReply,
    VoiceReply,
)
from bot.wechat.xml_tree import ILLEGAL_CHARACTERS


def cdata(text: str) -> str:
    """Return ``text`` as CDATA that every XML parser reads back; characters that XML forbids are dropped."""
    if ILLEGAL_CHARACTERS.search(text):
        text = ILLEGAL_CHARACTERS.sub("", text)
    if "]]>" in text:
        text = text.replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{text}]]>"


def render_reply(message: Inbound, reply: PassiveReply) -> str:
    """Return the XML that answers ``message``.

    CreateTime repeats the message's own, so that every delivery of one message gets the same answer.
    """
    return (
        f"<xml><ToUserName>{cdata(message.openid)}</ToUserName>"
        f"<FromUserName>{cdata(message.account)}</FromUserName>"
        f"<CreateTime>{message.created_s}</CreateTime>{_body(reply)}</xml>"
    )


def render_envelope(encrypted: str, signature: str, timestamp: str, nonce: str) -> str:
    """Return the XML round an encrypted reply. ``timestamp`` holds digits only."""
    return (
        f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>"
        f"<TimeStamp>{timestamp}</TimeStamp><Nonce>{cdata(nonce)}</Nonce></xml>"
    )


def _body(reply: PassiveReply) -> str:
    match reply:
        case TextReply(content):
            return _typed("text", f"<Content>{cdata(content)}</Content>")
        case ImageReply(media_id):
            return _typed("image", f"<Image>{_media(media_id)}</Image>")
        case VoiceReply(media_id):
            return _typed("voice", f"<Voice>{_media(media_id)}</Voice>")
        case VideoReply():
            return _typed("video", _video(reply))
        case MusicReply():
            return _typed("music", _music(reply))
        case NewsReply(articles):
            items = "".join(_article(article) for article in articles)
            return _typed("news", f"<ArticleCount>{len(articles)}</ArticleCount><Articles>{items}</Articles>")
        case TransferReply(kf_account):
            account = kf_account and f"<TransInfo><KfAccount>{cdata(kf_account)}</KfAccount></TransInfo>"
            return _typed("transfer_customer_service", account or "")
        case _:
            assert_never(reply)


def _typed(kind: str, content: str) -> str:
    return f"<MsgType><![CDATA[{kind}]]></MsgType>{content}"


def _media(media_id: str) -> str:
    return f"<MediaId>{cdata(media_id)}</MediaId>"


def _optional(name: str, text: str) -> str:
    return f"<{name}>{cdata(text)}</{name}>" if text else ""


def _video(reply: VideoReply) -> str:
    title, description = _optional("Title", reply.title), _optional("Description", reply.description)
    return f"<Video>{_media(reply.media_id)}{title}{description}</Video>"


def _music(reply: MusicReply) -> str:
    optional = "".join(
        _optional(name, text)
        for name, text in (
            ("Title", reply.title),
            ("Description", reply.description),
            ("MusicUrl", reply.url),
            ("HQMusicUrl", reply.hq_url),
        )
    )
    return f"<Music>{optional}<ThumbMediaId>{cdata(reply.thumb_media_id)}</ThumbMediaId></Music>"


def _article(article: Article) -> str:
    return (
        f"<item><Title>{cdata(article.title)}</Title><Description>{cdata(article.description)}</Description>"
        f"<PicUrl>{cdata(article.picture_url)}</PicUrl><Url>{cdata(article.url)}</Url></item>"
    )
