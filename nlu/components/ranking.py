"""How a component tells what a message may mean."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from rasa.shared.nlu.training_data.message import Message


def tell(message: Message, intents: Sequence[str], likely: npt.NDArray[np.floating], model_id: str) -> None:
    """Set ``intent``, ``intent_ranking`` (all intents, likeliest first) and ``model_id``, the name of the weights."""
    order = np.argsort(-likely, kind="stable")
    ranking = [{"name": intents[place], "confidence": float(likely[place])} for place in order]
    message.set("intent", ranking[0], add_to_output=True)
    message.set("intent_ranking", ranking, add_to_output=True)
    message.set("model_id", model_id, add_to_output=True)
