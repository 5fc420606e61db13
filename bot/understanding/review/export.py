"""Relabelled texts as Rasa's YAML: nothing personal, nothing twice, nothing of the evaluation set."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.understanding.evaluation import read_examples
from bot.understanding.likeness import TOO_ALIKE_ACROSS_INTENTS, TOO_ALIKE_TO_EVALUATE, bare, near_duplicates
from bot.understanding.review.models import ReviewItem
from bot.understanding.review.service import ReviewList
from bot.understanding.review.stand_ins import problem_of
from bot.understanding.training_data import read_utterances, utterances_yaml

COMMENT = "Relabelled texts of the review list. Written by `python -m bot nlu review export`; training reads it."

Why = Literal["known", "other intent", "evaluation", "personal", "unusable"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that was not exported: ``known`` already, under another intent, in the evaluation set, personal …"""

    item: int
    why: Why
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did. ``lines`` counts all lines of the file, ``added`` those of rows that are new in it."""

    file: Path
    lines: int
    added: int
    removed: int
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """The lines that are spoken for: training data by intent, and the texts of the evaluation set."""

    training: Mapping[str, Sequence[str]]
    evaluation: Sequence[str]


class Exporter:
    """Writes the file of relabelled texts. ``nlu_dir`` holds ``data/*.yml`` and ``evaluation/*.tsv``."""

    def __init__(self, reviews: ReviewList, nlu_dir: Path, file: Path) -> None:
        self._reviews = reviews
        self._nlu_dir = nlu_dir
        self._file = file

    async def export(self) -> Exported:
        """Bring the file in step with the list and return what changed.

        Lines whose rows were deleted by age stay; lines whose rows were undone or relabelled otherwise go. The new
        file takes the place of the old one at once; without a line there is no file.
        """
        before = await asyncio.to_thread(self._read)
        of_rows = await self._reviews.exported_lines()
        kept = {line: intent for line, intent in before.items() if line not in of_rows}
        known = await asyncio.to_thread(read_known, self._nlu_dir)
        items = await self._reviews.relabelled()
        lines, left_out = await asyncio.to_thread(choose, items, known, kept)
        now = kept | {item.line: item.label or "" for item in items if item.id in lines}
        await asyncio.to_thread(self._write, now)
        await self._reviews.mark_exported(lines)
        return Exported(
            self._file, len(now), len(now.keys() - before.keys()), len(before.keys() - now.keys()), left_out
        )

    def _read(self) -> dict[str, str]:
        if not self._file.is_file():
            return {}
        return {text: intent for intent, texts in read_utterances([self._file]).items() for text in texts}

    def _write(self, lines: Mapping[str, str]) -> None:
        if not lines:
            self._file.unlink(missing_ok=True)
            return
        by_intent: dict[str, list[str]] = {}
        for line, intent in sorted(lines.items()):
            by_intent.setdefault(intent, []).append(line)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_suffix(".new")
        temporary.write_text(utterances_yaml(COMMENT, dict(sorted(by_intent.items()))), encoding="utf-8")
        temporary.replace(self._file)


def read_known(nlu_dir: Path) -> Known:
    """Return what the project itself trains on and evaluates with."""
    examples = [one for path in sorted((nlu_dir / "evaluation").glob("*.tsv")) for one in read_examples(path)]
    return Known(read_utterances(sorted((nlu_dir / "data").glob("*.yml"))), [one.text for one in examples])


def choose(
    items: Sequence[ReviewItem], known: Known, kept: Mapping[str, str]
) -> tuple[dict[int, str], tuple[LeftOut, ...]]:
    """Return the line of each row that may be trained on, and the rows that may not, with the reason.

    ``kept`` are the lines that the file has anyway.
    """
    evaluated = {
        line for line, _ in near_duplicates([one.line for one in items], known.evaluation, TOO_ALIKE_TO_EVALUATE)
    }
    alike = _alike(items, known)
    taken = {bare(line): intent for line, intent in kept.items()}
    lines: dict[int, str] = {}
    left_out: list[LeftOut] = []
    for item in items:
        refusal = _refusal(item, evaluated, alike, taken)
        if refusal is not None:
            left_out.append(refusal)
            continue
        lines[item.id] = item.line
        taken[bare(item.line)] = item.label or ""
    return lines, tuple(left_out)


def _refusal(
    item: ReviewItem, evaluated: set[str], alike: Mapping[str, Sequence[tuple[str, str]]], taken: Mapping[str, str]
) -> LeftOut | None:
    label = item.label or ""
    problem = problem_of(item.line, label)
    if problem is not None:
        return LeftOut(item.id, "unusable" if problem in {"intent", "empty", "long"} else "personal", problem)
    if item.line in evaluated:
        return LeftOut(item.id, "evaluation")
    for other, intent in _similar(item, alike, taken):
        if intent != label:
            return LeftOut(item.id, "other intent", intent)
        if other == bare(item.line):
            return LeftOut(item.id, "known")
    return None


def _similar(
    item: ReviewItem, alike: Mapping[str, Sequence[tuple[str, str]]], taken: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    yield from alike.get(item.line, ())
    plain = bare(item.line)
    if plain in taken:
        yield plain, taken[plain]


def _alike(items: Sequence[ReviewItem], known: Known) -> dict[str, list[tuple[str, str]]]:
    """Return for each line the training texts that are too like it, as (bare text, intent)."""
    found: dict[str, list[tuple[str, str]]] = {}
    for intent, texts in known.training.items():
        for line, other in near_duplicates([one.line for one in items], texts, TOO_ALIKE_ACROSS_INTENTS):
            found.setdefault(line, []).append((bare(other), intent))
    return found
