"""Every setting in one typed table: name, default and help; values come from the environment or ``.env``."""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, TypeVar, cast

from bot.values.errors import BotError

Converted = TypeVar("Converted")
WechatMode = Literal["safe", "compatible", "plain"]
AccountType = Literal["service", "subscription"]

AES_KEY_CHARS = 43
TOKEN_CHARS = range(3, 33)


class SettingInvalid(BotError):
    """A setting is missing or wrong. ``name`` says which, ``problem`` what to do; the value is never repeated."""

    code: ClassVar[str] = "setting.invalid"


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table. ``default`` is a text, as it would stand in the environment; ``None`` means required."""

    name: str
    default: str | None
    help: str
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting("BOT_WECHAT_APP_ID", "", "AppID of the account. Empty: the demo talks to the simulator."),
    Setting("BOT_WECHAT_APP_SECRET", "", "AppSecret of the account.", secret=True),
    Setting("BOT_WECHAT_TOKEN", "", "Token of the server configuration, 3 to 32 characters.", secret=True),
    Setting(
        "BOT_WECHAT_AES_KEY",
        "",
        "EncodingAESKey, 43 characters; a comma and the previous key may follow.",
        secret=True,
    ),
    Setting("BOT_WECHAT_MODE", "safe", "safe, compatible or plain: how the platform sends messages."),
    Setting("BOT_WECHAT_ACCOUNT_TYPE", "service", "service or subscription: what the account may send."),
    Setting("BOT_WECHAT_API_BASE", "https://api.weixin.qq.com", "Base address of the platform's API."),
    Setting("BOT_WECHAT_LINK_CHOICES", "on", "on or off: make choices in passive replies clickable links."),
    Setting("BOT_WECHAT_STATUS_TEMPLATE", "", "Template id for status changes; empty: none is sent."),
    Setting(
        "BOT_CAMPAIGN_TESTERS", "", "OpenIDs, divided by commas, that campaigns reach alone; empty: all followers."
    ),
    Setting("BOT_DATABASE_URL", "", "SQLAlchemy address; empty: SQLite in BOT_DATA_DIR."),
    Setting("BOT_REDIS_URL", "", "Redis address; empty: an embedded server in BOT_DATA_DIR.", secret=True),
    Setting("BOT_NLU_URL", "http://127.0.0.1:5005", "Base address of the Rasa server."),
    Setting("BOT_NLU_PROCESSES", "1", "How many processes of the NLU share its port; about 350 MB each."),
    Setting("BOT_NLU_TIMEOUT_S", "1.5", "Seconds an intent may take before keywords stand in."),
    Setting("BOT_DATA_DIR", "var", "Folder of everything that is kept on disk."),
    Setting("BOT_FLOWS_DIR", "flows", "Folder of the conversations."),
    Setting(
        "BOT_FIELD_KEYS",
        "",
        "hash=…,k1=…: base64 keys of the field encryption; empty: made in BOT_DATA_DIR.",
        secret=True,
    ),
    Setting("BOT_GATEWAY_HOST", "127.0.0.1", "Address the gateway listens on."),
    Setting("BOT_GATEWAY_PORT", "8080", "Port of the gateway."),
    Setting("BOT_CONSOLE_HOST", "127.0.0.1", "Address the staff console listens on."),
    Setting("BOT_CONSOLE_PORT", "8081", "Port of the staff console."),
    Setting("BOT_CONSOLE_HTTPS", "off", "on or off: staff reach the console over HTTPS; cookies are bound to it."),
    Setting("BOT_CONSOLE_PROXY", "off", "on or off: a proxy stands in front; its X-Forwarded-For names the address."),
    Setting("BOT_CONSOLE_IDLE_MINUTES", "30", "Minutes without a click after which staff sign in again."),
    Setting("BOT_CONSOLE_SESSION_HOURS", "12", "Hours after which staff sign in again in any case."),
    Setting("BOT_CONSOLE_CODE_ROLES", "", "Roles, divided by commas, that must sign in with a code of their phone."),
    Setting("BOT_SIMULATOR_PORT", "8082", "Port of the simulator."),
    Setting("BOT_TURN_DEADLINE_S", "4.2", "Seconds after which a delivery is answered and the rest is sent later."),
    Setting("BOT_STATE_DAYS", "30", "Days an unfinished conversation is kept."),
    Setting("BOT_REVIEW_DAYS", "180", "Days a message stays on the list of badly understood ones."),
    Setting("BOT_CHAT_DAYS", "180", "Days after its end that the words of a chat with staff are kept."),
    Setting("BOT_LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR."),
    Setting("BOT_DEMO", "off", "on or off: the demonstration with the simulator; never on in production."),
)


@dataclass(frozen=True, slots=True)
class Wechat:
    """How to talk to the platform."""

    app_id: str
    app_secret: str
    token: str
    aes_keys: tuple[str, ...]
    mode: WechatMode
    account_type: AccountType
    api_base: str
    link_choices: bool
    status_template: str
    campaign_testers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ConsoleAddress:
    """Where the staff console is served, behind what, and how long a session lasts."""

    host: str
    port: int
    https: bool
    proxy: bool
    idle_s: int
    session_s: int
    code_roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, read and checked."""

    wechat: Wechat
    database_url: str
    redis_url: str
    nlu_url: str
    nlu_processes: int
    nlu_timeout_s: float
    data_dir: Path
    flows_dir: Path
    field_keys: str
    gateway_host: str
    gateway_port: int
    console: ConsoleAddress
    simulator_port: int
    turn_deadline_s: float
    state_ttl_s: int
    review_days: int
    chat_days: int
    log_level: str
    demo: bool


