"""Everything an installation may set, typed, from environment variables; all faults are reported at once.

Each variable is `PORTAL_<NAME>`; a secret may also come from a file named by `PORTAL_<NAME>_FILE`. The three
servers keep the names everybody uses: DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL.
"""

from __future__ import annotations

import os
import secrets
from datetime import date, time
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "PORTAL_"
ROOT = Path(__file__).resolve().parent.parent


def _secrets_from_files() -> dict[str, Any]:
    """Reads every `PORTAL_<NAME>_FILE`: the content of the file is the value of `<name>`, without its last newline."""
    return {
        key.removeprefix(PREFIX).removesuffix("_FILE").lower(): Path(path).read_text().rstrip("\n")
        for key, path in os.environ.items()
        if key.startswith(PREFIX) and key.endswith("_FILE")
    }


class Config(BaseSettings):
    """The settings of one installation. Durations are seconds, sizes bytes."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", populate_by_name=True)

    database_url: str = Field(
        default="postgresql://portal_app@127.0.0.1/portal", validation_alias="DATABASE_URL"
    )
    database_owner_url: str | None = Field(default=None, validation_alias="DATABASE_OWNER_URL")
    redis_url: str = Field(default="redis://127.0.0.1:6379/0", validation_alias="REDIS_URL")
    gate_role: str = "portal_gate"

    var: Path = ROOT / "var"
    debug: bool = False
    secret_key: str | None = None
    master_key: str | None = None
    older_master_keys: str = ""
    allowed_hosts: str = "localhost,127.0.0.1,[::1]"
    is_behind_https: bool = False
    is_demo: bool = False
    identity_allow_private: bool = False
    second_factor_required: bool = True
    confirm_after: int = 900

    fla_application_code: str = "FLAD"
    fla_form_code: str = "FLAD001"
    fla_namespace: str = "urn:portal:fla:1"
    fla_opens_on: date = date(2024, 4, 1)
    fla_closes_on: date = date(2025, 12, 31)
    fla_is_reopened: bool = False

    channel_hosts: str = "sftp.socialsecurity.be"

    departure_every: int = 900
    collect_every: int = 120
    sweep_every: float = 5.0
    stale_after: int = 300
    retry_after: int = 60
    acknowledgement_overdue_after: int = 3600
    answers_overdue_after: int = 2 * 86_400
    contact_overdue_after: int = 3600
    watch_every: int = 60
    letters_kept_days: int = 30

    metrics_token: str | None = None

    email_host: str = ""
    email_port: int = 587
    email_user: str = ""
    email_password: str = ""
    email_has_tls: bool = True
    email_from: str = "portal@localhost"
    public_url: str = "http://localhost:8000"
    digest_at: time = time(7, 30)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[Any, ...]:
        """The plain variable wins over its `_FILE` twin."""
        return init_settings, env_settings, _secrets_from_files


def local_secret(var: Path, name: str, size: int = 32) -> str:
    """Returns the secret kept in `var/secrets/<name>`, made on first use (hexadecimal, mode 0600).

    It lets a fresh clone start with nothing set. An installation sets the variable instead: whoever loses the master
    key loses every sealed number and key.
    """
    folder = var / "secrets"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / name
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(size))
    return path.read_text()
