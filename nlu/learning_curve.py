"""How understanding grows with the training data: ``nlu/.venv/bin/python nlu/learning_curve.py``.

Trains the shipped pipeline on growing shares of nlu/data; smaller shares are parts of the larger ones. Prints
accuracy by cross-validation and on each table of nlu/evaluation, and draws docs/images/nlu-learning-curve.svg.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

from nlu.chart import Series, line_chart
from nlu.environment import ROOT, prepare
from nlu.page import write_figures

SHARES = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1.0)
IMAGE = ROOT / "docs" / "images" / "nlu-learning-curve.svg"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--image", type=Path, default=IMAGE, help="where the drawing goes")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/nlu.md")
    options = parser.parse_args()
    image = options.image.resolve()
    prepare()
    series = _measure(options.folds)
    print(_table(series))
    if options.write:
        write_figures("learning curve", _table(series))
    image.write_text(
        line_chart(series, title="Accuracy by number of training texts", left="accuracy", below="training texts"),
        encoding="utf-8",
    )
    print(f"\ndrawn: {image}")


def _measure(folds: int) -> list[Series]:
    import numpy as np
    from sklearn.model_selection import StratifiedKFold

    from bot.understanding.evaluation import read_examples
    from nlu.cross_validate import training_data
    from nlu.progress import Bar
    from nlu.recipes import plain, predict, shipped

    texts, labels = training_data()
    everything, truth = plain(texts), np.array(labels)
    tables = {path.stem: read_examples(path) for path in sorted((ROOT / "nlu" / "evaluation").glob("*.tsv"))}
    asked = plain([example.text for examples in tables.values() for example in examples])
    # A random order, of which each share takes the beginning, keeps the intents about as frequent as they are.
    order = np.random.default_rng(0).permutation(len(labels))
    splits = list(StratifiedKFold(folds, shuffle=True, random_state=0).split(labels, labels))
    held_out, on_tables = Series("cross-validated"), {name: Series(name) for name in tables}
    bar = Bar("learning curve")
    for number, share in enumerate(SHARES, start=1):
        hits = []
        for known, fresh in splits:
            part = _beginning(order[np.isin(order, known)], share)
            intents, found = predict(shipped(), everything.at(part), list(truth[part]), everything.at(fresh), plain)
            hits.append(np.array(intents)[found.argmax(axis=1)] == truth[fresh])
        held_out.add(len(part), float(np.concatenate(hits).mean()))
        part = _beginning(order, share)
        intents, found = predict(shipped(), everything.at(part), list(truth[part]), asked, plain)
        guesses = iter(np.array(intents)[found.argmax(axis=1)])
        for name, examples in tables.items():
            right = [next(guesses) in example.labels for example in examples]
            on_tables[name].add(len(part), sum(right) / len(right))
        bar(number, len(SHARES))
    return [held_out, *on_tables.values()]


def _beginning(order: "npt.NDArray[np.intp]", share: float) -> "npt.NDArray[np.intp]":
    return order[: round(share * len(order))]


def _table(series: list[Series]) -> str:
    rows = ["| Series | training texts | accuracy |", "|---|--:|--:|"]
    rows += [f"| {each.name} | {texts:.0f} | {accuracy:.3f} |" for each in series for texts, accuracy in each.points]
    return "\n".join(rows)


if __name__ == "__main__":
    main()
