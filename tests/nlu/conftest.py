"""The real NLU with the current model, and what it prints."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.nlu import is_ready, running_nlu


@dataclass(frozen=True)
class RealNlu:
    """A served model: its address, and the file that gets its output."""

    url: str
    output: Path


@pytest.fixture(scope="session")
def real_nlu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealNlu]:
    """The NLU server with the current model; one for the whole run."""
    if not is_ready():
        pytest.skip("no trained NLU model: `make nlu` prepares it")
    output = tmp_path_factory.mktemp("nlu") / "output.txt"
    with output.open("wb") as sink, running_nlu(sink) as url:
        yield RealNlu(url, output)
