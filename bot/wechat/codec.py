"""Callbacks in and replies out: the platform's signatures, encryption and XML on one side, typed values on the other.

Nothing but the errors of ``CallbackRefused`` leaves ``verify_url`` and ``decode``, whatever arrives.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bot.wechat.crypto import Envelope, signature, signature_fits
from bot.wechat.errors import BadSignature, Malformed, TooLarge
from bot.wechat.fields import Fields
from bot.wechat.inbound import Inbound, RawValue
from bot.wechat.outgoing import PassiveReply
from bot.wechat.parser import read_inbound
from bot.wechat.rendering import render_envelope, render_reply
from bot.wechat.xml_tree import read_tree

MAX_BODY_BYTES = 64 * 1024
MAX_ECHO_CHARS = 1024
ACKNOWLEDGED = b"success"
"""The answer that promises nothing more; it is sent in clear in every mode."""

TOKEN_CHARS = range(3, 33)

Mode: TypeAlias = Literal["safe", "compatible", "plain"]

# The envelope as the platform writes it, the most common body there is; any other spelling goes to the parser.
_ENVELOPE = re.compile(
    rb"\s*<xml>\s*<ToUserName><!\[CDATA\[\w*\]\]></ToUserName>"
    rb"\s*<Encrypt><!\[CDATA\[([A-Za-z0-9+/=]+)\]\]></Encrypt>\s*</xml>\s*"
)
_TIMESTAMP = re.compile(r"[0-9]{1,20}")
_NONCE = re.compile(r"[\x20-\x7e]{1,128}")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One callback. ``key_index`` is the key that opened it (0 the current one), None for one in clear.

    ``timestamp`` and ``nonce`` are the query's; the encrypted reply repeats them.
    """

    message: Inbound
    key_index: int | None
    timestamp: str
    nonce: str


class Codec:
    """Reads callbacks and writes replies for one account.

    ``mode`` is what the account is set to: ``safe`` refuses every body in clear, ``plain`` reads only those,
    ``compatible`` takes both and answers in kind. In plain mode the signature does not cover the body, so that one
    captured query string lets anybody forge messages. Raises ValueError for a token, AppID or key that cannot be
    right; the values are not repeated.
    """

    def __init__(self, token: str, app_id: str, aes_keys: Sequence[str], mode: Mode) -> None:
        if len(token) not in TOKEN_CHARS:
            raise ValueError("the token must have 3 to 32 characters")
        if not app_id:
            raise ValueError("the AppID is missing")
        if mode != "plain" and not aes_keys:
            raise ValueError(f"the mode {mode} needs an EncodingAESKey")
        self._token = token
        self._mode = mode
        self._envelope = Envelope(app_id, aes_keys)

    def verify_url(self, query: Mapping[str, str]) -> str:
        """Return the text with which to answer the platform's GET. Raises BadSignature, Malformed."""
        self._check_query(query)
        echo = query.get("echostr", "")
        if not 1 <= len(echo) <= MAX_ECHO_CHARS:
            raise Malformed("echostr")
        return echo

    def decode(self, query: Mapping[str, str], body: bytes) -> Delivery:
        """Return what the platform delivered with a POST.

        Checked in this order: the query's signature, the size, the body's signature, the encryption, the AppID, the
        content. Raises BadSignature, TooLarge, Undecipherable, ForeignApp, Malformed.
        """
        timestamp, nonce = self._check_query(query)
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge
        encrypted, tree = self._parts(body)
        if encrypted is None:
            return Delivery(read_inbound(tree), None, timestamp, nonce)
        # The signature comes first, so that nobody without the token learns how a body decrypts.
        if not signature_fits(query.get("msg_signature", ""), self._token, timestamp, nonce, encrypted):
            raise BadSignature
        opened = self._envelope.open(encrypted)
        return Delivery(read_inbound(read_tree(opened.content)), opened.key_index, timestamp, nonce)

    def encode(self, delivery: Delivery, reply: PassiveReply | None) -> bytes:
        """Return the body of the answer to ``delivery``: ``success`` where there is no reply, else its XML,
        encrypted with the delivery's own key if that was encrypted."""
        if reply is None:
            return ACKNOWLEDGED
        content = render_reply(delivery.message, reply).encode()
        if delivery.key_index is None:
            return content
        encrypted = self._envelope.seal(content, delivery.key_index)
        signed = signature(self._token, delivery.timestamp, delivery.nonce, encrypted)
        return render_envelope(encrypted, signed, delivery.timestamp, delivery.nonce).encode()

    def _check_query(self, query: Mapping[str, str]) -> tuple[str, str]:
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        if not signature_fits(query.get("signature", ""), self._token, timestamp, nonce):
            raise BadSignature
        if not _TIMESTAMP.fullmatch(timestamp):
            raise Malformed("timestamp")
        if not _NONCE.fullmatch(nonce):
            raise Malformed("nonce")
        return timestamp, nonce

    def _parts(self, body: bytes) -> tuple[str | None, Mapping[str, RawValue]]:
        """Return what is encrypted in ``body``, or None and what it says in clear."""
        if self._mode == "plain":
            return None, read_tree(body)
        if found := _ENVELOPE.fullmatch(body):
            return found[1].decode(), {}
        tree = read_tree(body)
        if "Encrypt" in tree:
            return Fields(tree).required("Encrypt"), tree
        if self._mode == "safe":
            raise Malformed("not encrypted")
        return None, tree
