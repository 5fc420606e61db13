"""Evaluate the current model on a table of texts: ``nlu/.venv/bin/python nlu/evaluate.py FILE.tsv``.

The table has the columns text, labels (``|`` between acceptable ones) and source; default: the evaluation set.
Exit code 2: the table cannot be read; 4: there is no model.
"""

import argparse
import asyncio
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.understanding.evaluation import Report, evaluate, read_examples
from bot.understanding.models import Guess, Ranking
from nlu.environment import ROOT, prepare
from nlu.fingerprint import current_model
from nlu.progress import Bar

_BAD_TABLE = 2
_NO_MODEL = 4
_CONFUSIONS_SHOWN = 20


class LocalModel:
    """The model in this process as an ``Understanding``."""

    def __init__(self, path: Path) -> None:
        from nlu.serving.quick_agent import QuickAgent

        self._agent = QuickAgent(path)

    async def rank(self, text: str, budget_s: float) -> Ranking:
        """Return the ranking of ``text``, however long it takes."""
        del budget_s
        answer = await self._agent.parse_message(text)
        guesses = tuple(Guess(row["name"], row["confidence"]) for row in answer.get("intent_ranking", []))
        return Ranking(guesses, "model", answer.get("model_id", ""))


def show(report: Report) -> None:
    """Print the figures."""
    print(f"texts                 {len(report.judged)}")
    print(f"accuracy strict       {report.strict:.3f}   lenient {report.lenient:.3f}")
    print(f"macro recall          {report.macro_recall:.3f}   macro F1 {report.macro_f1:.3f}")
    print(f"acted on wrongly      {report.wrongly_sure:.3f}")
    print(f"in scope answered     {report.answered:.3f}   out of scope rejected {report.rejected:.3f}")
    print(f"crisis noticed        {report.crisis_recall:.3f}   false alarms {report.crisis_false_alarms:.4f}")
    print("recall by intent (texts)")
    counts = Counter(each.example.labels[0] for each in report.judged)
    for label, share in report.recall().items():
        print(f"  {label:24} {share:.2f}  ({counts[label]})")
    print("most frequent confusions (meant, guessed, times)")
    for truth, guess, count in report.confusions()[:_CONFUSIONS_SHOWN]:
        print(f"  {truth} -> {guess}: {count}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    default = ROOT / "nlu" / "evaluation" / "heldout.tsv"
    parser.add_argument("file", type=Path, nargs="?", default=default)
    parser.add_argument("--model", type=Path, default=None, help="a model archive; default: the current one")
    parser.add_argument("--wrong", action="store_true", help="list the texts that were guessed wrongly")
    options = parser.parse_args()
    file = options.file.resolve()
    model = options.model or current_model()
    if model is None:
        print("no NLU model yet; run nlu/train.py first", file=sys.stderr)
        return _NO_MODEL
    if not model.is_file():
        # Rasa would take the latest archive of the folder instead and report its figures under this name.
        print(f"{model}: there is no such model archive; nlu/models has those that were kept", file=sys.stderr)
        return _NO_MODEL
    try:
        examples = read_examples(file)
    except (OSError, ValueError) as fault:
        print(f"{file.name}: {fault}", file=sys.stderr)
        return _BAD_TABLE
    prepare()
    report = asyncio.run(evaluate(LocalModel(model.resolve()), examples, progress=Bar("evaluating")))
    show(report)
    if options.wrong:
        for each in report.judged:
            if not each.is_right:
                print(f"{each.example.text}\t{'|'.join(each.example.labels)}\t{each.guess}\t{each.confidence:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
