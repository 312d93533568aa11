"""The options of the command line that say who does the work."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from app.entrypoints.terminal.ranges import WholeRange

if TYPE_CHECKING:
    from app.entrypoints.simulator.workers.work import Work, Workers

F = TypeVar("F", bound=Callable[..., Any])


def worker_options(command: F) -> F:
    command = click.option(
        "--scheduler",
        metavar="tcp://HOST:PORT",
        help="On the workers of this Dask cluster (pip install 'powerd[sweep]').",
    )(command)
    return click.option("--workers", type=WholeRange(1, 1024), help="Processes here.  [default: one per core]")(command)


def workers_of(work: Work, workers: int | None, scheduler: str | None) -> Workers:
    """Processes here, or a cluster's."""
    if scheduler is None:
        from app.entrypoints.simulator.workers.processes import Processes

        return Processes(work, workers or 0)
    if workers is not None:
        raise click.UsageError(
            "--workers starts processes here, --scheduler uses those of a cluster: leave one of them out"
        )
    from app.entrypoints.simulator.workers.dask_cluster import DaskCluster

    return DaskCluster(work, scheduler)
