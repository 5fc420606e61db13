"""The checker finds every fault, says where it is, and is silent about what is right."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.dialogue.checker import Known, check_directory
from bot.dialogue.errors import FlowsFaulty
from bot.dialogue.loader import load_catalog
from bot.dialogue.standard_validators import standard_validators
from tests.dialogue.conftest import ACTIONS, copy_flows

KNOWN = Known(
    actions=frozenset(ACTIONS),
    intents=("join_trip", "book_check", "tell_story", "faq_fee", "faq_place", "check_status", "ask_deep"),
    validators=standard_validators(),
)

Check = Callable[..., list[str]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Checks the test's flows with one more file."""

    def run(extra: str, sources: dict[str, str] | None = None) -> list[str]:
        directory = copy_flows(tmp_path / "flows")
        (directory / "extra.yml").write_text(extra)
        known = Known(KNOWN.actions, KNOWN.intents, KNOWN.validators, sources or {})
        return [str(fault) for fault in check_directory(directory, known)]

    return run


def test_the_flows_of_the_tests_are_right(flow_directory: Path) -> None:
    assert [str(fault) for fault in check_directory(flow_directory, KNOWN)] == []


def one_step(step: str) -> str:
    """Return a flow file with one flow of one step."""
    return f"flows:\n  extra:\n    name: x\n    description: x\n    steps:\n      - {step}\n"


