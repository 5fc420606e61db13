"""The account's custom menu and the limits menu/create checks."""

from dataclasses import dataclass

from bot.simulator.errors import ApiFault, BadField
from bot.simulator.json_body import Fields, JsonObject

MAX_BUTTONS, MAX_CHILDREN = 3, 5
MAX_NAME_BYTES, MAX_CHILD_NAME_BYTES = 16, 60
MAX_KEY_BYTES, MAX_URL_BYTES = 128, 1024

_WITH_KEY = frozenset(
    {
        "click",
        "scancode_push",
        "scancode_waitmsg",
        "pic_sysphoto",
        "pic_photo_or_album",
        "pic_weixin",
        "location_select",
    }
)


@dataclass(frozen=True, slots=True)
class Button:
    """One menu button; a button with ``children`` only opens them."""

    name: str
    kind: str = ""
    key: str = ""
    url: str = ""
    page_path: str = ""
    children: tuple["Button", ...] = ()


@dataclass(frozen=True, slots=True)
class Menu:
    """A published menu, as buttons and as the JSON it came from."""

    menu_id: str
    buttons: tuple[Button, ...]
    source: JsonObject

    def find(self, name_or_key: str) -> Button | None:
        """Return the button with this name or key, children included."""
        every = [leaf for button in self.buttons for leaf in (button.children or (button,))]
        return next((leaf for leaf in every if name_or_key in {leaf.name, leaf.key}), None)


@dataclass(frozen=True, slots=True)
class _Codes:
    # The platform has one set of codes for the buttons and another for their children.
    count: int
    kind: int
    name: int
    key: int
    url: int


_TOP = _Codes(count=40016, kind=40017, name=40018, key=40019, url=40020)
_CHILD = _Codes(count=40023, kind=40024, name=40025, key=40027, url=40028)


def read_menu(fields: Fields, menu_id: str) -> Menu:
    """Return the menu in a menu/create body; raises ApiFault with the code of the limit it breaks.

    Buttons that send stored material (media_id, article_id …) are refused: the simulator has no articles.
    """
    buttons = _objects(fields, "button", _TOP.count)
    if not 1 <= len(buttons) <= MAX_BUTTONS:
        raise ApiFault(_TOP.count)
    return Menu(menu_id, tuple(_top(button) for button in buttons), {"button": fields.data["button"]})


def _top(fields: Fields) -> Button:
    if not fields.data.get("sub_button"):
        return _leaf(fields, _TOP, MAX_NAME_BYTES)
    children = _objects(fields, "sub_button", _CHILD.count)
    if len(children) > MAX_CHILDREN:
        raise ApiFault(_CHILD.count)
    name = _sized(fields, "name", MAX_NAME_BYTES, _TOP.name)
    return Button(name, children=tuple(_leaf(child, _CHILD, MAX_CHILD_NAME_BYTES) for child in children))


def _leaf(fields: Fields, codes: _Codes, name_bytes: int) -> Button:
    name = _sized(fields, "name", name_bytes, codes.name)
    kind = _sized(fields, "type", 32, codes.kind)
    if kind in _WITH_KEY:
        return Button(name, kind, key=_sized(fields, "key", MAX_KEY_BYTES, codes.key))
    if kind == "view":
        return Button(name, kind, url=_sized(fields, "url", MAX_URL_BYTES, codes.url))
    if kind == "miniprogram":
        _sized(fields, "appid", 64, 40013)
        page_path = _sized(fields, "pagepath", MAX_URL_BYTES, codes.url)
        return Button(name, kind, url=_sized(fields, "url", MAX_URL_BYTES, codes.url), page_path=page_path)
    raise ApiFault(codes.kind)


def _sized(fields: Fields, name: str, max_bytes: int, errcode: int) -> str:
    try:
        value = fields.text(name)
    except BadField as error:
        raise ApiFault(errcode) from error
    if not 1 <= len(value.encode()) <= max_bytes:
        raise ApiFault(errcode)
    return value


def _objects(fields: Fields, name: str, errcode: int) -> list[Fields]:
    try:
        return fields.objects(name)
    except BadField as error:
        raise ApiFault(errcode) from error
