"""What a shell offers at the next Tab, asked of the server: quickly, in silence where it does not answer."""

from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any

import typer

from controlplane.client.api import Api, ApiError

PATIENCE = 1.0
"""Seconds. A shell that hangs at a Tab is worse than one that offers nothing."""
MOST = 100


def pipelines(incomplete: str) -> list[str]:
    """Names of pipelines."""
    return _those(
        incomplete, lambda api: (one["name"] for one in api.get("/pipelines", limit=MOST))
    )


def executions(incomplete: str) -> list[str]:
    """Ids of the newest execution of each pipeline."""

    def ids(api: Api) -> Iterable[str]:
        for one in api.get("/pipelines", limit=MOST):
            if one["latest"]:
                yield one["latest"]["id"]

    return _those(incomplete, ids)


def things(incomplete: str) -> list[str]:
    """Pipelines, and the newest executions."""
    return [*pipelines(incomplete), *executions(incomplete)]


def stages(ctx: typer.Context, incomplete: str) -> list[str]:
    """Stages of the pipeline, or of the execution, that was named before."""

    def names(api: Api) -> Iterable[str]:
        pipeline = ctx.params.get("pipeline")
        if pipeline is None:
            pipeline = api.get(f"/executions/{ctx.params['execution']}")["pipeline"]
        return (one["name"] for one in api.get(f"/pipelines/{pipeline}/state")["stages"])

    return _those(incomplete, names)


def _those(incomplete: str, ask: Callable[[Api], Iterable[Any]]) -> list[str]:
    try:
        with closing(Api(patience=PATIENCE, pause=lambda _: None)) as api:
            return [name for name in map(str, ask(api)) if name.startswith(incomplete)]
    except (ApiError, KeyError, TypeError):
        return []
