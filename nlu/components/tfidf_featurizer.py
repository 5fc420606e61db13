"""Sparse sentence features by tf-idf over n-grams of characters (as written) or of fuzzy syllables (as heard)."""

import json
from abc import abstractmethod

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.sparse_featurizer.sparse_featurizer import SparseFeaturizer
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components.ngrams import char_ngrams, sound_ngrams
from nlu.components.tfidf import Vocabulary

_VOCABULARY_FILE = "vocabulary.json"


class _TfidfFeaturizer(SparseFeaturizer, GraphComponent):
    """Learns a vocabulary with its inverse document frequencies; a message becomes one row of unit length x scale."""

    def __init__(
        self,
        config: dict[str, object],
        name: str,
        model_storage: ModelStorage,
        resource: Resource,
        vocabulary: Vocabulary | None = None,
    ) -> None:
        super().__init__(name, {**self.get_default_config(), **config})
        self._model_storage = model_storage
        self._resource = resource
        self._vocabulary = vocabulary or Vocabulary([])

    @staticmethod
    def get_default_config() -> dict[str, object]:
        """``scale`` multiplies the unit vector; n-grams go up to ``longest``; ``min_texts`` drops rare ones."""
        return {**SparseFeaturizer.get_default_config(), "scale": 4.0, "longest": 3, "min_texts": 1}

    @classmethod
    def validate_config(cls, config: dict[str, object]) -> None:
        longest, scale = config.get("longest"), config.get("scale")
        if longest is not None and not (isinstance(longest, int) and 1 <= longest <= 6):
            raise InvalidConfigException(f"{cls.__name__}: longest must be a whole number from 1 to 6")
        if scale is not None and not (isinstance(scale, int | float) and scale > 0):
            raise InvalidConfigException(f"{cls.__name__}: scale must be a number above 0")

    @classmethod
    def create(
        cls,
        config: dict[str, object],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "_TfidfFeaturizer":
        return cls(config, execution_context.node_name, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, object],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **_: object,
    ) -> "_TfidfFeaturizer":
        with model_storage.read_from(resource) as folder:
            stored = json.loads((folder / _VOCABULARY_FILE).read_text(encoding="utf-8"))
        return cls(config, execution_context.node_name, model_storage, resource, Vocabulary(stored))

    @abstractmethod
    def grams(self, text: str) -> list[str]:
        """Return the n-grams of ``text`` with repetitions."""

    def train(self, training_data: TrainingData) -> Resource:
        """Learn the vocabulary from the training texts; columns are in sorted order, so that runs are equal."""
        texts = [self.grams(message.get(TEXT)) for message in training_data.training_examples if message.get(TEXT)]
        self._vocabulary = Vocabulary.learn(texts, self._config["min_texts"])
        with self._model_storage.write_to(self._resource) as folder:
            stored = json.dumps(self._vocabulary.weighted_grams, ensure_ascii=False)
            (folder / _VOCABULARY_FILE).write_text(stored, encoding="utf-8")
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            if text := message.get(TEXT):
                row = self._vocabulary.row(self.grams(text), self._config["scale"])
                self.add_features_to_message(None, row, TEXT, message)
        return messages


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class CharFeaturizer(_TfidfFeaturizer):
    """Character n-grams: what was written."""

    def grams(self, text: str) -> list[str]:
        return char_ngrams(text, self._config["longest"])


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class PinyinFeaturizer(_TfidfFeaturizer):
    """Fuzzy-syllable n-grams: what was said, however speech recognition or a keyboard spelt it."""

    @staticmethod
    def required_packages() -> list[str]:
        return ["pypinyin"]

    def grams(self, text: str) -> list[str]:
        return sound_ngrams(text, self._config["longest"])
