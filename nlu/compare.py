"""Compare ways of understanding: ``nlu/.venv/bin/python nlu/compare.py [--folds 5] [--texts 6000]``.

Prints a table: accuracy by cross-validation over nlu/data, the loss (lower is better calibrated), the share of
out-of-scope texts rejected where 95 % of the others are kept, the temperature that would calibrate best (1: none is
needed); then accuracy, strict and lenient, on each table of nlu/evaluation after training on all data. Choose by the
cross-validation; the evaluation sets only report. ``--texts`` takes a share of the data with every intent as frequent
as it is, because all recipes on all texts take hours.

E5 is the package's own, not the tuned one, which would have to be tuned for each fold (docs/nlu.md has its figures).
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.understanding.rules import OUT_OF_SCOPE
from nlu.environment import ROOT, prepare
from nlu.page import write_figures

if TYPE_CHECKING:
    from bot.understanding.evaluation import Example
    from nlu.recipes import Chances, Recipe


@dataclass(frozen=True)
class Line:
    """The figures of one recipe."""

    name: str
    accuracy: float
    loss: float
    rejected: float
    temperature: float
    tables: list[tuple[float, float]]

    def markdown(self) -> str:
        """Return the row of the table."""
        shares = "".join(f" {strict:.3f} / {lenient:.3f} |" for strict, lenient in self.tables)
        figures = f"{self.accuracy:.3f} | {self.loss:.3f} | {self.rejected:.3f} | {self.temperature:.2f}"
        return f"| {self.name} | {figures} |{shares}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--texts", type=int, default=None, metavar="N", help="train on so many of the texts")
    parser.add_argument("--only", nargs="+", default=None, metavar="NAME", help="compare these recipes alone")
    parser.add_argument("--write", action="store_true", help="put the table into docs/nlu.md")
    options = parser.parse_args()
    prepare()
    from nlu.recipes import recipes

    chosen = recipes()
    if unknown := [name for name in options.only or [] if name not in chosen]:
        parser.error(f"no such recipe: {unknown[0]}; there are: {', '.join(chosen)}")
    table = _compare({name: chosen[name] for name in options.only or chosen}, options.folds, options.texts)
    if options.write:
        write_figures("comparison", table)


def _compare(chosen: "dict[str, Recipe]", folds: int, at_most: int | None) -> str:
    """Print the table line by line as it grows, and return it."""
    from bot.understanding.evaluation import read_examples
    from nlu.cross_validate import training_data
    from nlu.progress import Bar
    from nlu.recipes import embed, held_out, predict

    texts, labels = training_data()
    total = len(texts)
    if at_most is not None and at_most < total:
        texts, labels = _share(texts, labels, at_most)
    print(f"reading {len(texts)} texts by both sentence encoders, a minute or more", flush=True)
    learnt = embed(texts)
    tables = {path.stem: read_examples(path) for path in sorted((ROOT / "nlu" / "evaluation").glob("*.tsv"))}
    asked = embed([example.text for examples in tables.values() for example in examples])
    lines = [f"{len(texts)} of {total} training texts, {folds} folds.\n", _head(list(tables))]
    print("\n".join(lines), flush=True)
    bar = Bar("recipes")
    for number, (name, recipe) in enumerate(chosen.items(), start=1):
        left_out = held_out(recipe, learnt, labels, folds, embed)
        intents, found = predict(recipe, learnt, labels, asked, embed)
        lines.append(Line(name, *_figures(*left_out, labels), _shares(intents, found, tables)).markdown())
        print(lines[-1], flush=True)
        bar(number, len(chosen))
    return "\n".join(lines)


def _share(texts: list[str], labels: list[str], number: int) -> tuple[list[str], list[str]]:
    from sklearn.model_selection import train_test_split

    kept, _, names, _ = train_test_split(texts, labels, train_size=number, stratify=labels, random_state=0)
    return list(kept), list(names)


def _head(tables: Sequence[str]) -> str:
    names = "".join(f" {name} strict / lenient |" for name in tables)
    head = f"| Recipe | cross-validated | loss | out of scope rejected | temperature |{names}"
    return f"{head}\n|---|{'--:|' * (4 + len(tables))}"


def _figures(intents: list[str], found: "Chances", labels: list[str]) -> tuple[float, float, float, float]:
    """Return accuracy, loss, the share of out-of-scope texts rejected, and the temperature that calibrates best."""
    import numpy as np
    from scipy.optimize import minimize_scalar

    truth, rows = np.array([intents.index(label) for label in labels]), np.arange(len(labels))
    logs = np.log(np.maximum(found, 1e-12))

    def loss(temperature: float) -> float:
        scores = logs / temperature
        return float((np.logaddexp.reduce(scores, axis=1) - scores[rows, truth]).mean())

    outside = intents.index(OUT_OF_SCOPE)
    lead = found[:, outside] - np.delete(found, outside, axis=1).max(axis=1)
    limit = np.quantile(lead[truth != outside], 0.95)
    best = minimize_scalar(loss, bounds=(0.3, 3.0), method="bounded").x
    accuracy = float((found.argmax(axis=1) == truth).mean())
    return accuracy, loss(1.0), float((lead[truth == outside] > limit).mean()), float(best)


def _shares(intents: list[str], found: "Chances", tables: "dict[str, list[Example]]") -> list[tuple[float, float]]:
    """Return strict and lenient accuracy on each table; the rows of ``found`` are those of the tables in turn."""
    guesses = iter(intents[place] for place in found.argmax(axis=1))
    shares = []
    for examples in tables.values():
        judged = [(next(guesses), example.labels) for example in examples]
        strict = sum(guess == labels[0] for guess, labels in judged) / len(judged)
        shares.append((strict, sum(guess in labels for guess, labels in judged) / len(judged)))
    return shares


if __name__ == "__main__":
    main()
