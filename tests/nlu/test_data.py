"""The training data: complete, varied, free of duplicates, and strangers to the evaluation set."""

from collections import Counter

import pytest
import yaml

from bot.understanding.likeness import (
    TOO_ALIKE_TO_EVALUATE,
    bare,
    likeness,
    near_duplicates,
)
from bot.understanding.models import INTENTS
from tests.nlu.texts import NLU, evaluation_texts, training_texts

LEAST_BY_INTENT = {
    "register_work_study": 300,
    "book_health_screening": 300,
    "consult_lawyer": 300,
    "faq_legal_service": 300,
    "faq_labour_law": 300,
    "crisis": 300,
    "out_of_scope": 500,
}
LEAST = 180
LEAST_EVALUATED = 15
TOO_ALIKE = 0.76


@pytest.mark.parametrize("intent", INTENTS)
def test_enough_utterances(intent: str) -> None:
    assert len(training_texts()[intent]) >= LEAST_BY_INTENT.get(intent, LEAST)


def test_the_domain_the_data_and_the_code_name_the_same_intents() -> None:
    domain = yaml.load((NLU / "domain.yml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    assert sorted(domain["intents"]) == sorted(INTENTS) == sorted(training_texts())


def test_one_file_an_intent() -> None:
    assert sorted(path.stem for path in (NLU / "data").glob("*.yml")) == sorted(INTENTS)


def test_no_utterance_twice() -> None:
    counts = Counter(bare(text) for texts in training_texts().values() for text in texts)
    assert [text for text, count in counts.items() if count > 1] == []


def test_no_near_duplicates() -> None:
    """Lines that differ only in a name or a particle count once, and no line stands under two intents."""
    texts = [text for texts in training_texts().values() for text in texts]
    found = [pair for pair in near_duplicates(texts, texts, TOO_ALIKE) if pair[0] != pair[1]]
    assert found == []


def test_the_evaluation_set_is_unknown_to_training() -> None:
    known = [text for texts in training_texts().values() for text in texts]
    asked = [example.text for example in evaluation_texts()]
    assert list(near_duplicates(asked, known, TOO_ALIKE_TO_EVALUATE)) == []


def test_the_evaluation_set_asks_for_every_intent() -> None:
    counts = Counter(example.labels[0] for example in evaluation_texts())
    assert {intent: counts[intent] for intent in INTENTS if counts[intent] < LEAST_EVALUATED} == {}


def test_the_evaluation_set_repeats_nothing() -> None:
    counts = Counter(bare(example.text) for example in evaluation_texts())
    assert [text for text, count in counts.items() if count > 1] == []


@pytest.mark.parametrize(
    ("left", "right", "alike"),
    [
        ("请问我能不能约下周一早上的两癌筛查", "请问我能不能约下周三早上的两癌筛查", True),
        ("勤工俭学一天好多钱哦", "勤工俭学 一天好多钱", True),
        ("我要约两癌筛查", "老板欠我工资不给", False),
    ],
)
def test_the_check_sees_near_duplicates(left: str, right: str, *, alike: bool) -> None:
    assert bool(list(near_duplicates([left], [right], 0.7))) is alike
    assert likeness(bare(left), bare(right)) == likeness(bare(right), bare(left))


def test_no_personal_data_in_the_texts() -> None:
    texts = [text for texts in training_texts().values() for text in texts]
    texts += [example.text for example in evaluation_texts()]
    assert [text for text in texts if sum(mark.isdigit() for mark in text) >= 17] == []
