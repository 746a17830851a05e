"""Settings from JUSTICE_* environment variables, and where the project's own files are."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


@cache
def project_root() -> Path:
    """The folder that holds schemas/, warehouse/, expectations/ and samples/ (a checkout, or the image)."""
    return Path(__file__).resolve().parent.parent


@cache
def own_version() -> str:
    """The version of justice-etl that is installed."""
    return version("justice-etl")


class Settings(BaseSettings):
    """All settings; each can be given as JUSTICE_<NAME> in the environment."""

    model_config = SettingsConfigDict(env_prefix="JUSTICE_", extra="ignore", validate_default=True)

    home: Path = Field(default_factory=lambda: project_root() / "data", description="Where all data lives.")
    keep_versions: int = Field(default=10, ge=1, description="Published versions kept, pinned ones apart.")
    lease_wait_seconds: float = Field(default=600, ge=0, description="How long a run waits for another.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"
    memory_limit: str = Field(default="3GB", description="DuckDB's memory limit while building.")
    contact: str | None = Field(default=None, description="Where publishers can reach whoever runs this.")
    replica_url: str | None = Field(default=None, description="A loopback replica that stands for all publishers.")
    alert_urls: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(), description="Whom to tell of failures: addresses as apprise knows them."
    )

    @field_validator("home")
    @classmethod
    def make_absolute(cls, home: Path) -> Path:
        """Make the home absolute once, so that a later change of folder moves nothing."""
        return home.expanduser().absolute()

    @field_validator("alert_urls", mode="before")
    @classmethod
    def split_addresses(cls, value: object) -> object:
        """Split where apprise does: at blanks, commas and semicolons before a scheme; an address may hold others."""
        if not isinstance(value, str):
            return value
        parts = re.split(r"[\s,;]+(?=[a-z0-9]{1,32}://)", value, flags=re.IGNORECASE)
        return [part for text in parts if (part := text.strip(" \t\r\n,;"))]
