"""Prepare what the services need, once at every start: the database, the pools, the administrator.

Run again it changes nothing, but that it brings the database to the version of the image and the administrator's
password to that of `.env`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_POOLS = Path("/opt/justice-etl/dags/pools.json")


def _run(*arguments: str, quietly: bool = False) -> None:
    result = subprocess.run(["airflow", *arguments], capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"airflow {' '.join(arguments[:2])} failed:\n{result.stdout}\n{result.stderr}")
    if not quietly:
        sys.stdout.write(f"airflow {' '.join(arguments[:2])}: done\n")
        sys.stdout.flush()


def _check_writable(*folders: str) -> None:
    for folder in folders:
        if not os.access(folder, os.W_OK):
            owner = f"{os.getuid()}:{os.getgid()}"
            sys.exit(f"{folder} cannot be written: give the volume's folder to {owner} (chown -R {owner})")


def main() -> None:
    """Do all of it, in order; the first failure ends it."""
    _check_writable(os.environ["JUSTICE_HOME"], os.environ["AIRFLOW__LOGGING__BASE_LOG_FOLDER"])
    user, password = os.environ["AIRFLOW_ADMIN_USER"], os.environ["AIRFLOW_ADMIN_PASSWORD"]
    _run("db", "migrate")
    if _POOLS.exists():
        _run("pools", "import", str(_POOLS))
    # Two steps: to create one that is there already is no error, and leaves the password as it was.
    names = ["--firstname", "Admin", "--lastname", "Admin", "--email", f"{user}@localhost", "--role", "Admin"]
    _run("users", "create", "--username", user, "--password", password, *names)
    _run("users", "reset-password", "--username", user, "--password", password)


if __name__ == "__main__":
    main()
