"""How far a form is, where a branch leads back."""

from pathlib import Path

from bot.dialogue.loader import load_catalog
from bot.dialogue.progress import Route
from tests.dialogue.conftest import copy_flows

FORM = """
flows:
  looped:
    name: 来回
    description: A form whose second question can lead back to the first.
    keeps_draft: true
    steps:
      - collect: looped_number
      - collect: looped_sure
        next:
          - if: slots.looped_sure = "again"
            then:
              - set_slots: [{looped_number: null}, {looped_sure: null}]
                next: collect_looped_number
          - else: onward
      - id: onward
        collect: looped_school
      - collect: looped_major
slots:
  looped_number: {type: text, label: 号码}
  looped_sure: {type: text, label: 对吗}
  looped_school: {type: text, label: 学校}
  looped_major: {type: text, label: 专业}
responses:
  utter_ask_looped_number: [{text: 号码？}]
  utter_ask_looped_sure: [{text: 对吗？}]
  utter_ask_looped_school: [{text: 学校？}]
  utter_ask_looped_major: [{text: 专业？}]
"""


def test_an_undecided_branch_that_leads_back_does_not_hide_the_rest_of_the_form(tmp_path: Path) -> None:
    directory = copy_flows(tmp_path / "flows")
    (directory / "looped.yml").write_text(FORM)
    route = Route(load_catalog(directory))
    ahead = route.ahead((("looped", "collect_looped_number"),), {})
    assert [step.slot for step in ahead] == ["looped_sure", "looped_school", "looped_major"]
