"""Daily quotas, their tools, and what little else an account asks about itself."""

from collections.abc import Mapping
from datetime import datetime

from bot.simulator.api.calls import OK, ApiCall, Endpoint
from bot.simulator.errors import ApiFault
from bot.simulator.json_body import JsonObject, JsonValue
from bot.simulator.models import SimulatorConfig

CLEARS_PER_MONTH = 10
CLEAR_PATH = "/cgi-bin/clear_quota"


def daily_limit(config: SimulatorConfig, endpoint: Endpoint) -> int:
    """Return how many calls a day the account has; 0 means that they are not counted."""
    return config.daily_limits.get(endpoint.path, endpoint.daily_limit)


def day_key(path: str, now: datetime) -> tuple[str, str]:
    """Return the key under which a day's calls are counted."""
    return f"{now:%Y-%m-%d}", path


def endpoints(others: Mapping[str, Endpoint]) -> tuple[Endpoint, ...]:
    """Return the quota endpoints, which look at all the others."""

    async def get(call: ApiCall) -> JsonObject:
        """Return a path's limit, use and rest."""
        endpoint = others.get(call.body().text("cgi_path", ""))
        limit = daily_limit(call.platform.config, endpoint) if endpoint else 0
        if endpoint is None or not limit:
            raise ApiFault(76021)
        used = call.platform.calls.by_day[day_key(endpoint.path, call.now)]
        quota: JsonObject = {"daily_limit": limit, "used": used, "remain": limit - used}
        return {**OK, "quota": quota}

    return (
        Endpoint("POST", "/cgi-bin/openapi/quota/get", get),
        Endpoint("POST", "/cgi-bin/openapi/rid/get", find_rid),
        Endpoint("POST", CLEAR_PATH, clear),
        Endpoint("GET", "/cgi-bin/getcallbackip", callback_ips),
        Endpoint("GET", "/cgi-bin/get_api_domain_ip", callback_ips),
        Endpoint("GET", "/cgi-bin/customservice/getkflist", no_accounts),
        Endpoint("GET", "/cgi-bin/customservice/getonlinekflist", no_accounts_online),
        Endpoint("GET", "/customservice/kfsession/getwaitcase", no_waiting),
    )


async def clear(call: ApiCall) -> JsonObject:
    """Set the day's counts to nothing; ten times a month."""
    if call.body().text("appid", "") != call.platform.config.app_id:
        raise ApiFault(40013)
    used = call.platform.calls.by_day
    month = (f"{call.now:%Y-%m}", CLEAR_PATH)
    if used[month] >= CLEARS_PER_MONTH:
        raise ApiFault(48006)
    cleared = used[month] + 1
    used.clear()
    used[month] = cleared
    return OK


async def find_rid(call: ApiCall) -> JsonObject:
    """Return what is known of a failed call."""
    rid = call.body().text("rid", "")
    found = next((one for one in call.platform.calls.calls if one.rid == rid), None)
    if not rid or found is None:
        raise ApiFault(76001)
    request: JsonObject = {"invoke_time": int(found.at.timestamp()), "request_url": found.path}
    return {**OK, "request": request}


async def callback_ips(_call: ApiCall) -> JsonObject:
    """Return the address the platform pushes from."""
    ips: list[JsonValue] = ["127.0.0.1"]
    return {"ip_list": ips}


async def no_accounts(_call: ApiCall) -> JsonObject:
    """Return the customer-service accounts: the simulator has none."""
    return {"kf_list": []}


async def no_accounts_online(_call: ApiCall) -> JsonObject:
    """Return the customer-service accounts at work: the simulator has none."""
    return {"kf_online_list": []}


async def no_waiting(_call: ApiCall) -> JsonObject:
    """Return the customer-service queue: the simulator has none."""
    return {"count": 0, "waitcaselist": []}
