"""Conditions of flows: CALM's predicates, parsed once into small typed nodes and evaluated over slots.

Nothing is ever evaluated as code. An empty slot is ``null``; an order comparison with ``null``, or between a number
and a text, is false. Vocabulary: https://rasa.com/docs/reference/primitives/conditions
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn, Protocol

from bot.dialogue.errors import ConditionUnreadable
from bot.dialogue.events import SlotValue

Slots = Mapping[str, SlotValue]


class Operand(Protocol):
    """Something with a value: a slot, a literal or a set."""

    def value(self, slots: Slots) -> SlotValue:
        """Return the value; ``None`` for an empty slot."""
        ...


class Node(Protocol):
    """Something that is true or false."""

    def holds(self, slots: Slots) -> bool:
        """Say whether it is true over ``slots``."""
        ...


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed condition; ``names`` are the slots it looks at."""

    text: str
    root: Node
    names: frozenset[str]

    def holds(self, slots: Slots) -> bool:
        """Say whether the condition is true over ``slots``."""
        return self.root.holds(slots)


@dataclass(frozen=True, slots=True)
class SlotOperand:
    name: str

    def value(self, slots: Slots) -> SlotValue:
        return slots.get(self.name)


@dataclass(frozen=True, slots=True)
class Literal:
    literal: SlotValue

    def value(self, slots: Slots) -> SlotValue:  # noqa: ARG002 - the interface of every operand
        return self.literal


@dataclass(frozen=True, slots=True)
class Truth:
    operand: Operand

    def holds(self, slots: Slots) -> bool:
        return bool(self.operand.value(slots))


@dataclass(frozen=True, slots=True)
class Not:
    node: Node

    def holds(self, slots: Slots) -> bool:
        return not self.node.holds(slots)


@dataclass(frozen=True, slots=True)
class AllOf:
    nodes: tuple[Node, ...]

    def holds(self, slots: Slots) -> bool:
        return all(node.holds(slots) for node in self.nodes)


@dataclass(frozen=True, slots=True)
class AnyOf:
    nodes: tuple[Node, ...]

    def holds(self, slots: Slots) -> bool:
        return any(node.holds(slots) for node in self.nodes)


@dataclass(frozen=True, slots=True)
class Comparison:
    left: Operand
    right: Operand
    test: Callable[[SlotValue, SlotValue], bool]

    def holds(self, slots: Slots) -> bool:
        return self.test(self.left.value(slots), self.right.value(slots))


@dataclass(frozen=True, slots=True)
class Matches:
    operand: Operand
    pattern: re.Pattern[str]

    def holds(self, slots: Slots) -> bool:
        value = self.operand.value(slots)
        return isinstance(value, str) and self.pattern.search(value) is not None


def _number(value: SlotValue) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _equal(left: SlotValue, right: SlotValue) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return left == right


def _unequal(left: SlotValue, right: SlotValue) -> bool:
    return not _equal(left, right)


def _ordered(test: Callable[[float | str, float | str], bool]) -> Callable[[SlotValue, SlotValue], bool]:
    def compare(left: SlotValue, right: SlotValue) -> bool:
        if isinstance(left, str) and isinstance(right, str):
            return test(left, right)
        first, second = _number(left), _number(right)
        return first is not None and second is not None and test(first, second)

    return compare


def _contains(left: SlotValue, right: SlotValue) -> bool:
    if isinstance(left, list):
        return any(_equal(item, right) for item in left)
    return isinstance(left, str) and isinstance(right, str) and right in left


def _is_in(left: SlotValue, right: SlotValue) -> bool:
    return _contains(right, left)


