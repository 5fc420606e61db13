"""The reason codes that staff choose from, with the texts that applicants read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.registrations.errors import UnknownReason
from bot.registrations.statuses import Status

REASONS_FILE = Path(__file__).with_name("reasons.yml")


@dataclass(frozen=True, slots=True)
class Reason:
    """A code, its readable text, and the statuses that staff may give it for."""

    code: str
    text: str
    targets: tuple[Status, ...]


class ReasonTable:
    """All reasons by code."""

    def __init__(self, reasons: Mapping[str, Reason]) -> None:
        self._reasons = dict(reasons)

    @classmethod
    def from_file(cls, path: Path = REASONS_FILE) -> "ReasonTable":
        """Read a YAML file of ``code: {text: …, for: [status, …]}``; raises ValueError for an unknown status."""
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        return cls(
            {
                code: Reason(code, entry["text"], tuple(Status(status) for status in entry["for"]))
                for code, entry in content.items()
            }
        )

    def text(self, code: str) -> str:
        """Return what people read; raises UnknownReason."""
        if code not in self._reasons:
            raise UnknownReason(reason=code, target="")
        return self._reasons[code].text

    def texts(self) -> Mapping[str, str]:
        """Return what people read for each code."""
        return {code: reason.text for code, reason in self._reasons.items()}

    def choices_for(self, target: Status) -> tuple[Reason, ...]:
        """Return what staff may choose when they move a registration to ``target``."""
        return tuple(reason for reason in self._reasons.values() if target in reason.targets)

    def check(self, code: str, target: Status) -> None:
        """Raise UnknownReason when ``code`` cannot lead to ``target``."""
        if code not in self._reasons or target not in self._reasons[code].targets:
            raise UnknownReason(reason=code, target=target.value)
