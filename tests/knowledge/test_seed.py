"""What the seed says, and how."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.dialogue.loader import load_catalog
from bot.dialogue.outcomes import Spoken
from bot.dialogue.render import Renderer
from bot.knowledge.checks import ANSWER_MAX_CHARS, check_entry
from bot.knowledge.errors import SeedInvalid
from bot.knowledge.models import Entry, EntryStatus
from bot.knowledge.rules import fill, placeholders
from bot.knowledge.seed import read_seed
from bot.knowledge.wording import normalise

SECTION_SIZES = {
    "A": 20,
    "B": 10,
    "C": 13,
    "D": 18,
    "E": 22,
    "F": 16,
    "G": 11,
    "H": 21,
    "I": 14,
    "J": 6,
    "K": 18,
    "L": 10,
}
LEAST_VARIANTS = 12
ADDED = {"A21", "A22", "A23"}
"""Entries beside those of the reference: answered from the programme's rows alone."""
UNCHECKED = {"B05", "B09", "C13", "D12", "E13", "E16", "E17", "E18", "E19", "G06", "I01", "J02", "J06", "L04", "L05"}


def test_all_questions_of_the_reference_are_there(seed: list[Entry]) -> None:
    kept = [entry for entry in seed if entry.code not in ADDED]
    assert len(seed) == len(kept) + len(ADDED)
    assert Counter(entry.code[0] for entry in kept) == SECTION_SIZES
    for section, size in SECTION_SIZES.items():
        codes = [entry.code for entry in kept if entry.code.startswith(section)]
        assert codes == [f"{section}{number:02}" for number in range(1, size + 1)]


def test_what_is_not_checked_yet_is_a_draft_and_says_why(seed: list[Entry]) -> None:
    assert {entry.code for entry in seed if entry.status is EntryStatus.DRAFT} == UNCHECKED
    assert all(("待核实" in entry.note) == (entry.code in UNCHECKED) for entry in seed)


def test_answers_are_short_and_plain(seed: list[Entry]) -> None:
    for entry in seed:
        for text in filter(None, (entry.answer, entry.fallback_answer)):
            assert len(text) <= ANSWER_MAX_CHARS, entry.code
            assert not re.search(r"[,;?!]|您好|很高兴", text), entry.code


def test_every_entry_has_spoken_variants_of_its_own(seed: list[Entry]) -> None:
    said = Counter(normalise(text) for entry in seed for text in (entry.question, *entry.variants))
    assert [entry.code for entry in seed if len(entry.variants) < LEAST_VARIANTS] == []
    assert [text for text, count in said.items() if count > 1] == []


def test_variants_are_of_many_lengths_and_not_from_templates(seed: list[Entry]) -> None:
    for entry in seed:
        lengths = [len(text) for text in entry.variants]
        assert min(lengths) <= 8, entry.code
        assert max(lengths) >= 12, entry.code
    endings = Counter(text[-6:] for entry in seed for text in entry.variants if len(text) > 10)
    assert endings.most_common(1)[0][1] <= 0.01 * sum(endings.values())


def test_law_is_cited_where_law_is_told(seed: list[Entry]) -> None:
    cited = re.compile(r"第\d+|《|最高法|劳社部|劳部发|通知|公开信息")
    assert [entry.code for entry in seed if entry.code[0] in "DEFGHIJKL" and not cited.search(entry.basis)] == []


@pytest.mark.parametrize(
    ("code", "facts"),
    [
        ("D05", ["1个月", "2个月", "6个月", "一次"]),
        ("E12", ["150%", "200%", "300%"]),
        ("F06", ["每满1年1个月工资", "半个月", "12个月"]),
        ("G07", ["12个月", "18个月", "24个月"]),
        ("H12", ["13", "11", "9", "7"]),
        ("I02", ["15天", "42天"]),
        ("K01", ["1年", "在职期间", "离职后1年"]),
        ("K06", ["5天", "45天", "15天"]),
        ("L08", ["110", "12338", "72小时", "24小时"]),
        ("L01", ["2026-07-01", "职业伤害保障", "滴滴货运", "满帮省省"]),
    ],
)
def test_facts_are_those_of_the_reference(seed: list[Entry], code: str, facts: list[str]) -> None:
    (entry,) = [entry for entry in seed if entry.code == code]
    assert [fact for fact in facts if fact not in entry.answer] == []


