"""Placeholders of canned replies: which there are, what is wrong with a text, a text with its values. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.values.problem import Problem

PLACEHOLDERS: Mapping[str, str] = MappingProxyType(
    {
        "name": "称呼",
        "receipt": "受理号",
        "number": "会话编号",
        "agent": "您的姓名",
        "open_at": "下次上班时间",
        "hours": "今天的上班时间",
    }
)
"""Each placeholder with what it stands for."""

TITLE_MAX_CHARS = 30
TEXT_MAX_CHARS = 500
ANSWER_MAX_BYTES = 2_000
"""The platform takes 2,048 bytes of text in one message."""

_BRACED = re.compile(r"\{([^{}\n]{0,40})\}")
_LOOSE = re.compile(r"[{}]")
_GAP = re.compile("〔(" + "|".join(map(re.escape, PLACEHOLDERS.values())) + ")〕")


@dataclass(frozen=True, slots=True)
class Filled:
    """A text to send. ``missing`` names what has no value here; its place is marked 〔…〕 for the agent to fill."""

    text: str
    missing: tuple[str, ...]


def fill(text: str, values: Mapping[str, str]) -> Filled:
    """Return ``text`` with the values of its placeholders."""
    missing: list[str] = []

    def value(found: re.Match[str]) -> str:
        name = found[1].strip()
        if values.get(name):
            return values[name]
        label = PLACEHOLDERS.get(name, name)
        missing.append(label)
        return f"〔{label}〕"

    return Filled(_BRACED.sub(value, text), tuple(dict.fromkeys(missing)))


def check_reply(title: str, text: str) -> dict[str, Problem]:
    """Return what is wrong with a canned reply, by field."""
    problems: dict[str, Problem] = {}
    if not 1 <= len(title) <= TITLE_MAX_CHARS:
        problems["title"] = Problem("inbox.reply_title_length", {"max_chars": TITLE_MAX_CHARS})
    unknown = [name for name in map(str.strip, _BRACED.findall(text)) if name not in PLACEHOLDERS]
    if not 1 <= len(text) <= TEXT_MAX_CHARS:
        problems["text"] = Problem("inbox.reply_text_length", {"max_chars": TEXT_MAX_CHARS})
    elif unknown:
        known = "、".join(f"{{{name}}}" for name in PLACEHOLDERS)
        problems["text"] = Problem("inbox.placeholder_unknown", {"name": unknown[0], "known": known})
    elif _LOOSE.search(_BRACED.sub("", text)):
        problems["text"] = Problem("inbox.placeholder_form")
    return problems


def check_answer(text: str) -> Problem | None:
    """Say what keeps a text from being sent: nothing in it, too long for the platform, or a place not filled in."""
    if not text.strip():
        return Problem("inbox.answer_empty")
    size = len(text.encode())
    if size > ANSWER_MAX_BYTES:
        return Problem("inbox.answer_too_long", {"extra_chars": (size - ANSWER_MAX_BYTES) // 3 + 1})
    gap = _GAP.search(text)
    if gap is not None:
        return Problem("inbox.answer_has_gap", {"name": gap[1]})
    left = next((name for name in _BRACED.findall(text) if name in PLACEHOLDERS), None)
    return None if left is None else Problem("inbox.answer_has_gap", {"name": PLACEHOLDERS[left]})
