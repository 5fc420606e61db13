"""The platform's XML as nested mappings, read by expat without document types, entities or deep nesting.

wechatpy's own parser (xmltodict) costs four times as much and raises five kinds of raw exceptions on hostile input;
here everything that is not a plain tree becomes ``Malformed``. xmltodict stays the oracle in the tests.
"""

import re
from collections.abc import Mapping
from typing import TypeAlias, cast
from xml.parsers import expat

from bot.wechat.errors import Malformed
from bot.wechat.inbound import RawValue

MAX_DEPTH = 8
"""The deepest event, the result of a mass sending, needs five levels."""

ILLEGAL_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 forbids even inside CDATA."""

_Node: TypeAlias = "dict[str, RawValue | list[RawValue]]"


class _Tree:
    """Collects expat's events into nested dicts; a repeated element becomes a list."""

    __slots__ = ("open_nodes", "text")

    def __init__(self) -> None:
        # One entry for each open element, None until its first child is closed; the first is the document itself.
        self.open_nodes: list[_Node | None] = [None]
        self.text: list[str] = []

    def start(self, _name: str, _attributes: Mapping[str, str]) -> None:
        if len(self.open_nodes) > MAX_DEPTH:
            raise Malformed("nested too deeply")
        self.text.clear()
        self.open_nodes.append(None)

    def end(self, name: str) -> None:
        node = self.open_nodes.pop()
        value: RawValue = "".join(self.text) if node is None else cast(Mapping[str, RawValue], node)
        self.text.clear()
        parent = self.open_nodes[-1]
        if parent is None:
            self.open_nodes[-1] = {name: value}
        elif name not in parent:
            parent[name] = value
        else:
            earlier = parent[name]
            parent[name] = [*earlier, value] if isinstance(earlier, list) else [earlier, value]

    def doctype(self, *_declaration: object) -> None:
        raise Malformed("document type")


def read_tree(data: bytes) -> Mapping[str, RawValue]:
    """Return the children of the root element ``<xml>``, texts unstripped.

    ``data`` is UTF-8, whatever it declares. Control characters that XML forbids are dropped, because followers'
    texts bring them along. Raises Malformed.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Malformed("not UTF-8") from None
    try:
        document = _parse(text)
    except expat.ExpatError:
        cleaned = ILLEGAL_CHARACTERS.sub("", text)
        if cleaned == text:
            raise Malformed("not XML") from None
        document = _parse_cleaned(cleaned)
    root = document.get("xml")
    if not isinstance(root, Mapping):
        raise Malformed("no xml element with children")
    return root


def _parse_cleaned(text: str) -> _Node:
    try:
        return _parse(text)
    except expat.ExpatError:
        raise Malformed("not XML") from None


def _parse(text: str) -> _Node:
    tree = _Tree()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.text.append
    parser.StartDoctypeDeclHandler = tree.doctype
    parser.Parse(text, True)
    return tree.open_nodes[0] or {}
