"""Make `.env` for docker compose: fresh secrets, readable by their owner alone. One that is there is never touched.

    python3 docker/make_env.py [--executor local|celery] [--contact you@example.org] [FILE]

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import base64
import os
import secrets
import sys
from pathlib import Path

_EXECUTORS = {"local": ("LocalExecutor", ""), "celery": ("CeleryExecutor", "celery")}

TEMPLATE = """\
# Settings and secrets of docker-compose.yml, made by `make env`. Keep it out of version control, and back it up.
# How to change the secrets: docs/operating.md, "Rotate secrets". Put values with $ or # in 'single quotes'.

# Where publishers can reach you: a mail address or a page. Nothing is fetched without it.
JUSTICE_CONTACT={contact}
# Where alerts go: addresses of Apprise, separated by spaces. Empty: nowhere.
JUSTICE_ALERT_URLS=
# DuckDB's memory while building; the container that builds has SCHEDULER_MEMORY or WORKER_MEMORY.
#JUSTICE_MEMORY_LIMIT=3GB
#JUSTICE_KEEP_VERSIONS=10

# Who may sign in at first, and with what.
AIRFLOW_ADMIN_USER=admin
AIRFLOW_ADMIN_PASSWORD={admin_password}

# Where tasks run: LocalExecutor (in the scheduler), or CeleryExecutor with COMPOSE_PROFILES=celery (in workers).
AIRFLOW_EXECUTOR={executor}
COMPOSE_PROFILES={profiles}

# Ports on this machine's loopback address.
#AIRFLOW_PORT=8080
#WEB_PORT=8081
# What the interface is called from outside, for links.
#AIRFLOW_BASE_URL=http://localhost:8080

# Secrets. The Fernet key encrypts connections and variables in the database.
POSTGRES_PASSWORD={postgres_password}
REDIS_PASSWORD={redis_password}
AIRFLOW_FERNET_KEY={fernet_key}
AIRFLOW_JWT_SECRET={jwt_secret}
AIRFLOW_SECRET_KEY={secret_key}
"""


def make_env(executor: str = "local", contact: str = "") -> str:
    """The content of a `.env` with secrets that nobody had before."""
    name, profiles = _EXECUTORS[executor]
    return TEMPLATE.format(
        contact=contact,
        executor=name,
        profiles=profiles,
        # Passwords stand in addresses of databases: letters and digits alone.
        admin_password=secrets.token_hex(12),
        postgres_password=secrets.token_hex(24),
        redis_password=secrets.token_hex(24),
        fernet_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        jwt_secret=secrets.token_hex(48),
        secret_key=secrets.token_hex(32),
    )


def main(arguments: list[str] | None = None) -> int:
    """Write it; 0 where it was made or is there already."""
    parser = argparse.ArgumentParser(description="Make .env for docker compose; one that is there is never touched.")
    parser.add_argument("file", nargs="?", type=Path, default=Path(__file__).resolve().parent.parent / ".env")
    parser.add_argument("--executor", choices=sorted(_EXECUTORS), default="local")
    parser.add_argument("--contact", default="")
    options = parser.parse_args(arguments)
    try:
        # The mode is there from the first moment, and whoever comes second finds the file.
        descriptor = os.open(options.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        sys.stderr.write(f"{options.file} is there already and stays as it is; remove it to make another\n")
        return 0
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(make_env(options.executor, options.contact))
    said = f"made {options.file}" if options.contact else f"made {options.file}: give JUSTICE_CONTACT a value in it"
    sys.stderr.write(f"{said}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
