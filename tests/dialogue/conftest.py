"""The made-up service of ``tests/dialogue/flows`` with the real texts of the patterns and of problems."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from bot.dialogue.catalog import FlowCatalog
from bot.dialogue.events import Event, OfferOptions, Option, Say, SetSlots
from bot.dialogue.loader import load_catalog
from bot.dialogue.models import EngineSettings
from bot.values.clock import MovedClock
from tests.dialogue.bare import BareConversation

HERE = Path(__file__).parent
SHARED_FLOWS = HERE.parent.parent / "flows"

ACTIONS: Mapping[str, Sequence[Event]] = {
    "action_hold_place": [Say("utter_trip_held"), SetSlots({"trip_held": True})],
    "action_release_place": [],
    "action_ask_trip_site": [OfferOptions((Option("s1", "南门"), Option("s2", "工会驿站")))],
    "validate_trip_site": [],
    "action_submit_trip": [SetSlots({"trip_receipt": "HD26-0001"}), Say("utter_trip_done", {"name": "杨小芳"})],
    "action_answer_question": [Say("utter_answer", {"answer": "不收费"})],
    "action_check_status": [Say("utter_status")],
}


def copy_flows(target: Path) -> Path:
    """Put the test's flows beside the shared texts into ``target`` and return it."""
    target.mkdir(parents=True, exist_ok=True)
    for source in (
        *sorted((HERE / "flows").glob("*.yml")),
        SHARED_FLOWS / "patterns.yml",
        SHARED_FLOWS / "values.yml",
    ):
        shutil.copy(source, target)
    return target


@pytest.fixture(scope="session")
def flow_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the flows of these tests; not to be changed."""
    return copy_flows(tmp_path_factory.mktemp("demo") / "flows")


@pytest.fixture(scope="session")
def catalog(flow_directory: Path) -> FlowCatalog:
    """The catalogue of these tests."""
    return load_catalog(flow_directory)


@pytest.fixture
def new_conversation(catalog: FlowCatalog, clock: MovedClock) -> Callable[..., BareConversation]:
    """Makes conversations with the bare engine and the scripted actions."""

    def make(settings: EngineSettings | None = None) -> BareConversation:
        return BareConversation(catalog, clock, ACTIONS, settings)

    return make
