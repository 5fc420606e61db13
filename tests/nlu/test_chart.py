"""The drawing of the learning curve and the figures of the documentation."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from nlu.chart import Series, line_chart
from nlu.page import PAGE, replaced, write_figures

SVG = "{http://www.w3.org/2000/svg}"


def drawing(*series: Series) -> ET.Element:
    return ET.fromstring(line_chart(series, title="a < b", left="share", below="texts"))  # noqa: S314 - Our own text.


def test_each_series_has_its_line_and_its_last_figure() -> None:
    root = drawing(Series("one", [(10, 0.5), (20, 0.75)]), Series("two", [(10, 0.6), (20, 0.9)]))
    lines = [line.attrib["points"].split() for line in root.iter(f"{SVG}polyline")]
    assert [len(line) for line in lines] == [2, 2]
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert "one 0.750" in texts
    assert "two 0.900" in texts
    assert "a < b" in texts


def test_more_is_higher_and_further_right() -> None:
    (line,) = [
        each.attrib["points"].split() for each in drawing(Series("one", [(1, 0.2), (9, 0.8)])).iter(f"{SVG}polyline")
    ]
    (left, low), (right, high) = [[float(number) for number in spot.split(",")] for spot in line]
    assert left < right
    assert low > high


def test_figures_replace_those_before_them(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- speed -->\nold\n<!-- end of speed -->\nb\n", encoding="utf-8")
    for figures in ("new", "newer"):
        write_figures("speed", figures, page)
        assert page.read_text(encoding="utf-8") == f"a\n<!-- speed -->\n{figures}\n<!-- end of speed -->\nb\n"


def test_a_page_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for speed"):
        replaced("nothing", "speed", "3")


@pytest.mark.parametrize("name", ["comparison", "learning curve"])
def test_the_documentation_has_a_place_for_each(name: str) -> None:
    assert "3" in replaced(PAGE.read_text(encoding="utf-8"), name, "3")
