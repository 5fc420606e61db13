"""What the demonstration makes up for itself: keys and credentials, kept in the data folder and never committed."""

import base64
import json
import secrets
import string
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from bot.settings import AES_KEY_CHARS, Settings
from bot.storage.encryption import FieldCipher
from bot.values.errors import BotError

SECRETS_FILE = "secrets.json"


class SecretsUnreadable(BotError):
    """The file of local secrets is damaged. Records sealed with its keys cannot be read without it."""

    code: ClassVar[str] = "secrets.unreadable"


def complete(settings: Settings) -> Settings:
    """Return ``settings`` with what is missing for a local run: field keys, and the simulator's credentials.

    What is made up is stored in ``secrets.json`` (mode 600) of the data folder and used again at the next start.
    """
    stored = _load_or_create(settings.data_dir)
    if not settings.field_keys:
        settings = replace(settings, field_keys=stored["field_keys"])
    if settings.wechat.app_id:
        return settings
    wechat = replace(
        settings.wechat,
        app_id=stored["app_id"],
        app_secret=stored["app_secret"],
        token=stored["token"],
        aes_keys=(stored["aes_key"],),
        api_base=f"http://127.0.0.1:{settings.simulator_port}",
    )
    return replace(settings, wechat=wechat, demo=True)


def _load_or_create(data_dir: Path) -> dict[str, str]:
    path = data_dir / SECRETS_FILE
    if path.exists():
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise SecretsUnreadable(file=str(path)) from error
        return dict(content)
    content = {
        "field_keys": FieldCipher.new_setting(),
        "app_id": f"wx{secrets.token_hex(8)}",
        "app_secret": secrets.token_hex(16),
        "token": secrets.token_hex(8),
        "aes_key": new_aes_key(),
        "staff_password": secrets.token_urlsafe(9),
    }
    data_dir.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")
    temporary.replace(path)
    return content


def staff_password(data_dir: Path) -> str:
    """Return the password of the demonstration's staff login."""
    return _load_or_create(data_dir)["staff_password"]


def new_aes_key() -> str:
    """Return a random EncodingAESKey: 43 characters of base64 without its padding."""
    key = base64.b64encode(secrets.token_bytes(32)).decode()[:AES_KEY_CHARS]
    alphabet = string.ascii_letters + string.digits
    return "".join(letter if letter in alphabet else "A" for letter in key)
