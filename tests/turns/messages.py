"""Messages of followers, as the parser gives them."""

from bot.turns.models import Incoming
from bot.turns.reading import dump
from bot.wechat.models import Inbound, PassiveReply, TextReply
from bot.wechat.parser import read_inbound

OPENID = "oFollower"


def text(content: str, *, msg_id: int = 1, openid: str = OPENID) -> Inbound:
    """Return a text message."""
    return read_inbound(
        {
            "ToUserName": "gh_1",
            "FromUserName": openid,
            "CreateTime": "1781488800",
            "MsgType": "text",
            "Content": content,
            "MsgId": str(msg_id),
        }
    )


def incoming_of(message: Inbound) -> Incoming:
    """Return the message as the store takes it."""
    return Incoming(message.delivery_key, message.openid, dump(message))


def words(reply: PassiveReply | None) -> str | None:
    """Return the text of a reply, ``None`` where there is none."""
    assert reply is None or isinstance(reply, TextReply)
    return None if reply is None else reply.content