_TESTS: Mapping[str, Callable[[SlotValue, SlotValue], bool]] = {
    "=": _equal,
    "==": _equal,
    "is": _equal,
    "!=": _unequal,
    "is not": _unequal,
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "contains": _contains,
    "in": _is_in,
    "not in": lambda left, right: not _is_in(left, right),
}

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>"[^"]*"|'[^']*')
      | (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
      | (?P<word>[A-Za-z_][\w.]*)
      | (?P<sign><=|>=|!=|==|[<>=(){}\[\],])
    )""",
    re.VERBOSE,
)
_LITERALS: Mapping[str, SlotValue] = {"true": True, "false": False, "null": None, "none": None, "undefined": None}
_CLOSING = {"{": "}", "[": "]"}


def parse_condition(text: str) -> Condition:
    """Return the parsed condition; raises ConditionUnreadable with ``at`` and ``reason``."""
    parser = _Parser(text)
    return Condition(text, parser.read(), frozenset(parser.names))


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            at = len(text) - len(text[position:].lstrip())
            raise ConditionUnreadable(condition=text, at=at, reason="unknown sign")
        kind = match.lastgroup or ""
        word = match[kind]
        if kind == "word" and word.lower() in {"and", "or", "not", "is", "in", "contains", "matches"}:
            kind, word = "operator", word.lower()
        tokens.append(_Token(kind, word, match.start(kind if kind != "operator" else "word")))
        position = match.end()
    return tokens


class _Parser:
    """A recursive-descent parser: or < and < not < comparison."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._next = 0
        self.names: set[str] = set()

    def read(self) -> Node:
        node = self._either()
        if self._next < len(self._tokens):
            self._fail("more text after the condition")
        return node

    def _fail(self, reason: str) -> NoReturn:
        at = self._tokens[self._next].at if self._next < len(self._tokens) else len(self._text)
        raise ConditionUnreadable(condition=self._text, at=at, reason=reason)

    def _take(self, *texts: str) -> bool:
        """Pass over the next tokens if they are exactly ``texts`` (signs or operator words)."""
        ahead = self._tokens[self._next : self._next + len(texts)]
        if len(ahead) < len(texts) or any(
            token.kind not in {"sign", "operator"} or token.text != text
            for token, text in zip(ahead, texts, strict=True)
        ):
            return False
        self._next += len(texts)
        return True

    def _either(self) -> Node:
        nodes = [self._both()]
        while self._take("or"):
            nodes.append(self._both())
        return nodes[0] if len(nodes) == 1 else AnyOf(tuple(nodes))

    def _both(self) -> Node:
        nodes = [self._negated()]
        while self._take("and"):
            nodes.append(self._negated())
        return nodes[0] if len(nodes) == 1 else AllOf(tuple(nodes))

    def _negated(self) -> Node:
        if self._take("not"):
            return Not(self._negated())
        if self._take("("):
            node = self._either()
            if not self._take(")"):
                self._fail("a bracket is not closed")
            return node
        return self._comparison()

    def _comparison(self) -> Node:
        left = self._operand()
        if self._take("matches"):
            return Matches(left, self._pattern())
        sign = self._operator()
        if sign is None:
            return Truth(left)
        return Comparison(left, self._operand(), _TESTS[sign])

    def _operator(self) -> str | None:
        for two in (("is", "not"), ("not", "in")):
            if self._take(*two):
                return " ".join(two)
        for one in ("is", "in", "contains", "=", "==", "!=", "<=", ">=", "<", ">"):
            if self._take(one):
                return one
        return None

    def _pattern(self) -> re.Pattern[str]:
        operand = self._operand()
        if not isinstance(operand, Literal) or not isinstance(operand.literal, str):
            self._fail("matches needs a text")
        try:
            return re.compile(operand.literal)
        except re.error:
            self._fail("the regular expression does not compile")

    def _operand(self) -> Operand:
        if self._next >= len(self._tokens):
            self._fail("a value is missing")
        token = self._tokens[self._next]
        if token.text in _CLOSING and token.kind == "sign":
            self._next += 1
            return Literal(self._set(_CLOSING[token.text]))
        if token.kind in {"sign", "operator"}:
            self._fail("a value is missing")
        self._next += 1
        return self._plain(token)

    def _plain(self, token: _Token) -> Operand:
        if token.kind == "text":
            return Literal(token.text[1:-1])
        if token.kind == "number":
            return Literal(float(token.text) if "." in token.text else int(token.text))
        if token.text.lower() in _LITERALS:
            return Literal(_LITERALS[token.text.lower()])
        name = token.text.removeprefix("slots.")
        if "." in name:
            self._next -= 1
            self._fail("only slots.<name> can be looked at")
        self.names.add(name)
        return SlotOperand(name)

    def _set(self, closing: str) -> list[SlotValue]:
        members: list[SlotValue] = []
        while not self._take(closing):
            operand = self._operand()
            if not isinstance(operand, Literal):
                self._fail("a set holds values only, no slots")
            members.append(operand.literal)
            self._take(",")
        return members