def test_placeholders_are_filled_or_the_other_answer_is_given(seed: list[Entry]) -> None:
    (entry,) = [entry for entry in seed if entry.code == "A01"]
    assert placeholders(entry.answer) == ("open", "close")
    assert entry.service == "work_study"
    filled = fill(entry, {"open": "7月1日", "close": "7月10日"})
    assert "7月1日至7月10日" in filled
    assert fill(entry, {"open": "7月1日"}) == entry.fallback_answer
    assert fill(entry, {"open": "7月1日", "close": ""}) == entry.fallback_answer


def test_a_value_with_braces_is_not_filled_again(seed: list[Entry]) -> None:
    (entry,) = [entry for entry in seed if entry.code == "A01"]
    assert "{close}" in fill(entry, {"open": "{close}", "close": "7月10日"})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda entry: replace(entry, question=""), "knowledge.question_length"),
        (lambda entry: replace(entry, answer="字" * 81), "knowledge.answer_length"),
        (lambda entry: replace(entry, answer=""), "knowledge.answer_length"),
        (lambda entry: replace(entry, fallback_answer="字" * 81), "knowledge.answer_length"),
        (lambda entry: replace(entry, fallback_answer=""), "knowledge.placeholder_without_fallback"),
        (lambda entry: replace(entry, service=""), "knowledge.placeholder_without_fallback"),
        (lambda entry: replace(entry, next_step="dance"), "knowledge.next_step_unknown"),
        (lambda entry: replace(entry, code="a1"), "knowledge.code_form"),
        (lambda entry: replace(entry, question="啊？"), "knowledge.question_empty"),
        (lambda entry: replace(entry, variants=("",)), "knowledge.variant_length"),
        (lambda entry: replace(entry, variants=("字" * 101,)), "knowledge.variant_length"),
        (lambda entry: replace(entry, variants=("几时报", "几时报")), "knowledge.variant_twice"),
        (lambda entry: replace(entry, variants=(entry.question,)), "knowledge.variant_twice"),
        (lambda entry: replace(entry, service="weather"), "knowledge.service_unknown"),
        (lambda entry: replace(entry, answer="到{close"), "knowledge.placeholder_form"),
        (lambda entry: replace(entry, answer="到{places}"), "knowledge.placeholder_unknown"),
        (lambda entry: replace(entry, fallback_answer="到{close}"), "knowledge.placeholder_in_fallback"),
        (lambda entry: replace(entry, basis=" "), "knowledge.basis_missing"),
        (lambda entry: replace(entry, note="字" * 256), "knowledge.note_length"),
        (lambda entry: replace(entry, intents=()), "knowledge.intents_missing"),
        (lambda entry: replace(entry, intents=("faq_weather",)), "knowledge.intent_unknown"),
    ],
)
def test_what_will_not_do_is_said(seed: list[Entry], change: Callable[[Entry], Entry], code: str) -> None:
    (entry,) = [entry for entry in seed if entry.code == "A01"]
    assert check_entry(entry) is None
    problem = check_entry(change(entry))
    assert problem is not None
    assert problem.code == code
    told = Renderer(load_catalog(Path("flows"))).render([Spoken(problem.code, dict(problem.fields))])
    assert "{" not in told[0].text.replace("{open}", "")


def test_every_problem_has_its_text() -> None:
    named = set(re.findall(r'"(knowledge\.[a-z_]+)"', Path("bot/knowledge/checks.py").read_text(encoding="utf-8")))
    named |= set(re.findall(r'Problem\("(knowledge\.[a-z_]+)"', Path("bot/knowledge/entries.py").read_text("utf-8")))
    assert named
    assert sorted(named - load_catalog(Path("flows")).responses.keys()) == []


def test_a_faulty_seed_names_the_entry(tmp_path: Path) -> None:
    faulty = tmp_path / "A.yml"
    faulty.write_text("entries:\n  - {code: A01, question: q, variants: [], answer: a, basis: b, intents: [x]}\n")
    with pytest.raises(SeedInvalid) as raised:
        read_seed(tmp_path)
    assert raised.value.fields["place"] == "A01"