class _Reader:
    """Reads single settings and names the one that is wrong."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._defaults = {setting.name: setting.default for setting in SETTINGS}

    def text(self, name: str) -> str:
        value = self._environment.get(name, self._defaults[name])
        if value is None:
            raise SettingInvalid(name=name, problem="is required")
        return value.strip()

    def _converted(self, name: str, convert: Callable[[str], Converted], expected: str) -> Converted:
        try:
            return convert(self.text(name))
        except ValueError as error:
            raise SettingInvalid(name=name, problem=f"must be {expected}") from error

    def positive(self, name: str) -> float:
        number = self._converted(name, float, "a number")
        if number <= 0:
            raise SettingInvalid(name=name, problem="must be above 0")
        return number

    def count(self, name: str) -> int:
        number = self._converted(name, int, "a whole number")
        if number < 1:
            raise SettingInvalid(name=name, problem="must be at least 1")
        return number

    def port(self, name: str) -> int:
        number = self._converted(name, int, "a port number")
        if number not in range(65536):
            raise SettingInvalid(name=name, problem="must be a port number from 0 to 65535")
        return number

    def switch(self, name: str) -> bool:
        return self.choice(name, ("on", "off")) == "on"

    def codes(self, name: str) -> frozenset[str]:
        return frozenset(filter(None, (part.strip() for part in self.text(name).split(","))))

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name)
        if value not in allowed:
            raise SettingInvalid(name=name, problem=f"must be one of {', '.join(allowed)}")
        return value


def load_settings(environment: Mapping[str, str] | None = None, *, env_file: Path | None = Path(".env")) -> Settings:
    """Return the checked settings; the environment wins over ``env_file``.

    Raises SettingInvalid that names the first setting at fault.
    """
    values = _read_env_file(env_file) if env_file else {}
    values.update(os.environ if environment is None else environment)
    _refuse_unknown(values)
    read = _Reader(values)
    data_dir = Path(read.text("BOT_DATA_DIR"))
    return Settings(
        wechat=_wechat(read),
        database_url=read.text("BOT_DATABASE_URL") or f"sqlite+aiosqlite:///{data_dir / 'records.db'}",
        redis_url=read.text("BOT_REDIS_URL"),
        nlu_url=read.text("BOT_NLU_URL").rstrip("/"),
        nlu_processes=read.count("BOT_NLU_PROCESSES"),
        nlu_timeout_s=read.positive("BOT_NLU_TIMEOUT_S"),
        data_dir=data_dir,
        flows_dir=Path(read.text("BOT_FLOWS_DIR")),
        field_keys=read.text("BOT_FIELD_KEYS"),
        gateway_host=read.text("BOT_GATEWAY_HOST"),
        gateway_port=read.port("BOT_GATEWAY_PORT"),
        console=ConsoleAddress(
            host=read.text("BOT_CONSOLE_HOST"),
            port=read.port("BOT_CONSOLE_PORT"),
            https=read.switch("BOT_CONSOLE_HTTPS"),
            proxy=read.switch("BOT_CONSOLE_PROXY"),
            idle_s=int(read.positive("BOT_CONSOLE_IDLE_MINUTES") * 60),
            session_s=int(read.positive("BOT_CONSOLE_SESSION_HOURS") * 3600),
            code_roles=read.codes("BOT_CONSOLE_CODE_ROLES"),
        ),
        simulator_port=read.port("BOT_SIMULATOR_PORT"),
        turn_deadline_s=read.positive("BOT_TURN_DEADLINE_S"),
        state_ttl_s=int(read.positive("BOT_STATE_DAYS") * 86_400),
        review_days=math.ceil(read.positive("BOT_REVIEW_DAYS")),
        chat_days=math.ceil(read.positive("BOT_CHAT_DAYS")),
        log_level=read.choice("BOT_LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR")),
        demo=read.switch("BOT_DEMO"),
    )


def _wechat(read: _Reader) -> Wechat:
    app_id = read.text("BOT_WECHAT_APP_ID")
    wechat = Wechat(
        app_id=app_id,
        app_secret=read.text("BOT_WECHAT_APP_SECRET"),
        token=read.text("BOT_WECHAT_TOKEN"),
        aes_keys=tuple(filter(None, (key.strip() for key in read.text("BOT_WECHAT_AES_KEY").split(",")))),
        mode=cast(WechatMode, read.choice("BOT_WECHAT_MODE", ("safe", "compatible", "plain"))),
        account_type=cast(AccountType, read.choice("BOT_WECHAT_ACCOUNT_TYPE", ("service", "subscription"))),
        api_base=read.text("BOT_WECHAT_API_BASE").rstrip("/"),
        link_choices=read.switch("BOT_WECHAT_LINK_CHOICES"),
        status_template=read.text("BOT_WECHAT_STATUS_TEMPLATE"),
        campaign_testers=read.codes("BOT_CAMPAIGN_TESTERS"),
    )
    if app_id:
        _check_credentials(wechat)
    return wechat


def _check_credentials(wechat: Wechat) -> None:
    if not wechat.app_secret:
        raise SettingInvalid(name="BOT_WECHAT_APP_SECRET", problem="is required when BOT_WECHAT_APP_ID is set")
    if len(wechat.token) not in TOKEN_CHARS or not wechat.token.isalnum():
        raise SettingInvalid(name="BOT_WECHAT_TOKEN", problem="must be 3 to 32 letters and digits")
    if wechat.mode != "plain" and not wechat.aes_keys:
        raise SettingInvalid(name="BOT_WECHAT_AES_KEY", problem=f"is required in {wechat.mode} mode")
    if any(len(key) != AES_KEY_CHARS for key in wechat.aes_keys):
        raise SettingInvalid(name="BOT_WECHAT_AES_KEY", problem=f"must be {AES_KEY_CHARS} characters a key")


def _read_env_file(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    values: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, separator, value = stripped.partition("=")
        if not separator:
            raise SettingInvalid(name=f"{path}:{number}", problem="must be NAME=value")
        values[name.strip()] = value.strip().strip("'\"")
    return values


def _refuse_unknown(values: Mapping[str, str]) -> None:
    known = {setting.name for setting in SETTINGS}
    for name in values:
        # Names of the test suite share the prefix and mean nothing to the running system.
        if name.startswith("BOT_") and not name.startswith(("BOT_TEST_", "BOT_CHROMIUM")) and name not in known:
            raise SettingInvalid(name=name, problem="is not a setting; docs/settings.md lists them all")
