"""cgi-bin/stable_token and cgi-bin/token."""

from bot.simulator.api.calls import ApiCall, Endpoint
from bot.simulator.errors import ApiFault
from bot.simulator.json_body import JsonObject
from bot.simulator.tokens import Issued


async def stable_token(call: ApiCall) -> JsonObject:
    """Answer the same token while it is valid."""
    body = call.body()
    _check_credentials(call, body.text("grant_type", ""), body.text("appid", ""), body.text("secret", ""))
    return _answer(call.platform.tokens.stable(call.now, force=body.flag("force_refresh")))


async def token(call: ApiCall) -> JsonObject:
    """Answer a new token each time."""
    query = call.request.query
    _check_credentials(call, query.get("grant_type", ""), query.get("appid", ""), query.get("secret", ""))
    return _answer(call.platform.tokens.legacy(call.now))


def _check_credentials(call: ApiCall, grant_type: str, app_id: str, secret: str) -> None:
    if grant_type != "client_credential":
        raise ApiFault(40002)
    if app_id != call.platform.config.app_id:
        raise ApiFault(40013)
    if secret != call.platform.config.app_secret:
        raise ApiFault(40125)


def _answer(issued: Issued) -> JsonObject:
    return {"access_token": issued.value, "expires_in": issued.expires_in_s}


ENDPOINTS = (
    Endpoint("POST", "/cgi-bin/stable_token", stable_token, daily_limit=500_000, needs_token=False),
    Endpoint("GET", "/cgi-bin/token", token, daily_limit=2_000, needs_token=False),
)
