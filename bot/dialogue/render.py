"""Outcomes as messages: text, choices to tap, pictures. Their form on the wire is for the platform's part."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from bot.dialogue.catalog import FlowCatalog
from bot.dialogue.events import Option
from bot.dialogue.outcomes import (
    Asked,
    FlowCancelled,
    FlowFinished,
    FlowStarted,
    HandedOver,
    Outcome,
    PictureSent,
    Progress,
    Reviewed,
    Spoken,
)
from bot.dialogue.payloads import ANSWER_PAYLOAD, FIELD_PAYLOAD, FLOW_PAYLOAD, SUBMIT_PAYLOAD, WORD_PAYLOAD
from bot.dialogue.response_reader import fill_placeholders
from bot.values.problem import FieldValue

ONE_LINE_CHARS = 60
"""Up to this length a lead and its question share a line."""
ONE_LINE_CHOICES_CHARS = 24
"""Up to this length numbered choices share a line."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to tap: ``id`` comes back with the tap, ``label`` is shown; ``main`` is what most people want."""

    id: str
    label: str
    main: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message to the follower; a picture has no text."""

    text: str
    choices: tuple[Choice, ...] = ()
    media_id: str | None = None

    def numbered(self) -> str:
        """Return the text with its choices numbered below it, for channels without anything to tap."""
        if not self.choices:
            return self.text
        parts = [f"{number} {choice.label}" for number, choice in enumerate(self.choices, start=1)]
        fits = sum(len(part) for part in parts) <= ONE_LINE_CHOICES_CHARS
        return f"{self.text}\n{('  ' if fits else chr(10)).join(parts)}"


class Renderer:
    """Fills the texts of a catalogue."""

    def __init__(self, catalog: FlowCatalog) -> None:
        self._catalog = catalog

    def render(self, outcomes: Iterable[Outcome]) -> tuple[Message, ...]:
        """Return the messages of ``outcomes``, one for each that says something, in their order."""
        return tuple(message for outcome in outcomes if (message := self._message(outcome)) is not None)

    def _message(self, outcome: Outcome) -> Message | None:
        match outcome:
            case Spoken():
                options = (*outcome.options, *self._buttons(outcome.response, outcome.variant))
                return Message(self._spoken(outcome), tuple(Choice(_said_id(one), one.shown) for one in options))
            case Asked():
                question = self._text(outcome.response, outcome.variant, outcome.fields)
                choices = tuple(Choice(_answer_id(outcome.slot, one), one.shown) for one in outcome.options)
                return Message(self._with_leads(outcome.leads, _with_progress(question, outcome.progress)), choices)
            case Reviewed():
                heading = self._text(outcome.response, outcome.variant, outcome.fields)
                lines = [
                    Choice(f"{FIELD_PAYLOAD}{line.slot}", f"{line.label} {line.shown}") for line in outcome.lines
                ]
                submit = Choice(SUBMIT_PAYLOAD, outcome.submit, main=True)
                return Message(self._with_leads(outcome.leads, heading), (*lines, submit))
            case PictureSent():
                return Message("", media_id=outcome.media_id)
            case HandedOver() | FlowStarted() | FlowFinished() | FlowCancelled():
                return None
            case _:
                assert_never(outcome)

    def _spoken(self, spoken: Spoken) -> str:
        return self._text(spoken.response, spoken.variant, spoken.fields)

    def _text(self, key: str, variant: int, fields: Mapping[str, FieldValue]) -> str:
        response = self._catalog.responses.get(key)
        if response is None:
            return key
        return fill_placeholders(response.variants[min(variant, len(response.variants) - 1)].text, fields)

    def _buttons(self, key: str, variant: int) -> tuple[Option, ...]:
        response = self._catalog.responses.get(key)
        return response.variants[min(variant, len(response.variants) - 1)].buttons if response is not None else ()

    def _with_leads(self, leads: Sequence[Spoken], text: str) -> str:
        for lead in reversed(leads):
            said = self._spoken(lead)
            text = f"{said}{text}" if len(said) + len(text) <= ONE_LINE_CHARS else f"{said}\n{text}"
        return text


def joined(messages: Sequence[Message], max_chars: int) -> tuple[Message, ...]:
    """Return ``messages`` with neighbours put together while they stay within ``max_chars``.

    Only the last of those put together may have choices, because they belong to the end of what is read.
    """
    result: list[Message] = []
    for message in messages:
        before = result[-1] if result else None
        fits = (
            before is not None
            and before.media_id is None
            and message.media_id is None
            and not before.choices
            and len(before.text) + len(message.text) < max_chars
        )
        if before is not None and fits:
            result[-1] = Message(f"{before.text}\n{message.text}", message.choices)
        else:
            result.append(message)
    return tuple(result)


def _with_progress(text: str, progress: Progress | None) -> str:
    return text if progress is None else f"({progress.position}/{progress.total}){text}"


def _answer_id(slot: str, option: Option) -> str:
    return option.value if option.value.startswith("/") else f"{ANSWER_PAYLOAD}{slot}:{option.value}"


def _said_id(option: Option) -> str:
    if option.value.startswith("/"):
        return option.value
    return f"{FLOW_PAYLOAD}{option.next_flow}" if option.next_flow is not None else f"{WORD_PAYLOAD}{option.value}"
