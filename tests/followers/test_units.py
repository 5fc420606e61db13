"""Names of units and their unions in one form."""

import pytest

from bot.followers.units import UNIT_CHARS, normal_unit


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("铜仁市人民医院", "铜仁市人民医院"),
        ("铜仁市人民医院工会", "铜仁市人民医院"),
        (" 铜仁市 人民医院　工会委员会 ", "铜仁市人民医院"),
        ("碧江区环卫（一）公司", "碧江区环卫(一)公司"),
        ("铜仁市总工会", "铜仁市总工会"),
        ("工会", "工会"),
        ("  ", ""),
    ],
)
def test_a_unit_and_its_union_are_one(written: str, unit: str) -> None:
    assert normal_unit(written) == unit


def test_a_name_fits_its_column() -> None:
    assert len(normal_unit("长" * 200)) == UNIT_CHARS
