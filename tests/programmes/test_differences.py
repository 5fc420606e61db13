"""What changed from one version to another, so that people can read it."""

from dataclasses import replace
from datetime import timedelta

from bot.programmes.differences import Difference, differences
from bot.programmes.models import ConsentText, MaterialRule, ProgrammeStatus, Retention
from bot.programmes.rules import changed_consents
from tests.registrations.factories import work_study


def test_two_equal_versions_differ_in_nothing() -> None:
    assert differences(work_study(version=1), work_study(version=2)) == ()


def test_single_values_are_told_with_before_and_after() -> None:
    older = work_study()
    newer = replace(older, title="勤工俭学（二）", age_max=None, status=ProgrammeStatus.CLOSED, waitlist_size=9)
    assert differences(replace(older, age_max=26), newer) == (
        Difference("title", "", older.title, "勤工俭学（二）"),
        Difference("status", "", ProgrammeStatus.PUBLISHED, ProgrammeStatus.CLOSED),
        Difference("waitlist_size", "", 5, 9),
        Difference("age_max", "", 26, None),
    )


def test_entries_are_told_one_by_one() -> None:
    older = work_study(quota_by_county={"520602": 3, "520628": 2})
    card, proof, *rest = older.required_materials
    clearer = replace(proof, needed_when={})
    newer = replace(
        older,
        quota_by_county={"520602": 4, "520603": 1},
        required_materials=(card, clearer, *rest[1:], MaterialRule("extra", "户口簿")),
        retention=Retention(draft_days=10),
    )
    assert differences(older, newer) == (
        Difference("quota_by_county", "520602", 3, 4),
        Difference("quota_by_county", "520628", 2, None),
        Difference("quota_by_county", "520603", None, 1),
        Difference("required_materials", "困难佐证", proof, clearer),
        Difference("required_materials", "监护人同意书", rest[0], None),
        Difference("required_materials", "户口簿", None, MaterialRule("extra", "户口簿")),
        Difference("retention", "draft_days", 30, 10),
    )


def test_another_order_is_a_difference_too() -> None:
    older = work_study()
    newer = replace(older, required_materials=tuple(reversed(older.required_materials)))
    [difference] = differences(older, newer)
    assert difference.before == ("学生证", "困难佐证", "监护人同意书", "证件照片")
    assert difference.after == ("证件照片", "监护人同意书", "困难佐证", "学生证")


def test_a_consent_with_another_text_needs_another_version_code() -> None:
    before = work_study(consents=(ConsentText("general", "1", "甲"), ConsentText("third_party", "1", "乙")))
    same_code = (ConsentText("general", "1", "甲甲"), ConsentText("third_party", "1", "乙", recipients=("保险公司",)))
    assert changed_consents(before, replace(before, consents=same_code)) == ("general", "third_party")
    new_code = tuple(replace(consent, version="2") for consent in same_code)
    assert changed_consents(before, replace(before, consents=new_code)) == ()
    later = replace(before, close_at=before.close_at + timedelta(days=1))
    assert changed_consents(before, later) == ()
