"""Counties and zones, by name, town and sound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.values.counties import TOWNS, County, find_counties, parse_county
from bot.values.problem import Problem


@pytest.mark.parametrize("county", County)
def test_every_county_knows_its_names_and_code(county: County) -> None:
    assert parse_county(county.full_name) is county
    assert parse_county(county.short) is county
    assert County.by_code(county.code) is county


def test_codes_are_those_of_the_division_table() -> None:
    counties = [county for county in County if county.code.isdecimal() and county is not County.CITY]
    assert len(counties) == 10
    assert {county.code for county in counties} == {f"5206{tail:02d}" for tail in (2, 3, *range(21, 29))}


@pytest.mark.parametrize(
    ("text", "county"),
    [
        ("我在松桃上班", County.SONGTAO),
        ("松桃嘞", County.SONGTAO),
        ("沿河那边", County.YANHE),
        ("人在印江", County.YINJIANG),
        ("我们厂在万山", County.WANSHAN),
        ("江口县太平镇", County.JIANGKOU),
        ("松桃经济开发区", County.SONGTAO),
        ("市直机关", County.CITY),
        ("铜仁高新区", County.HIGH_TECH_ZONE),
        ("大龙", County.DALONG_ZONE),
        ("大龙开发区嘛", County.DALONG_ZONE),
        ("不是松桃，是碧江", County.BIJIANG),
        ("坝黄镇", County.BIJIANG),
        ("东太大道那边", County.BIJIANG),
        ("在苗王城打工", County.SONGTAO),
        ("坝黄", County.BIJIANG),
        ("瓦屋侗族乡", County.BIJIANG),
        ("我在盘信镇打工", County.SONGTAO),
        ("许家坝", County.SINAN),
        ("太平", County.JIANGKOU),
        ("松涛", County.SONGTAO),
        ("石迁", County.SHIQIAN),
        ("沿合", County.YANHE),
        ("思男", County.SINAN),
        ("玉平那边", County.YUPING),
    ],
)
def test_how_people_say_it(text: str, county: County) -> None:
    assert parse_county(text) is county


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("从沿河来碧江", "碧江、沿河"),
        ("和平街道", "碧江、沿河"),
        ("大坪", "万山、松桃"),
        ("开发区", "高新区、大龙开发区"),
        ("铜仁", "碧江、万山、市直"),
        ("梵净山脚下", "松桃、江口、印江"),
        ("铜仁市区", "碧江、万山、市直"),
        ("市里头", "碧江、万山、市直"),
    ],
)
def test_several_places_are_asked_about(text: str, candidates: str) -> None:
    suggestions = tuple(candidates.split("、"))
    assert parse_county(text) == Problem("county.ambiguous", {"candidates": candidates}, suggestions)
    assert not any(isinstance(parse_county(one), Problem) for one in suggestions)


@pytest.mark.parametrize(
    "text", ["遵义", "贵阳那边", "不晓得", "522229198802299985", "520602199003079980", "", "外省"]
)
def test_unknown_and_never_from_an_identity_number(text: str) -> None:
    assert parse_county(text) == Problem("county.unknown")


@given(st.sampled_from(sorted(TOWNS)))
def test_a_town_gives_its_county_or_asks(town: str) -> None:
    result = parse_county(town)
    if len(TOWNS[town]) == 1:
        assert result in TOWNS[town]
    else:
        assert isinstance(result, Problem)
        assert result.code == "county.ambiguous"


def test_staff_may_add_towns() -> None:
    assert parse_county("新街", more_towns={"新街": County.DEJIANG}) is County.DEJIANG
    assert parse_county("新街") == Problem("county.unknown")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("去年在思南干活,现在碧江", [County.SINAN, County.BIJIANG]),
        ("坝黄镇的工地", [County.BIJIANG]),
        ("和平街道", []),  # Two counties have one.
        ("太平无事,和平解决,松涛", []),
        ("不是江口", []),
    ],
)
def test_find_counties(text: str, found: list[County]) -> None:
    assert [hit.value for hit in find_counties(text)] == found
