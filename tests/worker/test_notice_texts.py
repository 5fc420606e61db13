"""Every notice about a registration has its text, and nothing in it stays open."""

from pathlib import Path

import pytest

from bot.dialogue.loader import load_catalog
from bot.dialogue.outcomes import Spoken
from bot.dialogue.render import Renderer
from bot.registrations.statuses import CORRECTIONS
from bot.worker.registrations import TEXTS

FLOWS = Path(__file__).parents[2] / "flows"
FIELDS = {"title": "健康筛查", "receipt": "JK26-0620-0001", "when": "6月20日（周六）8:30"}


@pytest.mark.parametrize("kind", TEXTS)
def test_every_notice_names_the_receipt_and_fills_its_text(kind: str) -> None:
    [message] = Renderer(load_catalog(FLOWS)).render([Spoken(TEXTS[kind], FIELDS)])
    assert FIELDS["receipt"] in message.text
    assert "{" not in message.text


def test_a_moved_slot_is_announced_with_its_time() -> None:
    [message] = Renderer(load_catalog(FLOWS)).render([Spoken(TEXTS["slot_moved"], FIELDS)])
    assert FIELDS["when"] in message.text


def test_every_correction_has_its_text() -> None:
    assert {f"corrected_{back}" for _, back in CORRECTIONS} == {
        kind for kind in TEXTS if kind.startswith("corrected_")
    }
