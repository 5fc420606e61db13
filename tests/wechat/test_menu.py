"""The menu file becomes what the platform takes, or a list of everything that is wrong."""

from pathlib import Path
from typing import Any

import pytest

from bot.wechat.menu import MenuInvalid, parse_menu, read_menu

GOOD = """
menu:
  - name: 报名办事
    items:
      - {name: 勤工俭学报名, type: click, key: "/flow:register_work_study"}
      - {name: 工会网站, type: view, url: "https://example.com/"}
      - {name: 小程序, type: miniprogram, url: "https://example.com/", appid: wx1, pagepath: pages/index}
  - {name: 扫码, type: scancode_waitmsg, key: scan}
  - {name: 位置, type: location_select, key: place}
"""


def faults(text: str) -> list[str]:
    with pytest.raises(MenuInvalid) as invalid:
        parse_menu(text, "menu.yml")
    return [str(fault) for fault in invalid.value.faults]


def test_a_good_menu(tmp_path: Path) -> None:
    path = tmp_path / "menu.yml"
    path.write_text(GOOD, encoding="utf-8")
    expected: dict[str, Any] = {
        "button": [
            {
                "name": "报名办事",
                "sub_button": [
                    {"name": "勤工俭学报名", "type": "click", "key": "/flow:register_work_study"},
                    {"name": "工会网站", "type": "view", "url": "https://example.com/"},
                    {
                        "name": "小程序",
                        "type": "miniprogram",
                        "url": "https://example.com/",
                        "appid": "wx1",
                        "pagepath": "pages/index",
                    },
                ],
            },
            {"name": "扫码", "type": "scancode_waitmsg", "key": "scan"},
            {"name": "位置", "type": "location_select", "key": "place"},
        ]
    }
    assert read_menu(path) == expected


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "menu: the file needs the one key 'menu'"),
        ("menu: []", "menu: needs a list of 1 to 3 entries"),
        ("menu: [[", "menu: not YAML (line 1)"),
        ("menu: [x]", "menu/1: is not an entry with name and type"),
        ("menu: [{name: a, items: []}]", "menu/1/items: needs a list of 1 to 5 entries"),
        ("menu: [{name: 六个字的名称, type: click, key: k}]", "menu/1/name: has 18 bytes, at most 16 are shown"),
        ("menu: [{type: click, key: k}]", "menu/1/name: is missing"),
        ("menu: [{name: 1, type: click, key: k}]", "menu/1/name: must be a text"),
        ("menu: [{name: a, type: click}]", "menu/1/key: is missing"),
        ("menu: [{name: a, type: view, url: example.com}]", "menu/1/url: must begin with https:// or http://"),
        (
            "menu: [{name: a, type: view, url: 'http://a', key: k}]",
            "menu/1/key: is not known here; expected name, type, url",
        ),
        (
            "menu: [{name: a, items: [{name: b, type: click, key: k}], type: click}]",
            "menu/1/type: is not known here; expected name, items",
        ),
        (
            f"menu: [{{name: a, items: [{{name: {'名' * 21}, type: click, key: k}}]}}]",
            "menu/1/items/1/name: has 63 bytes, at most 60 are shown",
        ),
        (f"menu: [{{name: a, type: click, key: {'k' * 129}}}]", "menu/1/key: has 129 bytes, at most 128 are shown"),
    ],
)
def test_each_fault_is_named_with_its_place(text: str, fault: str) -> None:
    assert faults(text) == [f"menu.yml: {fault}"]


def test_all_faults_are_told_at_once() -> None:
    text = """
menu:
  - {name: 一个太长的名称, type: tap}
  - {name: b, items: [{name: c, type: view}, {name: d, type: click, key: k, colour: red}]}
"""
    assert [fault.split(": ")[1] for fault in faults(text)] == [
        "menu/1/name",
        "menu/1/type",
        "menu/2/items/1/url",
        "menu/2/items/2/colour",
    ]


def test_too_many_entries() -> None:
    entry = "{name: a, type: click, key: k}"
    assert faults(f"menu: [{', '.join([entry] * 4)}]") == ["menu.yml: menu: needs a list of 1 to 3 entries"]
    assert faults(f"menu: [{{name: a, items: [{', '.join([entry] * 6)}]}}]") == [
        "menu.yml: menu/1/items: needs a list of 1 to 5 entries"
    ]
