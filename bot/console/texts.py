"""What people read for codes: one table for the whole console, a file an area."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from bot.values.problem import FieldValue, Problem

TEXTS_DIR: Final = Path(__file__).with_name("texts")
AUDIT_REASON: Final = "labels.audit_reason"
BULK_REASON: Final = re.compile(r"([a-z_]+):([a-z_]+):(\d+)", re.ASCII)
"""How the trail keeps why a bulk run was begun."""
SHOWN_REASON: Final = re.compile(r"([a-z_]+(?:[./][a-z0-9_]+)*):(.+)", re.ASCII)
"""How it keeps why one value was shown: which one, and what was typed."""
EXPORT_REASON: Final = re.compile(r"(\d+) rows;(open|masked);(.*)", re.ASCII)
"""How it keeps what a file held, and why."""
REFUSED: Final = "wechat.api"
"""What the code of every refusal of the platform begins with."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence after a step. ``is_refusal``: what was asked for was not done."""

    text: str
    is_refusal: bool = False


class Texts:
    """The sentences of ``texts/``: errors, problems of fields, notices and refusals after a step."""

    def __init__(self, sections: Mapping[str, Mapping[str, str]]) -> None:
        self._sections = sections

    @classmethod
    def load(
        cls,
        folder: Path = TEXTS_DIR,
        *,
        problems: Mapping[str, str] | None = None,
        reasons: Mapping[str, str] | None = None,
    ) -> "Texts":
        """Read the table. ``problems`` are sentences for problems that the subjects' rules find, by their codes;
        ``reasons`` are those for which staff decide, as the trail keeps them.

        Raises ValueError when two files have a sentence for the same code.
        """
        sections = read_sections(folder)
        return cls(
            {
                **sections,
                "problems": {**(problems or {}), **sections["problems"]},
                AUDIT_REASON: {**(reasons or {}), **sections[AUDIT_REASON]},
            }
        )

    def error(self, code: str, fields: Mapping[str, FieldValue]) -> str:
        """Return the sentence for an error; an unknown code gets the general one.

        Why the platform did not take something is said in the same words everywhere.
        """
        known = self._sections["errors"]
        if code not in known and code.startswith(REFUSED):
            refusals = self._sections["labels.platform_refusal"]
            return f"{refusals.get(code, refusals[REFUSED])}。"
        return _filled(known.get(code, known["internal"]), fields)

    def problem(self, problem: Problem) -> str:
        """Return the sentence for a problem of a field; raises KeyError for a code without one."""
        return _filled(self._sections["problems"][problem.code], problem.fields)

    def label(self, code: str | None, kind: str) -> str:
        """Return what a code of that kind (``intent``, ``status`` …) is called; an unknown one stands as it is."""
        return "" if code is None else self._sections[f"labels.{kind}"].get(code, code)

    def labels(self, kind: str) -> list[tuple[str, str]]:
        """Return every code of a kind with what it is called, in the order of the table."""
        return list(self._sections[f"labels.{kind}"].items())

    def audit_action(self, action: str) -> str:
        """Return what an action of the trail is called: by itself, or from its subject and step: ``报名 · 导出``.

        A step of the form ``a>b`` is a move from one status to another.
        """
        known = self.label(action, "audit_action")
        if known != action:
            return known
        subject, _, step = action.rpartition(":")
        source, is_move, target = step.partition(">")
        told = self.label(step, "audit_step")
        if is_move:
            told = " → ".join(self.label(status, "registration_status") for status in (source, target))
        return f"{self.label(subject, 'audit_subject')} · {told}" if subject else action

    def audit_reason(self, reason: str) -> str:
        """Return a reason of the trail in words.

        A code by its text; of a bulk run its step, number and reason; where one value was shown, which one it was;
        of a unit's list the unit and how its people agreed;
        of a file how much it holds, and whether in plain.
        """
        if bulk := BULK_REASON.fullmatch(reason):
            step, code, count = bulk.groups()
            return f"{self.label(step, 'registration_step')} {count} 份：{self.label(code, 'audit_reason')}"
        if shown := SHOWN_REASON.fullmatch(reason):
            parts = re.split(r"[./]", shown[1])
            if parts[0] in self._sections["labels.data_field"]:
                told = [str(int(part) + 1) if part.isdigit() else self.label(part, "data_field") for part in parts]
                return f"{' '.join(told)}：{shown[2]}"
        if export := EXPORT_REASON.fullmatch(reason):
            rows, kind, why = export.groups()
            return f"{int(rows):,} 份，{self.label(kind, 'export_kind')}{'：' if why else ''}{why}"
        unit, _, authority = reason.rpartition(":")
        if unit and authority in self._sections["labels.authority"]:
            return f"{unit}：{self.label(authority, 'authority')}"
        return self.label(reason, "audit_reason")

    def audit_reason_code(self, words: str) -> str:
        """Return the code that the trail keeps for a reason in words; other words as they are."""
        codes = {text: code for code, text in self._sections[AUDIT_REASON].items()}
        return codes.get(words, words)

    def notice(self, code: str, fields: Mapping[str, FieldValue]) -> Said:
        """Return the sentence after a step; raises KeyError for a code without one."""
        refusal = self._sections["refusals"].get(code)
        text = self._sections["notices"][code] if refusal is None else refusal
        return Said(_filled(text, fields), is_refusal=refusal is not None)


def read_sections(folder: Path = TEXTS_DIR) -> dict[str, dict[str, str]]:
    """Return the sentences of all files by section and code. Raises ValueError when a code stands in two files."""
    sections: dict[str, dict[str, str]] = {}
    for path in sorted(folder.glob("*.yml")):
        for name, texts in yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader).items():
            known = sections.setdefault(name, {})
            if twice := known.keys() & texts.keys():
                raise ValueError(f"{path.name} repeats {name}: {sorted(twice)}")
            known.update(texts)
    return sections


def _filled(text: str, fields: Mapping[str, FieldValue]) -> str:
    return text.format_map(
        {name: f"{value:,}" if isinstance(value, int) else str(value) for name, value in fields.items()}
    )
