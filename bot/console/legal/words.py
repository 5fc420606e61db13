"""The answers of the legal form in the words from which the worker chose them."""

from collections.abc import Iterable, Mapping

from actions.legal import FACT_PREFIX
from bot.console.visit import Visit
from bot.dialogue.catalog import Slot

TIMES = f"{FACT_PREFIX}times"
FACT_VALUE = "legal_fact_value"
BETWEEN = "、"


class CaseWords:
    """Reads the options of the form's questions, where alone these words stand."""

    def __init__(self, slots: Mapping[str, Slot]) -> None:
        self._options = {
            name: {option.value: option.label for option in slot.options}
            for name, slot in slots.items()
            if name.startswith(FACT_PREFIX)
        }

    def times(self, codes: Iterable[str]) -> str:
        """Return when somebody wants to be called; a code that is no option any more stands as it is."""
        known = self._options.get(TIMES, {})
        return BETWEEN.join(known.get(code, code) for code in codes)

    def fact(self, visit: Visit, key: str, value: str) -> str:
        """Return the answer to the question ``key``: the words of its options, yes and no, or what was written."""
        known = self._options.get(f"{FACT_PREFIX}{key}", {})
        return BETWEEN.join(known.get(part) or visit.label(part, FACT_VALUE) for part in value.split(BETWEEN))
