"""What people read when something about a campaign is not accepted."""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from bot.values.problem import FieldValue

TEXTS_FILE = Path(__file__).with_name("texts.yml")


@cache
def _texts() -> Mapping[str, str]:
    return {
        str(code): str(text)
        for code, text in yaml.load(TEXTS_FILE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader).items()
    }


def text_of(code: str, fields: Mapping[str, FieldValue]) -> str:
    """Return the sentence of a problem or an error; the code itself for one without a sentence."""
    # A field that is left out becomes a gap rather than no sentence at all.
    return _texts().get(code, code).format_map(defaultdict(str, fields))
