"""The pipeline: only components that work without TensorFlow, which is left out of the environment."""

from pathlib import Path

import pytest
import yaml

from bot.understanding.models import INTENTS
from tests.nlu.texts import NLU

NEEDS_TENSORFLOW = ("DIET", "TED", "ResponseSelector", "UnexpecTED", "LanguageModel", "ConveRT", "Unexpected")


def component_names(config: Path) -> list[str]:
    content = yaml.load(config.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return [row["name"] for row in [*content["pipeline"], *(content["policies"] or [])]]


def faults(names: list[str]) -> list[str]:
    """Return the components that the environment cannot run, or that are not this project's."""
    heavy = [name for name in names if any(word in name for word in NEEDS_TENSORFLOW)]
    foreign = [name for name in names if not name.startswith("nlu.components.") and name not in heavy]
    return heavy + foreign


def test_the_pipeline_needs_no_tensorflow() -> None:
    names = component_names(NLU.parent / "config.yml")
    assert names
    assert faults(names) == []


@pytest.mark.parametrize(
    "name", ["DIETClassifier", "ResponseSelector", "TEDPolicy", "rasa.core.policies.ted_policy.TEDPolicy"]
)
def test_the_check_refuses_what_needs_it(name: str) -> None:
    assert faults([name]) == [name]


def test_every_component_is_there() -> None:
    for name in component_names(NLU.parent / "config.yml"):
        module, _, component = name.rpartition(".")
        source = NLU.parent / Path(*module.split(".")).with_suffix(".py")
        assert f"class {component}(" in source.read_text(encoding="utf-8")


def test_the_lock_is_complete_and_names_no_registry() -> None:
    lines = (NLU / "requirements.lock").read_text(encoding="utf-8").splitlines()
    packages = [line for line in lines if "==" in line]
    hashes = [line for line in lines if line.strip().startswith("--hash=sha256:")]
    assert len(packages) > 100
    assert len(hashes) >= len(packages)
    assert not [line for line in lines if "://" in line or line.startswith("-")]
    assert not [line for line in packages if line.startswith(("tensorflow", "keras", "torch"))]


def test_what_counts_as_more_frequent_is_an_intent() -> None:
    content = yaml.load((NLU.parent / "config.yml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    frequent = {name: factor for row in content["pipeline"] for name, factor in row.get("frequent", {}).items()}
    assert frequent.keys() <= set(INTENTS)
    assert all(factor > 0 for factor in frequent.values())
