"""Signing, encrypting and opening what travels over the callback URL, with wechatpy's own crypto."""

import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from xml.parsers.expat import ExpatError

import xmltodict
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
from wechatpy.utils import WeChatSigner

from bot.simulator.models import Mode, SimulatorConfig, Violation
from bot.simulator.pushes import XmlValue


@dataclass(frozen=True, slots=True)
class Sealed:
    """A request to the callback URL: its query and its body."""

    query: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """A passive reply in clear: the XML text and its elements."""

    xml: str
    fields: Mapping[str, object]


def to_xml(fields: Mapping[str, XmlValue]) -> str:
    """Return the callback's XML: strings in CDATA, numbers bare, a list repeats its tag."""
    return f"<xml>{_elements(fields)}</xml>"


def _elements(fields: Mapping[str, XmlValue]) -> str:
    return "".join(_element(name, value) for name, value in fields.items())


def _element(name: str, value: XmlValue) -> str:
    match value:
        case str():
            # A CDATA section cannot hold its own end; it is closed and opened again in the middle.
            inner = f"<![CDATA[{value.replace(']]>', ']]]]><![CDATA[>')}]]>"
        case int() | float():
            inner = str(value)
        case Mapping():
            inner = _elements(value)
        case _:
            return "".join(_element(name, item) for item in value)
    return f"<{name}>{inner}</{name}>"


def signature(*parts: str) -> str:
    """Return the platform's SHA-1 over the sorted parts."""
    signer = WeChatSigner()
    signer.add_data(*parts)
    return str(signer.signature)


class Envelope:
    """One account's keys at work."""

    def __init__(self, config: SimulatorConfig) -> None:
        self._config = config
        self._crypto = None
        if config.mode is not Mode.PLAIN:
            self._crypto = WeChatCrypto(config.token, config.aes_key, config.app_id)

    def query(self, timestamp_s: int, openid: str = "") -> dict[str, str]:
        """Return a signed query with a fresh nonce."""
        timestamp, nonce = str(timestamp_s), str(secrets.randbelow(9 * 10**9) + 10**9)
        query = {
            "signature": signature(self._config.token, timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
        }
        return {**query, "openid": openid} if openid else query

    def seal(self, fields: Mapping[str, XmlValue], timestamp_s: int, openid: str) -> Sealed:
        """Return the request that carries ``fields`` in the account's mode."""
        return self.seal_xml(to_xml(fields), timestamp_s, openid, str(fields.get("ToUserName", "")))

    def seal_xml(self, xml: str, timestamp_s: int, openid: str, account_id: str) -> Sealed:
        """Return the request that carries any XML text."""
        query = self.query(timestamp_s, openid)
        clear = xml.encode("utf-8", "replace")
        if self._crypto is None:
            return Sealed(query, clear)
        sealed = xmltodict.parse(self._crypto.encrypt_message(clear, query["nonce"], query["timestamp"]))["xml"]
        query |= {"encrypt_type": "aes", "msg_signature": sealed["MsgSignature"]}
        if self._config.mode is Mode.COMPATIBLE:
            inner = clear.decode().removeprefix("<xml>").removesuffix("</xml>")
            return Sealed(query, f"<xml>{inner}{_secret(sealed)}</xml>".encode())
        return Sealed(query, f"<xml>{_element('ToUserName', account_id)}{_secret(sealed)}</xml>".encode())

    def open_reply(self, body: bytes) -> Opened | Violation:
        """Return the reply in clear, or the rule of the envelope that it breaks."""
        outer = _parse(body, strip=True)
        if isinstance(outer, Violation):
            return outer
        if "Encrypt" not in outer.fields:
            if self._config.mode is Mode.SAFE:
                return Violation("not_encrypted", "safe mode needs an encrypted reply")
            return _parse(body, strip=False)
        if self._crypto is None:
            return Violation("encrypted", "plain mode cannot read an encrypted reply")
        return self._decrypt(self._crypto, outer.fields)

    @staticmethod
    def _decrypt(crypto: WeChatCrypto, outer: Mapping[str, object]) -> Opened | Violation:
        parts = [outer.get(name) for name in ("MsgSignature", "TimeStamp", "Nonce")]
        if not all(isinstance(part, str) for part in (*parts, outer.get("Encrypt"))):
            return Violation("envelope", "Encrypt, MsgSignature, TimeStamp and Nonce are all needed, once each")
        try:
            clear = crypto.decrypt_message(dict(outer), *parts)
        except InvalidSignatureException:
            return Violation("signature", "MsgSignature does not fit")
        except InvalidAppIdException:
            return Violation("app_id", "the reply ends with another AppID")
        except (ValueError, TypeError, LookupError, struct.error) as error:
            return Violation("ciphertext", type(error).__name__)
        return _parse(clear.encode(), strip=False)


def _secret(sealed: Mapping[str, str]) -> str:
    return _element("Encrypt", sealed["Encrypt"])


def _parse(body: bytes, *, strip: bool) -> Opened | Violation:
    # The spaces around a text belong to it, those around an envelope's elements do not.
    try:
        text = body.decode("utf-8")
        root: object = xmltodict.parse(text, strip_whitespace=strip).get("xml")
    except (ExpatError, ValueError) as error:
        return Violation("xml", type(error).__name__)
    if not isinstance(root, dict):
        return Violation("xml", "no <xml> element with content")
    return Opened(text, root)
