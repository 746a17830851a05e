"""`justice-etl serve`: what is published, over HTTP."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.console import out
from etl.settings import Settings

serving = typer.Typer()


@serving.command(name="serve")
def serve_published(
    host: Annotated[str, typer.Option(help="The address to listen at; a TLS proxy stands in front of others.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="How many processes.")] = 2,
) -> None:
    """Serve the published versions over HTTP, until interrupted: /data/latest/…, /data/VERSION/…"""
    from etl.serve import serve

    home = Settings().home

    def tell(url: str) -> None:
        out.print(f"Serving {home} at {url}", highlight=False, soft_wrap=True, markup=False)

    serve(home, host, port, workers, tell)
