"""Cross-validate the pipeline on its training data: ``nlu/.venv/bin/python nlu/cross_validate.py``.

Prints accuracy and the table from which the thresholds of ``bot/understanding/rules.py`` were chosen. The evaluation
set is never read here. Takes a few minutes; the parameters come from ``config.yml``.
"""

# ruff: noqa: E402 – the stand-ins for TensorFlow go in before anything imports Rasa.
import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from nlu.environment import ROOT, prepare

prepare()

import numpy as np
import numpy.typing as npt
import yaml
from scipy.sparse import csr_matrix, hstack, vstack
from sklearn.model_selection import StratifiedKFold

from nlu.components.encoder import encode
from nlu.components.ngrams import char_ngrams, sound_ngrams
from nlu.components.softmax_regression import chances, fit
from nlu.components.tfidf import Vocabulary

_GRAMS = {"CharFeaturizer": char_ngrams, "PinyinFeaturizer": sound_ngrams}


def training_data(root: Path = ROOT) -> tuple[list[str], list[str]]:
    """Return the training texts and their intents."""
    texts, labels = [], []
    for path in sorted((root / "nlu" / "data").glob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            lines = [line.removeprefix("- ") for line in block["examples"].splitlines()]
            texts += lines
            labels += [block["intent"]] * len(lines)
    return texts, labels


class Pipeline:
    """The parameters of ``config.yml`` by component name."""

    def __init__(self, root: Path = ROOT) -> None:
        rows = yaml.safe_load((root / "config.yml").read_text(encoding="utf-8"))["pipeline"]
        self._rows = {row["name"].rpartition(".")[2]: row for row in rows}

    def dense(self, texts: list[str]) -> npt.NDArray[np.float32]:
        return encode(texts) * np.float32(self._rows["UseFeaturizer"]["scale"])

    def sparse(self, learnt: list[str], asked: list[str]) -> tuple[csr_matrix, csr_matrix]:
        """Return the n-gram features of both lists, by vocabularies of the first."""
        blocks: tuple[list[csr_matrix], list[csr_matrix]] = ([], [])
        for name, grams in _GRAMS.items():
            row = self._rows[name]
            bags = [grams(text, row["longest"]) for text in learnt]
            vocabulary = Vocabulary.learn(bags, row["min_texts"])
            blocks[0].append(vstack([vocabulary.row(bag, row["scale"]) for bag in bags]))
            blocks[1].append(vstack([vocabulary.row(grams(text, row["longest"]), row["scale"]) for text in asked]))
        return hstack(blocks[0], format="csr"), hstack(blocks[1], format="csr")

    def classifier(self) -> tuple[float, int]:
        """Return the strength of the data against the penalty, and the bound of steps."""
        row = self._rows["LinearClassifier"]
        return row["C"], row["max_iter"]


def held_out_chances(texts: list[str], labels: list[str], folds: int) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Return the intents and, for each text, their chances by a model that did not see it."""
    pipeline = Pipeline()
    dense = pipeline.dense(texts)
    intents = sorted(set(labels))
    found = np.zeros((len(texts), len(intents)))
    splits = StratifiedKFold(folds, shuffle=True, random_state=0).split(texts, labels)
    for number, (learnt, asked) in enumerate(splits, start=1):
        known, fresh = pipeline.sparse([texts[i] for i in learnt], [texts[i] for i in asked])
        model = fit(dense[learnt], known, [labels[i] for i in learnt], *pipeline.classifier())
        found[asked] = chances(dense[asked] @ model.dense + fresh @ model.sparse + model.intercepts)
        print(f"fold {number} of {folds}: {model.steps} steps", file=sys.stderr, flush=True)
    return intents, found


def report(intents: list[str], labels: list[str], found: npt.NDArray[np.float64]) -> None:
    """Print accuracy, recall by intent and what each threshold would do."""
    truth = np.array([intents.index(label) for label in labels])
    order = np.argsort(-found, axis=1)
    best, second = order[:, 0], order[:, 1]
    rows = np.arange(len(truth))
    right = best == truth
    confidence, lead = found[rows, best], found[rows, best] - found[rows, second]
    within_three = (order[:, :3] == truth[:, None]).any(axis=1)
    print(f"accuracy {right.mean():.3f}, truth within the first three {within_three.mean():.3f}, n={len(truth)}")
    for number, intent in enumerate(intents):
        mine = truth == number
        print(f"  {intent:24} recall {right[mine].mean():.2f}  precision {right[best == number].mean():.2f}")
    print("sure  margin  acted on  right among them")
    for sure in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7):
        for margin in (0.0, 0.1, 0.2):
            acted = (confidence >= sure) & (lead >= margin)
            print(f"{sure:.2f}  {margin:.2f}    {acted.mean():.3f}     {right[acted].mean():.3f}")
    print("ask   texts below  truth within three among them")
    for ask in (0.1, 0.15, 0.2, 0.25, 0.3):
        below = confidence < ask
        print(f"{ask:.2f}  {below.mean():.3f}        {within_three[below].mean() if below.any() else 0:.3f}")
    danger = intents.index("crisis")
    _report_out_of_scope(found, intents.index("out_of_scope"), truth)
    print("crisis at least  recall  false alarms among all others")
    for least in (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5):
        raised = found[:, danger] >= least
        print(f"{least:.2f}  {raised[truth == danger].mean():.3f}  {raised[truth != danger].mean():.4f}")


def _report_out_of_scope(found: npt.NDArray[np.float64], outside: int, truth: npt.NDArray[np.intp]) -> None:
    lead = found[:, outside] - np.delete(found, outside, axis=1).max(axis=1)
    print("lead of out_of_scope  in scope kept  out of scope rejected")
    for least in (-0.2, -0.1, 0.0, 0.05, 0.1, 0.2, 0.3):
        rejected = lead >= least
        print(f"{least:+.2f}  {1 - rejected[truth != outside].mean():.3f}  {rejected[truth == outside].mean():.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=5)
    texts, labels = training_data()
    intents, found = held_out_chances(texts, labels, parser.parse_args().folds)
    report(intents, labels, found)


if __name__ == "__main__":
    main()
