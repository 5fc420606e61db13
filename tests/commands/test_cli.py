"""The command line: every command explains itself, and a wrong setting is named."""

import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import main
from bot.commands.flows import check
from bot.demo import complete, new_aes_key
from bot.settings import SETTINGS, SettingInvalid, load_settings

COMMANDS = (
    "run",
    "gateway",
    "worker",
    "simulator",
    "migrate",
    "keys",
    "train",
    "flows check",
    "nlu evaluate",
    "nlu models",
    "nlu promote",
    "nlu rollback",
    "nlu review list",
    "nlu review relabel",
    "nlu review dismiss",
    "nlu review undo",
    "nlu review export",
    "campaign create",
    "campaign list",
    "campaign audience",
    "campaign plan",
    "campaign preview",
    "campaign check",
    "campaign approve",
    "campaign send",
    "campaign pause",
    "campaign resume",
    "campaign cancel",
    "campaign retry",
    "campaign status",
    "campaign results",
    "staff add",
    "staff list",
    "staff chats",
    "staff answer",
    "staff close",
    "privacy export",
    "privacy erase",
)
GOOD = {
    "BOT_WECHAT_APP_ID": "wx0123456789abcdef",
    "BOT_WECHAT_APP_SECRET": "secret",
    "BOT_WECHAT_TOKEN": "token123",
    "BOT_WECHAT_AES_KEY": new_aes_key(),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert ended.value.code == 0
    assert "usage:" in capsys.readouterr().out


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_documented(setting: object) -> None:
    row = next(known for known in SETTINGS if known is setting)
    page = Path("docs/settings.md").read_text(encoding="utf-8")
    assert f"| `{row.name}` |" in page
    assert row.help in page


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BOT_WECHAT_MODE", "clear"),
        ("BOT_WECHAT_TOKEN", "x"),
        ("BOT_WECHAT_AES_KEY", "short"),
        ("BOT_GATEWAY_PORT", "eighty"),
        ("BOT_GATEWAY_PORT", "70000"),
        ("BOT_NLU_TIMEOUT_S", "-1"),
        ("BOT_NLU_PROCESSES", "0"),
        ("BOT_DEMO", "yes"),
        ("BOT_NO_SUCH_THING", "1"),
    ],
)
def test_a_wrong_setting_is_named_without_its_value(name: str, value: str) -> None:
    with pytest.raises(SettingInvalid) as refused:
        load_settings({**GOOD, name: value}, env_file=None)
    assert refused.value.fields["name"] == name
    assert value not in str(refused.value.fields["problem"]).split()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# demo\nBOT_GATEWAY_PORT=1234\nBOT_NLU_URL='http://127.0.0.1:1/'\n", encoding="utf-8")
    settings = load_settings({"BOT_GATEWAY_PORT": "4321"}, env_file=file)
    assert (settings.gateway_port, settings.nlu_url) == (4321, "http://127.0.0.1:1")


def test_a_process_without_credentials_says_what_is_missing(tmp_path: Path) -> None:
    environment = {"BOT_DATA_DIR": str(tmp_path), "BOT_DEMO": "off", "PATH": ""}
    run = subprocess.run(
        [sys.executable, "-m", "bot", "gateway"], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert "BOT_WECHAT_APP_ID" in run.stderr
    assert "Traceback" not in run.stderr


def test_local_secrets_are_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = load_settings({"BOT_DATA_DIR": str(tmp_path)}, env_file=None)
    first, second = complete(settings), complete(settings)
    assert first == second
    assert first.demo
    assert (tmp_path / "secrets.json").stat().st_mode & 0o077 == 0


def test_the_flows_have_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(load_settings({}, env_file=None)) == 0
    assert "error" not in capsys.readouterr().out
