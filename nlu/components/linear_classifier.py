"""The intent classifier: multinomial logistic regression over every sentence feature, with the whole ranking told.

Rasa's own LogisticRegressionClassifier offers no C, takes minutes over this many features and stores the model by
skops; this one keeps plain arrays.
"""

import hashlib
import json
import logging
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix, hstack, vstack

from nlu.components.chances import chances
from nlu.components.ranking import tell
from nlu.components.softmax_regression import fit, prior

_LOG = logging.getLogger(__name__)
_WEIGHTS_FILE = "weights.npz"
_CLASSES_FILE = "classes.json"
Floats = npt.NDArray[np.float32]


class Weights:
    """A trained model: ``dense`` and ``sparse`` are (features, intents), ``intercepts`` (intents,), all 32 bit."""

    def __init__(self, intents: list[str], dense: Floats, sparse: Floats, intercepts: Floats) -> None:
        self.intents = intents
        self.dense = np.ascontiguousarray(dense)
        self.sparse = np.ascontiguousarray(sparse)
        self.intercepts = intercepts
        digest = hashlib.sha256(json.dumps(intents).encode())
        for array in self.arrays().values():
            digest.update(array.tobytes())
        self.model_id = digest.hexdigest()[:12]

    def arrays(self) -> dict[str, Floats]:
        """Return what is stored beside the names of the intents."""
        return {"dense": self.dense, "sparse": self.sparse, "intercepts": self.intercepts}


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class LinearClassifier(IntentClassifier, GraphComponent):
    """Sets ``intent``, ``intent_ranking`` (all intents, likeliest first) and ``model_id`` on each message."""

    def __init__(
        self,
        config: dict[str, object],
        model_storage: ModelStorage,
        resource: Resource,
        weights: Weights | None = None,
    ) -> None:
        self._config = {**self.get_default_config(), **config}
        self._model_storage = model_storage
        self._resource = resource
        self._weights = weights

    @classmethod
    def required_components(cls) -> list[type]:
        return [Featurizer]

    @staticmethod
    def get_default_config() -> dict[str, object]:
        """``C`` is the inverse strength of the penalty; ``max_iter`` bounds the solver's steps.

        Intents count as equally frequent; ``frequent`` says by which factor one is more frequent than the others.
        """
        return {"C": 3.0, "max_iter": 400, "frequent": {}}

    @classmethod
    def validate_config(cls, config: dict[str, object]) -> None:
        strength = config.get("C")
        if strength is not None and not (isinstance(strength, int | float) and strength > 0):
            raise InvalidConfigException("LinearClassifier: C must be a number above 0")
        frequent = config.get("frequent", {})
        if not isinstance(frequent, dict) or not all(
            isinstance(factor, int | float) and factor > 0 for factor in frequent.values()
        ):
            raise InvalidConfigException("LinearClassifier: frequent must give a factor above 0 by intent")

    @classmethod
    def create(
        cls,
        config: dict[str, object],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "LinearClassifier":
        del execution_context  # Rasa passes it by position.
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, object],
        model_storage: ModelStorage,
        resource: Resource,
        **_: object,
    ) -> "LinearClassifier":
        with model_storage.read_from(resource) as folder:
            intents = json.loads((folder / _CLASSES_FILE).read_text(encoding="utf-8"))
            with np.load(folder / _WEIGHTS_FILE, allow_pickle=False) as arrays:
                weights = Weights(intents, arrays["dense"], arrays["sparse"], arrays["intercepts"])
        return cls(config, model_storage, resource, weights)

    def train(self, training_data: TrainingData) -> Resource:
        """Fit on all examples that carry an intent; the same data give the same weights."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        labels = [example.get(INTENT) for example in examples]
        parts = [_Parts.of(example) for example in examples]
        dense = np.vstack([part.dense for part in parts])
        sparse = hstack(
            [vstack(blocks) for blocks in zip(*(part.sparse for part in parts), strict=True)], format="csr"
        )
        _LOG.info("fitting %d intents on %d utterances, %d features", len(set(labels)), *sparse.shape)
        found = fit(dense, sparse, labels, self._config["C"], self._config["max_iter"])
        _LOG.info("fitted in %d steps", found.steps)
        intercepts = found.intercepts + prior(found.classes, self._config["frequent"])
        weights = Weights(found.classes, found.dense, found.sparse, intercepts)
        with self._model_storage.write_to(self._resource) as folder:
            (folder / _CLASSES_FILE).write_text(json.dumps(weights.intents), encoding="utf-8")
            np.savez(folder / _WEIGHTS_FILE, **weights.arrays())
        self._weights = weights
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leave the training data as they are: no later component reads predictions."""
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        told = [message for message in messages if message.get(TEXT)]
        if self._weights is not None and told:
            for message, likely in zip(told, _chances(told, self._weights), strict=True):
                tell(message, self._weights.intents, likely, self._weights.model_id)
        return messages


def _chances(messages: list[Message], weights: Weights) -> npt.NDArray[np.float64]:
    """Return the chances of all intents, (messages, intents)."""
    parts = [_Parts.of(message) for message in messages]
    scores = np.vstack([part.dense for part in parts]) @ weights.dense + weights.intercepts
    for place, part in enumerate(parts):
        start = 0
        for block in part.sparse:
            scores[place] += block.data @ weights.sparse[block.indices + start]
            start += block.shape[1]
    return chances(scores.astype(np.float64))


@dataclass(frozen=True)
class _Parts:
    """A message's sentence features in pipeline order: ``dense`` (1, n) and one row of each sparse featurizer."""

    dense: Floats
    sparse: list[csr_matrix]

    @classmethod
    def of(cls, message: Message) -> "_Parts":
        told = [part for part in message.features if part.type == FEATURE_TYPE_SENTENCE and part.attribute == TEXT]
        dense = [part.features for part in told if not part.is_sparse()]
        sparse = [part.features for part in told if part.is_sparse()]
        return cls(
            np.hstack(dense) if dense else np.zeros((1, 0), np.float32),
            sparse,
        )
