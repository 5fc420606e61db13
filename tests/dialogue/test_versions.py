"""A new version of the flow files while people are inside: nobody is lost, nothing is asked twice."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.dialogue.catalog import FlowCatalog
from bot.dialogue.loader import load_catalog
from bot.dialogue.models import Said
from tests.dialogue.bare import BareConversation
from tests.dialogue.conftest import copy_flows

Release = Callable[[str, str], FlowCatalog]


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """Makes a catalogue in which a piece of the test's flow file is replaced."""

    def make(old: str, new: str) -> FlowCatalog:
        directory = copy_flows(tmp_path / "flows")
        file = directory / "trips.yml"
        text = file.read_text()
        assert text.count(old) == 1, "the piece to replace stands there once"
        file.write_text(text.replace(old, new))
        return load_catalog(directory)

    return make


@pytest.fixture
def conversation(new_conversation: Callable[[], BareConversation]) -> BareConversation:
    """A follower whose grade is asked for, after name and school."""
    started = new_conversation()
    for text in ("报名活动", "同意", "杨小芳", "铜仁学院"):
        say(started, text)
    return started


def say(conversation: BareConversation, text: str) -> list[str]:
    """Say something and return what the bot says."""
    return [reply.text for reply in conversation.turn(Said(text, conversation.clock.now().date()), None)]


def test_a_step_added_before_changes_nothing_for_those_behind_it(
    conversation: BareConversation, release: Release
) -> None:
    conversation.deploy(
        release("      - collect: trip_school\n", "      - collect: trip_leader\n      - collect: trip_school\n")
    )
    assert say(conversation, "大二")[-1].endswith("学什么专业？")
    assert conversation.state.slots["trip_grade"] == "2"


def test_a_renamed_step_still_asks_the_same(conversation: BareConversation, release: Release) -> None:
    conversation.deploy(
        release("      - collect: trip_grade\n", "      - id: which_grade\n        collect: trip_grade\n")
    )
    assert say(conversation, "大二")[-1].endswith("学什么专业？")
    assert [frame.step for frame in conversation.state.frames] == ["collect_trip_major"]


def test_a_question_that_is_gone_moves_to_the_next_without_an_answer(
    conversation: BareConversation, release: Release
) -> None:
    conversation.deploy(release("      - collect: trip_grade\n", ""))
    replies = say(conversation, "大二")
    assert "刚更新过" in replies[0]
    assert replies[-1].endswith("(3/9)学什么专业？")
    assert conversation.state.slots["trip_school"] == "铜仁学院"
    assert "trip_major" not in conversation.state.slots, "the answer to another question is not taken for this one"
    assert say(conversation, "护理")[-1].endswith("一共几个人？")


def test_an_earlier_question_that_is_new_is_asked_once_when_the_open_one_is_gone(
    conversation: BareConversation, release: Release
) -> None:
    old = "      - collect: trip_school\n      - collect: trip_grade\n"
    conversation.deploy(release(old, "      - collect: trip_leader\n      - collect: trip_school\n"))
    assert say(conversation, "大二")[-1].endswith("领队是谁？")
    assert say(conversation, "罗海")[-1].endswith("学什么专业？")


def test_a_flow_that_is_gone_lets_go(conversation: BareConversation, release: Release) -> None:
    text = (Path(__file__).parent / "flows" / "trips.yml").read_text()
    flow = text[text.index("  join_trip:") : text.index("  give_consent:")]
    conversation.deploy(release(flow, ""))
    assert any("停办" in reply for reply in say(conversation, "大二"))
    assert not conversation.state.frames


def test_a_draft_is_migrated_when_it_is_taken_up(conversation: BareConversation, release: Release) -> None:
    say(conversation, "取消")
    say(conversation, "先存着")
    conversation.deploy(release("      - collect: trip_grade\n", ""))
    say(conversation, "报名活动")
    assert say(conversation, "接着填")[-1].endswith("学什么专业？")
    assert conversation.state.slots["trip_name"] == "杨小芳"


def test_back_still_works_after_a_release(conversation: BareConversation, release: Release) -> None:
    conversation.deploy(release("      - collect: trip_major\n", ""))
    assert say(conversation, "返回")[-1].endswith("哪个学校？")


def test_the_same_files_have_the_same_version(catalog: FlowCatalog, flow_directory: Path) -> None:
    again = load_catalog(flow_directory)
    assert {flow.version for flow in again.flows.values()} == {flow.version for flow in catalog.flows.values()}
