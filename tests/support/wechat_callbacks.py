"""The platform's side of a callback, by wechatpy's own crypto: signs, encrypts, and opens our replies."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import xmltodict
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import WeChatSigner

TIMESTAMP = "1795276801"
NONCE = "1320562132"


@dataclass(frozen=True, slots=True)
class Callback:
    """What arrives at the gateway."""

    query: Mapping[str, str]
    body: bytes = b""


def aes_key(seed: str) -> str:
    """Return an EncodingAESKey that depends on ``seed`` only."""
    return base64.b64encode(hashlib.sha256(seed.encode()).digest()).decode().rstrip("=")


class PlatformSide:
    """One account as the platform sees it."""

    def __init__(self, token: str, app_id: str, aes_key: str) -> None:
        self.token = token
        self.app_id = app_id
        self.aes_key = aes_key
        self._crypto = WeChatCrypto(token, aes_key, app_id)

    def verification(self, echostr: str) -> Callback:
        """The GET that checks the address."""
        return Callback({**self._signed(), "echostr": echostr})

    def plain(self, xml: str) -> Callback:
        """A message in clear."""
        return Callback(self._signed(), xml.encode())

    def safe(self, xml: str) -> Callback:
        """An encrypted message."""
        return self._encrypted(xml, "")

    def compatible(self, xml: str) -> Callback:
        """A message in clear and encrypted in one body."""
        return self._encrypted(xml, xml.removeprefix("<xml>").rstrip().removesuffix("</xml>"))

    def reply(self, body: bytes) -> dict[str, object]:
        """Open an encrypted reply, its signature checked by wechatpy."""
        envelope = xmltodict.parse(body)["xml"]
        xml = self._crypto.decrypt_message(
            body.decode(), envelope["MsgSignature"], envelope["TimeStamp"], envelope["Nonce"]
        )
        return dict(xmltodict.parse(xml)["xml"])

    def _encrypted(self, xml: str, beside: str) -> Callback:
        envelope = xmltodict.parse(self._crypto.encrypt_message(xml, NONCE, TIMESTAMP))["xml"]
        query = {**self._signed(), "encrypt_type": "aes", "msg_signature": envelope["MsgSignature"]}
        account = "" if beside else "<ToUserName><![CDATA[gh_5b1d2c3e4f60]]></ToUserName>\n"
        return Callback(
            query, f"<xml>{beside}{account}<Encrypt><![CDATA[{envelope['Encrypt']}]]></Encrypt>\n</xml>".encode()
        )

    def _signed(self) -> dict[str, str]:
        signer = WeChatSigner()
        signer.add_data(self.token, TIMESTAMP, NONCE)
        return {"signature": signer.signature, "timestamp": TIMESTAMP, "nonce": NONCE}