@pytest.mark.parametrize(
    ("extra", "fault"),
    [
        (one_step("collect: trip_nmae"), "steps.collect_trip_nmae: no slot 'trip_nmae'; did you mean 'trip_name'?"),
        (one_step("collect: trip_held"), "slots.trip_held.label: is missing; extra shows it"),
        (one_step("action: action_hold"), "no action 'action_hold'; did you mean 'action_hold_place'?"),
        (one_step("action: utter_nothing"), "no response 'utter_nothing'"),
        (one_step("call: give_consnet"), "no flow 'give_consnet'; did you mean 'give_consent'?"),
        (one_step("link: nowhere"), "no flow 'nowhere'"),
        (one_step("set_slots: [{nothing: 1}]"), "no slot 'nothing'"),
        (one_step("review: {slots: [nothing]}"), "no slot 'nothing'"),
        (one_step("review: {}"), "flows.extra.steps[0].review.slots: needs at least one slot"),
        (one_step("{collect: trip_name, utter: utter_missing}"), "the question has no text"),
        (one_step("{collect: trip_name, optonal: true}"), "no key 'optonal'; did you mean 'optional'?"),
        (one_step("{collect: trip_name, action: utter_thank}"), "a step has exactly one of"),
        (one_step("{noop: true, next: nowhere}"), "flows.extra.steps[0].next: no step 'nowhere'"),
        (one_step("{noop: true, next: [{if: trip_held, then: END}]}"), "the last branch must be else"),
        (one_step("{noop: true, next: [{if: 'a >', then: END}, {else: END}]}"), "a value is missing at character 3"),
        (one_step("{noop: true, next: [{if: slots.nothing, then: END}, {else: END}]}"), "no slot 'nothing'"),
        (one_step("{collect: trip_name, rejections: [{if: slots.x, utter: utter_y}]}"), "no slot 'x'"),
        (one_step("{id: a, noop: true, next: a}"), "flows.extra.steps.a: is in a loop without a question in it"),
        (one_step("call: extra"), "flows.extra: calls itself"),
        (one_step("link: extra"), "links back to itself without a question"),
        (one_step("{id: a, noop: true, next: END}\n      - noop: true"), ".steps.noop: no path leads to this step"),
        (one_step("{id: a, noop: true}\n      - {id: a, noop: true}"), "the id 'a' is there twice"),
        ("flows:\n  Extra: {description: x, steps: [{noop: true}]}", "a flow's id is lower_snake_case"),
        ("flows:\n  extra: {description: x}", "flows.extra.steps: needs at least one step"),
        ("flows:\n  extra: {description: x, steps: [{noop: true}], if: 'slots.'}", "flows.extra.if:"),
        ("flows:\n  extra: {steps: [{noop: true}], nlu_trigger: [{intent: nope}]}", "no intent 'nope'"),
        ("flows:\n  extra: {steps: [{noop: true}], nlu_trigger: [{intent: faq_fee}]}", "'faq_fee' already starts"),
        ("flows:\n  extra: {steps: [{noop: true}], event_trigger: [{event: nope}]}", "no event 'nope'"),
        ("flows:\n  extra: {steps: [{noop: true}], keywords: [查进度。]}", "the keyword '查进度' already starts"),
        ("flows:\n  extra: {steps: [{noop: true}], keywords: [人工]}", "'人工' is the command person"),
        ("flows:\n  extra: {steps: [{noop: true}], persisted_slots: [nope]}", "no slot 'nope'"),
        ("flows:\n  extra: {steps: [{noop: true}], on_cancel: nope}", "no action 'nope'"),
        ("flows:\n  join_trip: {steps: [{noop: true}]}", "is already in flows/"),
        ("slots:\n  trip_name: {type: text}", "is already in flows/"),
        ("slots:\n  a: {type: txet}", "slots.a.type: no type 'txet'; did you mean 'text'?"),
        ("slots:\n  a: {validator: mobil}", "no validator 'mobil'; did you mean 'mobile'?"),
        ("slots:\n  a: {validator: text, limits: {max_cahrs: 3}}", "no limit 'max_cahrs'; did you mean 'max_chars'?"),
        ("slots:\n  a: {limits: {max_chars: many}}", "expected a number"),
        ("slots:\n  a: {also_fill: true}", "text cannot be found inside a sentence"),
        ("slots:\n  a: {also_fill: maybe}", "expected true, false or rest"),
        ("slots:\n  a: {depends_on: [nope]}", "no slot 'nope'"),
        ("slots:\n  a: {depends_on: [b]}\n  b: {depends_on: [a]}", "depends on itself"),
        ("slots:\n  a: {options: [{label: x}]}", "slots.a.options[0].value: is missing"),
        ("slots:\n  a: {options: [x, x]}", "the value 'x' is there twice"),
        ("slots:\n  a: {type: bool, options: [x]}", 'have the values "true" and "false"'),
        (one_step("collect: a") + "slots:\n  a: {type: categorical, label: x}", "no action_ask_a gives them"),
        ("responses:\n  Utter: [{text: x}]", "a key is utter_<name>"),
        ("responses:\n  utter_x: []", "needs a list with at least one text"),
        ("responses:\n  utter_x: [{text: x, condition: slots.flag}]", "needs one variant without a condition"),
        ("responses:\n  utter_x: [{text: x}, {text: y, condition: slots.nope}]", "no slot 'nope'"),
        ("responses:\n  utter_x: [{text: 'a {b'}]", "an open brace without a name"),
        ("responses:\n  utter_x: [{text: x, buttons: [{title: y, payload: z}]}]", "expected /flow:<flow> or /wo"),
        ("responses:\n  utter_x: [{text: x, buttons: [{title: y, payload: '/flow:nope'}]}]", "no flow 'nope'"),
        ("responses:\n  utter_x: [{text: x, buttons: [{title: y, payload: '/choice:keep'}]}]", "no choice 'keep'"),
        ("responses:\n  utter_thank: [{text: x}]", "is already in flows/"),
        (one_step("action: utter_x") + "responses:\n  utter_x: [{text: '{nope}'}]", "{nope}: no slot 'nope'"),
        ("words:\n  cancle: [x]", "no key 'cancle'; did you mean 'cancel'?"),
        ("words:\n  cancel: [1]", "expected a text, found a number; write it in quotes"),
        ("flows: 3", "flows: expected a mapping, found a number"),
        ("nonsense: 3", "no key 'nonsense'"),
        ("flows:\n  a: {}\n  a: {}", "is not valid YAML: line 3: the key 'a' is there twice"),
        ("flows: [", "is not valid YAML"),
    ],
)  # fmt: skip
def test_a_fault_is_found_and_placed(extra: str, fault: str, check: Check) -> None:
    faults = [found for found in check(extra) if "warning" not in found]
    assert any(fault in found for found in faults), faults
    assert all(found.startswith("flows/") for found in faults)


