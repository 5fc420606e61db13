"""The lines of a chat as people read them: words with personal numbers masked, steps as sentences."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, assert_never

from bot.console.names import Names
from bot.console.pages import county_name
from bot.inbox.models import MessageKind, Satisfaction, Step
from bot.inbox.views import MessageView
from bot.values.texts import mask_personal

RATINGS: Final = {
    Satisfaction.SATISFIED: "满意",
    Satisfaction.FAIR: "一般",
    Satisfaction.DISSATISFIED: "不满意",
}

Label = Callable[[str | None, str], str]
"""What a code of a kind is called."""


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line with its words masked; ``is_masked`` says that there is more to read, with a reason."""

    view: MessageView
    text: str
    is_masked: bool


@dataclass(frozen=True, slots=True)
class Words:
    """What people, queues and reasons are called; ``label`` is for codes of the console's own table."""

    names: Names
    queues: Mapping[str, str]
    reasons: Mapping[str, str]
    label: Label


def shown_line(line: MessageView, words: Words, revealed: Mapping[int, str]) -> ShownLine:
    """Return a line to show; ``revealed`` are words in plain that this very request was granted, by number."""
    if line.kind is MessageKind.STEP:
        return ShownLine(line, step_words(line, words), is_masked=False)
    if line.id in revealed:
        return ShownLine(line, revealed[line.id], is_masked=False)
    masked = mask_personal(line.text)
    return ShownLine(line, masked, masked != line.text)


def step_words(line: MessageView, words: Words) -> str:
    """Return what happened, as a sentence."""
    who = words.names.of(line.author)
    match line.step:
        case Step.OPENED:
            reason = words.label(line.detail, "handover_reason") if line.detail else ""
            return f"转到人工（{reason}）" if reason else "转到人工"
        case Step.CLAIMED:
            return f"{who} 开始接待"
        case Step.ASSIGNED:
            return f"{who} 转给 {words.names.of(line.detail)}"
        case Step.MOVED:
            return f"{who} 转到{_way(line.detail, words)}"
        case Step.ESCALATED:
            return f"升级到{_way(line.detail, words)}"
        case Step.CLOSED:
            return f"{who} 结束了会话：{words.reasons.get(line.detail, line.detail)}"
        case Step.HANDED_BACK:
            return f"{who} 交还机器人"
        case Step.REOPENED:
            return f"{who} 重新打开"
        case Step.CALLED:
            return "对方又说要找人工"
        case Step.LEFT:
            return "对方自己结束了会话"
        case Step.RATED:
            return f"对方评价：{rating(line.detail)}"
        case None:
            return ""
        case _:
            assert_never(line.step)


def rating(score: str) -> str:
    """Return what a score is called."""
    return RATINGS[Satisfaction(int(score))]


def _way(detail: str, words: Words) -> str:
    """Read ``general>legal 520628>-``: the queue, and the county where it changed as well."""
    topic, _, county = detail.partition(" ")
    queue = topic.partition(">")[2]
    to_county = county.partition(">")[2]
    place = {"": "", "-": "（市级）"}.get(to_county, f"（{county_name(to_county)}）")
    return f"“{words.queues.get(queue, queue)}”{place}"
