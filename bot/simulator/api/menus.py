"""menu/create, menu/get and menu/delete."""

import secrets

from bot.simulator.api.calls import OK, ApiCall, Endpoint
from bot.simulator.errors import ApiFault
from bot.simulator.json_body import JsonObject
from bot.simulator.menus import read_menu


async def create(call: ApiCall) -> JsonObject:
    """Replace the menu."""
    call.refuse_escapes()
    call.platform.menu = read_menu(call.body(), str(secrets.randbelow(9 * 10**8) + 10**8))
    call.platform.changed()
    return OK


async def get(call: ApiCall) -> JsonObject:
    """Return the menu as it was created."""
    if call.platform.menu is None:
        raise ApiFault(46003)
    return {"menu": call.platform.menu.source}


async def delete(call: ApiCall) -> JsonObject:
    """Remove the menu."""
    call.platform.menu = None
    call.platform.changed()
    return OK


async def current(call: ApiCall) -> JsonObject:
    """Return the menu in the console's form."""
    menu = call.platform.menu
    return {"is_menu_open": int(menu is not None), "selfmenu_info": menu.source if menu else {}}


ENDPOINTS = (
    Endpoint("POST", "/cgi-bin/menu/create", create, daily_limit=1_000),
    Endpoint("GET", "/cgi-bin/menu/get", get, daily_limit=10_000),
    Endpoint("GET", "/cgi-bin/menu/delete", delete, daily_limit=1_000),
    Endpoint("GET", "/cgi-bin/get_current_selfmenu_info", current),
)
