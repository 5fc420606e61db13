"""Tune the packaged sentence encoder on the training texts and write what was learnt: ``make tune``.

Needs the environment of ``nlu/tuning/requirements.in`` and an hour or so of two cores. With ``--fold K`` a fifth of
the texts is left out and its scores are written as well: ``nlu/cross_validate.py --scores FILE`` reads them, so that
weights and thresholds are chosen from texts that the encoder has not seen.
"""

# ruff: noqa: E402 - The project's root has to be importable first.
import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold
from torch.nn import functional

from bot.understanding.training_data import read_utterances
from nlu.components.e5_differences import Differences
from nlu.components.e5_file import E5File, packaged
from nlu.components.e5_pieces import Tokenizer
from nlu.components.e5_reader import PIECES_MAX, TUNED, Reader
from nlu.components.normal_form import normalise
from nlu.tuning.joining import joined
from nlu.tuning.network import Tuned

FOLDS = 5
_BATCH = 32
_FORGOTTEN = 0.08
"""The share of a text's pieces that a round leaves out, so that no single word is relied on."""
_DIFFERENCE_MAX = 0.1


def parse() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3, help="how often each text is read")
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument(
        "--joined", type=float, default=0.1, help="how many messages of two wishes a round has beside each text"
    )
    parser.add_argument("--fold", type=int, default=None, help=f"leave out this fifth, 0 to {FOLDS - 1}")
    parser.add_argument("--scores", type=Path, default=None, help="where to write the scores of the fifth left out")
    parser.add_argument("--out", type=Path, default=TUNED)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


class Texts:
    """The training texts as places in ``pieces``, the sorted numbers of all pieces that occur."""

    def __init__(self, file: E5File, texts: Sequence[str]) -> None:
        tokenizer = Tokenizer(file.pieces())
        numbers = [tokenizer.numbers(normalise(text), PIECES_MAX) for text in texts]
        self.pieces = sorted({number for text in numbers for number in text})
        place = {number: at for at, number in enumerate(self.pieces)}
        self.rows = [[place[number] for number in text] for text in numbers]


def batches(rows: Sequence[Sequence[int]], size: int) -> Iterator[list[int]]:
    """Yield places of rows of equal length, at most ``size`` together; nothing has to be padded."""
    waiting: dict[int, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        waiting[len(row)].append(place)
        if len(waiting[len(row)]) == size:
            yield waiting.pop(len(row))
    yield from waiting.values()


def tune(
    network: Tuned,
    rows: Sequence[list[int]],
    labels: np.ndarray,
    rounds: Sequence[np.ndarray],
    options: argparse.Namespace,
) -> None:
    """Learn from those of ``rows`` whose places each of ``rounds`` names; intents weigh the same in sum."""
    dice = np.random.default_rng(options.seed)
    read = np.concatenate(rounds)
    counts = np.bincount(labels[read])
    worth = torch.from_numpy((len(read) / (len(counts) * counts)).astype(np.float32))
    learnt = [value for value in network.parameters() if value.requires_grad]
    solver = torch.optim.AdamW(learnt, lr=options.rate, weight_decay=0.01)
    steps = len(read) // _BATCH + len(rounds)
    warm = min(200, steps // 10 + 1)
    planned = torch.optim.lr_scheduler.LambdaLR(
        solver, lambda step: min(step / warm, max(0.02, 0.5 + 0.5 * np.cos(np.pi * min(1, step / steps))))
    )
    network.train()
    start, losses = time.monotonic(), []
    for places in rounds:
        order = dice.permutation(places)
        worn = [_worn(rows[place], dice) for place in order]
        parts = list(batches(worn, _BATCH))
        for at in dice.permutation(len(parts)):
            truth = torch.from_numpy(labels[order[parts[at]]])
            scores = network(torch.tensor([worn[place] for place in parts[at]]))
            loss = (functional.cross_entropy(scores, truth, reduction="none") * worth[truth]).sum() / _BATCH
            solver.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learnt, 1.0)
            solver.step()
            planned.step()
            losses.append(loss.item())
            if len(losses) % 100 == 0:
                _say(len(losses), steps, float(np.mean(losses[-100:])), time.monotonic() - start)


def _say(done: int, steps: int, loss: float, passed_s: float) -> None:
    left_s = passed_s / done * max(0, steps - done)
    print(
        f"{done} of some {steps} steps, loss {loss:.3f}, {passed_s:.0f} s, some {left_s / 60:.0f} min left",
        flush=True,
    )


def _worn(row: list[int], dice: np.random.Generator) -> list[int]:
    kept = [piece for piece in row[1:-1] if dice.random() > _FORGOTTEN]
    return [row[0], *(kept or row[1:-1]), row[-1]]


def scored(network: Tuned, rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Return the scores of ``rows``, (rows, intents)."""
    network.eval()
    found = np.zeros((len(rows), network.head.out_features), np.float32)
    with torch.no_grad():
        for places in batches(rows, _BATCH):
            found[places] = network(torch.tensor([rows[place] for place in places])).numpy()
    return found


def fifth(labels: np.ndarray, number: int) -> np.ndarray:
    """Return the places of one of five equal parts, in each of which intents are equally frequent."""
    parts = StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(labels, labels)
    return [fresh for _, fresh in parts][number]


def main() -> None:
    options = parse()
    torch.manual_seed(options.seed)
    file = E5File(packaged())
    utterances = read_utterances(sorted((ROOT / "nlu" / "data").glob("*.yml")))
    intents = sorted(utterances)
    said = [text for intent in utterances for text in utterances[intent]]
    labels = np.array([intents.index(intent) for intent in utterances for _ in utterances[intent]])
    fresh = np.array([], int) if options.fold is None else fifth(labels, options.fold)
    known = np.setdiff1d(np.arange(len(said)), fresh)
    share = round(options.joined * len(known))
    two = joined(
        [said[place] for place in known],
        [intents[labels[place]] for place in known],
        share * options.rounds,
        np.random.default_rng(options.seed),
    )
    texts = Texts(file, [*said, *(text for text, _ in two)])
    truth = np.concatenate([labels, np.array([intents.index(intent) for _, intent in two], int)])
    own = len(said) + share * np.arange(options.rounds)
    rounds = [np.concatenate([known, np.arange(start, start + share)]) for start in own]
    network = Tuned(file, texts.pieces, options.layers, options.rank, intents)
    tune(network, texts.rows, truth, rounds, options)
    network.differences().save(options.out)
    _compare(network, texts, said, Differences.load(options.out))
    if options.fold is not None:
        scores = scored(network, [texts.rows[place] for place in fresh])
        print(f"{np.mean(scores.argmax(axis=1) == labels[fresh]):.4f} of the {len(fresh)} left out are read rightly")
        np.savez(options.scores, intents=np.array(intents), places=fresh, scores=scores)


def _compare(network: Tuned, texts: Texts, said: Sequence[str], written: Differences) -> None:
    """Hold what serves to what was tuned: half floats and another library may change the last digits only."""
    some = range(0, len(said), max(1, len(said) // 200))
    served = Reader.of(written).scores([said[place] for place in some])
    furthest = np.abs(served - scored(network, [texts.rows[place] for place in some])).max()
    print(f"scores of {len(some)} texts as they will be served differ by {furthest:.3f} at most")
    if furthest > _DIFFERENCE_MAX:
        sys.exit("what was written does not read as what was tuned")


if __name__ == "__main__":
    main()
