"""A Rasa agent that parses by the components of its model directly, several texts at a time.

Rasa runs each parse through a task scheduler and compares it with a domain that it builds anew; that costs as much as
the parse itself. The answers are the same, and a model whose graph is not a plain chain is run by Rasa as ever.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.core.processor import MessageProcessor
from rasa.shared.nlu.training_data.message import Message

from nlu.serving.batching import Batcher

Parsed = dict[str, object]
_LARGEST_BATCH = 16
_INPUT = "__message__"
_TRIAL = "你好"


class QuickAgent(Agent):
    """Rasa's agent with another ``parse_message``."""

    def __init__(self, model: Path) -> None:
        """Load ``model`` and try it once; raises what Rasa or the model raises about a broken archive."""
        super().__init__()
        self.load_model(model)
        steps = _chain(self.processor)
        _parse(steps, [_TRIAL])
        self._batcher = Batcher(lambda texts: _parse(steps, texts), _LARGEST_BATCH) if steps else None

    async def parse_message(self, message_data: str) -> Parsed:
        """Return what Rasa's agent returns for the text."""
        if self._batcher is None or not isinstance(message_data, str):
            return await super().parse_message(message_data)
        return await self._batcher.ask(message_data)


Step = Callable[[list[object]], list[object]]


def _chain(processor: MessageProcessor) -> list[Step]:
    """Return the steps from a user's message to the parsed one, or nothing when they are no plain chain.

    They stand in private attributes; Rasa is pinned, and a test compares the answers with those of its own server.
    """
    runner, name = processor.graph_runner, processor.model_metadata.nlu_target
    steps: list[Step] = []
    while name != _INPUT:
        node = runner._graph_schema.nodes.get(name)
        if node is None or list(node.needs) != ["messages"]:
            return []
        component = runner._instantiated_nodes[name]._component
        steps.insert(0, getattr(component, node.fn))
        name = node.needs["messages"]
    return steps


def _parse(steps: Sequence[Step], texts: Sequence[str]) -> list[Parsed]:
    messages: list[object] = [UserMessage(text) for text in texts]
    for step in steps:
        messages = step(messages)
    return [_answer(message) for message in messages]


def _answer(message: Message) -> Parsed:
    nothing: Parsed = {"text": "", "intent": {"name": None, "confidence": 0.0}, "entities": []}
    return nothing | message.as_dict(only_output_properties=True)
