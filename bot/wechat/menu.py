"""The account's menu, from a YAML file that people keep.

::

    menu:                       # one to three entries
      - name: 报名办事           # at most 16 bytes: five Chinese characters, of which clients show four
        items:                  # one to five entries, instead of a type
          - {name: 勤工俭学报名, type: click, key: "/flow:register_work_study"}   # a name of at most 60 bytes
          - {name: 工会网站, type: view, url: "https://…"}
          - {name: 小程序, type: miniprogram, url: "https://…", appid: wx…, pagepath: pages/index}
      - {name: 扫码, type: scancode_waitmsg, key: scan}

``key`` is what the bot receives. scancode_push, scancode_waitmsg, pic_sysphoto, pic_photo_or_album, pic_weixin and
location_select take a key like click. Limits: the platform's page "Custom menu".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import yaml

from bot.wechat.errors import WechatError

MAX_TOP_ENTRIES = 3
MAX_ITEMS = 5
MAX_TOP_NAME_BYTES = 16
MAX_NAME_BYTES = 60
MAX_KEY_BYTES = 128
MAX_URL_BYTES = 1024

KEY_TYPES = (
    "click",
    "scancode_push",
    "scancode_waitmsg",
    "pic_sysphoto",
    "pic_photo_or_album",
    "pic_weixin",
    "location_select",
)
FIELDS_BY_TYPE: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(KEY_TYPES, ("key",)),
    "view": ("url",),
    "miniprogram": ("url", "appid", "pagepath"),
}
_MAX_BYTES = {"key": MAX_KEY_BYTES, "url": MAX_URL_BYTES, "pagepath": MAX_URL_BYTES}


@dataclass(frozen=True, slots=True)
class MenuFault:
    """One fault: ``path`` is its place, such as ``menu/2/items/1/key``; entries count from 1."""

    file: str
    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.file}: {self.path}: {self.problem}"


class MenuInvalid(WechatError):
    """The file holds no menu that the platform takes; ``faults`` lists everything that is wrong."""

    code: ClassVar[str] = "wechat.menu_invalid"

    def __init__(self, faults: Sequence[MenuFault]) -> None:
        super().__init__(faults="; ".join(map(str, faults)))
        self.faults = tuple(faults)


def read_menu(path: Path) -> dict[str, Any]:
    """Return the menu in ``path`` as ``WeChatApi.create_menu`` takes it. Raises MenuInvalid, OSError."""
    return parse_menu(path.read_text(encoding="utf-8"), path.name)


def parse_menu(text: str, file: str) -> dict[str, Any]:
    """Return the menu in the YAML ``text``; ``file`` names it in faults. Raises MenuInvalid."""
    reader = _Reader(file)
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reader.fault("menu", f"not YAML (line {mark.line + 1})" if mark else "not YAML")
        raise MenuInvalid(reader.faults) from None
    buttons = reader.menu(document)
    if reader.faults:
        raise MenuInvalid(reader.faults)
    return {"button": buttons}


class _Reader:
    """Reads entries and collects faults, so that all of them are told at once."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.faults: list[MenuFault] = []

    def fault(self, path: str, problem: str) -> None:
        self.faults.append(MenuFault(self._file, path, problem))

    def menu(self, document: object) -> list[dict[str, Any]]:
        if not isinstance(document, dict) or set(document) != {"menu"}:
            self.fault("menu", "the file needs the one key 'menu'")
            return []
        entries = self._entries(document["menu"], "menu", MAX_TOP_ENTRIES)
        return [self._top(entry, path) for path, entry in entries]

    def _entries(self, value: object, path: str, max_entries: int) -> list[tuple[str, dict[str, Any]]]:
        if not isinstance(value, list) or not 1 <= len(value) <= max_entries:
            self.fault(path, f"needs a list of 1 to {max_entries} entries")
            return []
        entries: list[tuple[str, dict[str, Any]]] = []
        for number, entry in enumerate(value, start=1):
            if isinstance(entry, dict):
                entries.append((f"{path}/{number}", {str(name): content for name, content in entry.items()}))
            else:
                self.fault(f"{path}/{number}", "is not an entry with name and type")
        return entries

    def _top(self, entry: dict[str, Any], path: str) -> dict[str, Any]:
        if "items" not in entry:
            return self._button(entry, path, MAX_TOP_NAME_BYTES)
        self._known(entry, path, ("name", "items"))
        items = self._entries(entry["items"], f"{path}/items", MAX_ITEMS)
        return {
            "name": self._text(entry, "name", path, MAX_TOP_NAME_BYTES),
            "sub_button": [self._button(item, item_path, MAX_NAME_BYTES) for item_path, item in items],
        }

    def _button(self, entry: dict[str, Any], path: str, max_name_bytes: int) -> dict[str, Any]:
        button: dict[str, Any] = {"name": self._text(entry, "name", path, max_name_bytes)}
        kind = entry.get("type")
        fields = FIELDS_BY_TYPE.get(kind) if isinstance(kind, str) else None
        if fields is None:
            self.fault(f"{path}/type", f"must be one of {', '.join(FIELDS_BY_TYPE)}")
            return button
        self._known(entry, path, ("name", "type", *fields))
        button["type"] = kind
        for name in fields:
            button[name] = self._text(entry, name, path, _MAX_BYTES.get(name, MAX_URL_BYTES))
        if "url" in fields and button["url"] and not button["url"].startswith(("https://", "http://")):
            self.fault(f"{path}/url", "must begin with https:// or http://")
        return button

    def _known(self, entry: dict[str, Any], path: str, names: Sequence[str]) -> None:
        for name in entry:
            if name not in names:
                self.fault(f"{path}/{name}", f"is not known here; expected {', '.join(names)}")

    def _text(self, entry: dict[str, Any], name: str, path: str, max_bytes: int) -> str:
        value = entry.get(name)
        if not isinstance(value, str) or not value.strip():
            self.fault(f"{path}/{name}", "is missing" if value is None else "must be a text")
            return ""
        size_bytes = len(value.encode())
        if size_bytes > max_bytes:
            self.fault(f"{path}/{name}", f"has {size_bytes} bytes, at most {max_bytes} are shown")
        return value
