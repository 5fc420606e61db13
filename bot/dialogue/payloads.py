"""The ids of tappable choices. A tap carries one back; it is a hint, never a permission."""

from typing import Final

FLOW_PAYLOAD: Final = "/flow:"
"""``/flow:<flow>`` starts a flow."""
WORD_PAYLOAD: Final = "/word:"
"""``/word:<text>`` is as if the worker had written the text."""
CHOICE_PAYLOAD: Final = "/choice:"
"""``/choice:<value>`` answers a question of the engine itself."""
ANSWER_PAYLOAD: Final = "/answer:"
"""``/answer:<slot>:<value>`` answers the question of a slot, also when it was asked some time ago."""
INTENT_PAYLOAD: Final = "/intent:"
"""``/intent:<intent>`` says what an unclear message had meant."""
FIELD_PAYLOAD: Final = "/field:"
"""``/field:<slot>`` asks an answered question again."""
SUBMIT_PAYLOAD: Final = "/submit"
"""Confirms a review screen."""
