"""Dense sentence features: the vectors of the multilingual universal sentence encoder."""

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components.encoder import memory


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class UseFeaturizer(DenseFeaturizer, GraphComponent):
    """A unit vector of 512 numbers x scale a message; texts seen lately are answered from memory."""

    def __init__(self, config: dict[str, object], name: str) -> None:
        super().__init__(name, {**self.get_default_config(), **config})

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
        scale = np.float32(self._config["scale"])
        for message, vector in zip(told, memory().vectors([message.get(TEXT) for message in told]), strict=True):
            self.add_features_to_message(None, vector[np.newaxis, :] * scale, TEXT, message)
        return messages
