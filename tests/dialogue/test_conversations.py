"""Every conversation of ``cases/*.yml`` against the bare engine."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.dialogue.catalog import FlowCatalog
from tests.dialogue.bare import BareConversation
from tests.support.conversations import Case, load_directory, run_case

CASES = load_directory(Path(__file__).parent / "cases")


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_conversation(
    case: Case, catalog: FlowCatalog, new_conversation: Callable[[], BareConversation]
) -> None:
    await run_case(case, new_conversation(), catalog)
