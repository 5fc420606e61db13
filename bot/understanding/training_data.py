"""Utterances by intent in Rasa's YAML, read and written."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from bot.understanding.errors import TrainingDataInvalid

_HEAD = 'version: "3.1"\n\nnlu:\n'


def read_utterances(paths: Iterable[Path]) -> dict[str, list[str]]:
    """Return the utterances of all files by intent, in their order. Raises TrainingDataInvalid naming the file."""
    found: dict[str, list[str]] = {}
    for path in paths:
        for intent, texts in _blocks(path):
            found.setdefault(intent, []).extend(texts)
    return found


def _blocks(path: Path) -> Iterator[tuple[str, list[str]]]:
    try:
        # The loader in C: a tenth of a second for tens of thousands of lines, several seconds in Python.
        blocks = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["nlu"]
        for block in blocks:
            lines = block["examples"].splitlines()
            odd = next((number for number, line in enumerate(lines, 1) if not line.startswith("- ")), None)
            if odd is not None:
                raise TrainingDataInvalid(file=path.name, problem=f"example {odd} does not begin with '- '")
            yield block["intent"], [line.removeprefix("- ") for line in lines]
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as fault:
        raise TrainingDataInvalid(
            file=path.name, problem=f"is not Rasa's YAML of intents and examples: {fault}"
        ) from fault


def utterances_yaml(comment: str, utterances: Mapping[str, Sequence[str]]) -> str:
    """Return a file that ``read_utterances`` reads back; each text must be one line without markup."""
    blocks = (
        f"- intent: {intent}\n  examples: |\n" + "".join(f"    - {text}\n" for text in texts)
        for intent, texts in utterances.items()
        if texts
    )
    return f"# {comment}\n{_HEAD}" + "\n".join(blocks)
