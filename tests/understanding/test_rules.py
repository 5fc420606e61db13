"""From ranking to decision."""

from typing import Literal

import pytest

from bot.understanding.models import Guess, Ranking
from bot.understanding.rules import (
    CHOICES_MAX,
    THRESHOLDS,
    Danger,
    Lost,
    Sure,
    Unsure,
    danger_in,
    decide,
    likelier_subjects,
)

MODEL = THRESHOLDS["model"]


def ranking(source: Literal["model", "keywords"] = "model", /, **confidences: float) -> Ranking:
    guesses = sorted(
        (Guess(intent, share) for intent, share in confidences.items()), key=lambda guess: -guess.confidence
    )
    return Ranking(tuple(guesses), source)


def test_nothing_recognised_is_lost() -> None:
    assert decide(Ranking((), "model")) == Lost()
    assert decide(Ranking((), "keywords")) == Lost()


def test_a_clear_lead_is_acted_on() -> None:
    assert decide(ranking(faq_app=0.9, faq_coupons=0.05)) == Sure("faq_app")


def test_exactly_at_the_threshold_is_sure() -> None:
    assert decide(ranking(faq_app=MODEL.sure, faq_coupons=0.2)) == Sure("faq_app")


def test_just_below_it_asks_back_with_the_likeliest_first() -> None:
    asked = decide(ranking(faq_app=MODEL.sure - 0.01, faq_coupons=0.3, greet=0.1))
    assert asked == Unsure(("faq_app", "faq_coupons"))


def test_two_that_are_close_ask_back_however_likely() -> None:
    close = decide(ranking(faq_app=0.55, faq_coupons=0.55 - MODEL.sure_margin + 0.01))
    assert close == Unsure(("faq_app", "faq_coupons"))


def test_never_more_than_three_choices() -> None:
    asked = decide(ranking(faq_app=0.24, faq_coupons=0.23, faq_events=0.22, faq_contact=0.21, complaint=0.1))
    assert isinstance(asked, Unsure)
    assert asked.intents == ("faq_app", "faq_coupons", "faq_events")
    assert len(asked.intents) == CHOICES_MAX


def test_out_of_scope_may_even_be_a_little_behind() -> None:
    behind = -MODEL.outside_lead
    assert decide(ranking(out_of_scope=0.36, faq_app=0.3)) == Sure("out_of_scope")
    assert decide(ranking(out_of_scope=0.25, faq_app=0.25 + behind - 0.01)) == Sure("out_of_scope")
    assert decide(ranking(out_of_scope=0.25, faq_app=0.25 + behind + 0.01)) == Unsure(("faq_app",))
    assert decide(ranking(out_of_scope=MODEL.ask - 0.01, faq_app=0.05)) == Lost()


def test_out_of_scope_behind_what_is_sure_changes_nothing() -> None:
    behind = MODEL.sure - MODEL.sure_margin - 0.01
    assert decide(ranking(faq_app=MODEL.sure, out_of_scope=behind)) == Sure("faq_app")
    assert decide(ranking(chitchat=MODEL.small_talk, out_of_scope=MODEL.small_talk - 0.01)) == Sure("chitchat")


def test_where_something_was_asked_out_of_scope_has_to_be_likeliest() -> None:
    behind = ranking(affirm=0.37, out_of_scope=0.27)
    assert decide(behind) == Sure("out_of_scope")
    assert decide(behind, is_asked=True) == Lost()
    assert decide(ranking(affirm=0.27, out_of_scope=0.37), is_asked=True) == Sure("out_of_scope")


def test_what_is_likelier_than_out_of_scope_is_told_with_it() -> None:
    behind = ranking(register_work_study=0.43, chitchat=0.28, out_of_scope=0.26, faq_app=0.03)
    assert decide(behind) == Sure("out_of_scope")
    assert likelier_subjects(behind, "out_of_scope") == ("register_work_study",)
    assert likelier_subjects(ranking(out_of_scope=0.5, faq_app=0.4), "out_of_scope") == ()
    assert likelier_subjects(ranking(chitchat=0.5, greet=0.45), "greet") == ()


def test_small_talk_and_out_of_scope_are_never_offered() -> None:
    asked = decide(ranking(faq_app=0.3, out_of_scope=0.19, chitchat=0.2, greet=0.1))
    assert asked == Unsure(("faq_app",))


def test_only_small_talk_left_to_offer_is_lost() -> None:
    assert decide(ranking(greet=0.3, thank=0.28, chitchat=0.2)) == Lost()


def test_small_talk_counts_together_to_be_sure() -> None:
    half = MODEL.small_talk / 2
    assert decide(ranking(greet=half + 0.01, thank=half, faq_contact=0.1)) == Sure("greet")
    assert decide(ranking(greet=half + 0.01, thank=half - 0.02, faq_contact=0.2)) == Unsure(("faq_contact",))
    assert decide(ranking(faq_contact=half + 0.01, greet=half - 0.02, thank=0.2)) == Unsure(("faq_contact",))


def test_an_even_spread_is_lost() -> None:
    assert decide(ranking(**{f"faq_{n}": 1 / 30 for n in range(30)})) == Lost()


def test_a_possible_danger_is_asked_about_unless_something_of_ours_is_likelier() -> None:
    possible = {"crisis": MODEL.crisis_may_be}
    assert danger_in(ranking(faq_app=MODEL.likelier - 0.01, **possible)) is Danger.POSSIBLE
    assert danger_in(ranking(faq_app=MODEL.likelier, **possible)) is None
    assert danger_in(ranking(chitchat=MODEL.likelier_talk - 0.01, **possible)) is Danger.POSSIBLE
    assert danger_in(ranking(chitchat=MODEL.likelier_talk, **possible)) is None
    assert danger_in(ranking(out_of_scope=0.8, **possible)) is Danger.POSSIBLE
    assert danger_in(ranking(faq_app=0.8, **possible)) is None
    assert danger_in(ranking(faq_app=0.4, crisis=MODEL.crisis_may_be - 0.01)) is None


def test_in_an_answer_only_a_certain_danger_counts() -> None:
    assert danger_in(ranking(crisis=MODEL.crisis), in_answer=False) is Danger.LIKELY
    assert danger_in(ranking(crisis=MODEL.crisis), in_answer=True) is None
    assert danger_in(ranking(crisis=MODEL.crisis_in_answer), in_answer=True) is Danger.LIKELY


@pytest.mark.parametrize("best", ["faq_app", "out_of_scope", "chitchat"])
def test_a_likely_danger_goes_first_even_in_second_place(best: str) -> None:
    assert decide(ranking(**{best: 0.5, "crisis": MODEL.crisis})) == Sure("crisis")


def test_an_unlikely_danger_changes_nothing() -> None:
    assert decide(ranking(faq_app=0.9, crisis=0.05)) == Sure("faq_app")


def test_danger_is_never_offered_as_a_choice() -> None:
    asked = decide(ranking(faq_app=0.4, crisis=MODEL.crisis - 0.01))
    assert asked == Unsure(("faq_app",))


def test_strong_keywords_act_and_weak_ones_ask() -> None:
    assert decide(ranking("keywords", cancel_registration=0.97, faq_work_study=0.6)) == Sure("cancel_registration")
    assert decide(ranking("keywords", faq_work_study=0.6, faq_health_screening=0.6)) == Unsure(
        ("faq_work_study", "faq_health_screening")
    )