def test_every_fault_of_all_files_is_listed(check: Check) -> None:
    faults = check(one_step("collect: nope_one\n      - action: nope_two\n      - call: nope_three"))
    assert [name for name in ("nope_one", "nope_two", "nope_three") if any(name in fault for fault in faults)] == [
        "nope_one", "nope_two", "nope_three",
    ]  # fmt: skip


def test_what_nothing_uses_is_warned_about(check: Check) -> None:
    extra = "slots:\n  idle: {type: text}\nresponses:\n  utter_idle: [{text: x}]\n  utter_faq_fee: [{text: x}]"
    faults = check(extra, {"trip_receipt": "a.py", "trip_held": "a.py", "utter_trip_held": "a.py"})
    assert "flows/extra.yml: slots.idle: warning: nothing uses it" in faults
    assert "flows/extra.yml: responses.utter_idle: warning: nothing says it" in faults
    assert not any("utter_faq_fee" in fault or "trip_held" in fault for fault in faults)


def test_a_text_that_only_code_names_must_exist(check: Check) -> None:
    assert "actions/x.py: utter_trip_hled: no response 'utter_trip_hled'; did you mean 'utter_trip_held'?" in check(
        "", {"utter_trip_hled": "actions/x.py"}
    )


def test_a_long_text_is_a_warning(check: Check) -> None:
    faults = check(f"responses:\n  utter_long: [{{text: {'长' * 121}}}]")
    assert "flows/extra.yml: responses.utter_long[0].text: warning: 121 characters, 120 is the aim" in faults


def test_a_missing_pattern_is_a_fault(tmp_path: Path) -> None:
    directory = copy_flows(tmp_path / "flows")
    patterns = directory / "patterns.yml"
    patterns.write_text(patterns.read_text().replace("utter_pattern_noted", "utter_pattern_other"))
    assert any("utter_pattern_noted: is missing" in str(fault) for fault in check_directory(directory, KNOWN))


def test_an_empty_directory_is_a_fault(tmp_path: Path) -> None:
    assert any("holds no *.yml file" in str(fault) for fault in check_directory(tmp_path, KNOWN))


def test_faulty_files_are_not_loaded(tmp_path: Path) -> None:
    directory = copy_flows(tmp_path / "flows")
    (directory / "extra.yml").write_text("flows: 3")
    with pytest.raises(FlowsFaulty) as caught:
        load_catalog(directory)
    assert caught.value.fields == {"first": "flows/extra.yml: flows: expected a mapping, found a number", "count": 1}


def test_steps_in_branches_go_on_after_the_branch(tmp_path: Path) -> None:
    directory = copy_flows(tmp_path / "flows")
    (directory / "extra.yml").write_text(
        """
flows:
  extra:
    description: x
    steps:
      - collect: trip_name
        next:
          - if: slots.trip_held
            then:
              - action: utter_thank
              - action: utter_greet
          - else:
              - action: utter_affirm
                next: END
      - action: utter_deny
"""
    )
    steps = load_catalog(directory).flows["extra"].steps
    targets = {name: [branch.target for branch in step.next] for name, step in steps.items()}
    assert targets == {
        "collect_trip_name": ["action_utter_thank", "action_utter_affirm"],
        "action_utter_thank": ["action_utter_greet"],
        "action_utter_greet": ["action_utter_deny"],
        "action_utter_affirm": [None],
        "action_utter_deny": [None],
    }
