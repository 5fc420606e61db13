"""What an answer takes from several sites."""

import pytest

from actions.knowledge import NEXT_STEPS, in_common
from bot.dialogue.loader import load_catalog
from bot.knowledge.checks import NEXT_STEPS as ALLOWED
from bot.settings import load_settings


@pytest.mark.parametrize(
    ("texts", "shared"),
    [
        ([], ""),
        (["避开月经期，带身份证。"], "避开月经期，带身份证。"),
        (["避开月经期，穿好穿脱的衣服，带身份证。", "带身份证；避开月经期。"], "避开月经期，带身份证。"),
        (["空腹。", "带身份证。"], ""),
        (["空腹。", ""], ""),
    ],
)
def test_only_what_all_sites_ask_for_is_said(texts: list[str], shared: str) -> None:
    assert in_common(texts) == shared


def test_every_next_step_leads_somewhere() -> None:
    flows = load_catalog(load_settings({}, env_file=None).flows_dir).flows
    assert NEXT_STEPS.keys() == ALLOWED - {"none"}
    assert [step.next_flow for step in NEXT_STEPS.values() if step.next_flow and step.next_flow not in flows] == []
