"""Cross-validate the pipeline on its training data: ``nlu/.venv/bin/python nlu/cross_validate.py``.

Prints accuracy and the table from which the thresholds of ``bot/understanding/rules.py`` were chosen. The evaluation
set is never read here. Takes a few minutes; the parameters come from ``config.yml``.

Without ``--scores`` the n-grams are judged alone, by all texts. With the scores that ``nlu/tuning/tune.py --fold K
--scores FILE`` wrote, the whole pipeline is judged by the texts that the encoder did not see.
"""

# ruff: noqa: E402 – the stand-ins for TensorFlow go in before anything imports Rasa.
import argparse
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from nlu.environment import ROOT, prepare

prepare()

import numpy as np
import numpy.typing as npt

from bot.understanding.evaluation import Example, Judged, Report
from bot.understanding.models import Guess, Ranking
from bot.understanding.rules import THRESHOLDS, decide
from bot.understanding.training_data import read_utterances
from nlu.components.chances import fused
from nlu.progress import Bar
from nlu.recipes import held_out, plain, predict, second_reader, shipped


def training_data(root: Path = ROOT) -> tuple[list[str], list[str]]:
    """Return the training texts and their intents."""
    utterances = read_utterances(sorted((root / "nlu" / "data").glob("*.yml")))
    texts = [text for said in utterances.values() for text in said]
    labels = [intent for intent, said in utterances.items() for _ in said]
    return texts, labels


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
    _report_decisions(intents, labels, found)
    print("crisis at least  recall  false alarms among all others")
    for least in (0.1, 0.15, 0.2, 0.25, 0.3, 0.36, 0.4, 0.5):
        raised = found[:, danger] >= least
        print(f"{least:.2f}  {raised[truth == danger].mean():.3f}  {raised[truth != danger].mean():.4f}")


def _report_out_of_scope(found: npt.NDArray[np.float64], outside: int, truth: npt.NDArray[np.intp]) -> None:
    lead = found[:, outside] - np.delete(found, outside, axis=1).max(axis=1)
    print("lead of out_of_scope  in scope kept  out of scope rejected")
    for least in (-0.3, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2):
        rejected = lead >= least
        print(f"{least:+.2f}  {1 - rejected[truth != outside].mean():.3f}  {rejected[truth == outside].mean():.3f}")


def _report_decisions(intents: list[str], labels: list[str], found: npt.NDArray[np.float64]) -> None:
    rankings = [_ranking(intents, row) for row in found]
    print("sure  small talk  outside lead  in scope answered  out of scope rejected  acted on wrongly")
    served = THRESHOLDS["model"]
    for sure, small_talk, lead in product((0.65, 0.75), (0.65, 0.75, 0.8), (-0.25, -0.3, -0.4)):
        limits = replace(served, sure=sure, small_talk=small_talk, outside_lead=lead)
        judged = (
            Judged(Example("", (label,), ""), ranking.guesses[0].intent, 0.0, decide(ranking, limits), False)
            for label, ranking in zip(labels, rankings, strict=True)
        )
        figures = Report(tuple(judged))
        print(
            f"{sure:.2f}  {small_talk:.2f}        {lead:+.2f}         {figures.answered:.3f}"
            f"              {figures.rejected:.3f}                  {figures.wrongly_sure:.3f}"
            f"{'  serves' if limits == served else ''}"
        )


def _ranking(intents: list[str], row: npt.NDArray[np.float64]) -> Ranking:
    return Ranking(tuple(Guess(intents[place], float(row[place])) for place in np.argsort(-row)), "model", "")


def read_twice(
    scores: Path, texts: list[str], labels: list[str]
) -> tuple[list[str], list[str], npt.NDArray[np.float64]]:
    """Return the intents, and truth and chances of the texts that the encoder behind ``scores`` had left out."""
    with np.load(scores, allow_pickle=False) as kept:
        places, seen, known_to_it = kept["places"], kept["scores"], [str(name) for name in kept["intents"]]
    rest = np.setdiff1d(np.arange(len(texts)), places)
    learnt, asked = plain([texts[place] for place in rest]), plain([texts[place] for place in places])
    intents, found = predict(shipped(), learnt, [labels[place] for place in rest], asked, plain)
    if intents != known_to_it:
        raise SystemExit(f"{scores} knows other intents than the training data: tune again")
    trust, weight, sure = second_reader()
    doubtful = found.max(axis=1) < sure
    print(f"read twice: {doubtful.mean():.3f} of {len(places)} texts")
    found[doubtful] = fused(found[doubtful], seen[doubtful], trust, weight)
    return intents, [labels[place] for place in places], found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument(
        "--scores", type=Path, default=None, metavar="FILE", help="of the encoder, for texts it left out"
    )
    options = parser.parse_args()
    texts, labels = training_data()
    if options.scores is not None:
        intents, labels, found = read_twice(options.scores, texts, labels)
    else:
        intents, found = held_out(shipped(), plain(texts), labels, options.folds, plain, Bar("cross-validating"))
    report(intents, labels, found)


if __name__ == "__main__":
    main()
