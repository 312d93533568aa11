"""Workers of a Dask cluster.

They need the very same version of powerd; Dask itself repeats the runs of a dead worker.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Collection, Iterator
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

from app.domain.errors import PermanentError, RetryableError
from app.entrypoints.simulator.workers.work import Done, Failed, Task, Work, code_digest

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_S = 10.0
LOOK_AGAIN_S = 5.0
"""How often powerd asks for the number of workers, which come and go."""
WORKERS_GONE_S = 60.0
AHEAD = 2
"""Runs in the cluster per thread: when one ends, the next one is there already."""


class ClusterUnusable(PermanentError):
    """Dask is not installed, or the cluster has no workers, or workers with another version.

    The program ends with 2, since 1 means that a promise was broken.
    """

    exit_code = 2


class ClusterGone(RetryableError):
    """The connection to the scheduler was lost during the runs. The program ends with 2, as above."""

    exit_code = 2


class DaskCluster:
    """`Workers` at ``tcp://HOST:PORT``."""

    def __init__(self, work: Work, address: str) -> None:
        self._work = work
        self._address = address

    def each(self, tasks: Iterator[Task]) -> Iterator[Done | Failed]:
        """`ClusterUnusable` before anything ran; `ClusterGone` in the middle."""
        with self._connected() as client:
            from distributed.comm import CommClosedError

            try:
                yield from self._each(client, tasks)
            except (CancelledError, CommClosedError) as lost:
                raise ClusterGone(
                    f"the Dask scheduler at {self._address} is gone; with --out the finished runs are kept, "
                    "and the same command goes on from there"
                ) from lost

    def _each(self, client: Client, tasks: Iterator[Task]) -> Iterator[Done | Failed]:
        threads = _Threads(client)
        running: dict[Future, Task] = {}
        while True:
            while len(running) < threads.count() * AHEAD and (task := next(tasks, None)):
                future = client.submit(do, self._work, task.plan, code_digest(), pure=False)
                running[future] = task
            if not running:
                return
            for future in self._finished(client, running):
                yield _ended(running.pop(future), future)

    def _finished(self, client: Client, running: Collection[Future]) -> Collection[Future]:
        """Those that are finished, as soon as there is one; `ClusterGone` once there are no workers for a while."""
        from distributed import wait

        for _ in range(math.ceil(WORKERS_GONE_S / LOOK_AGAIN_S)):
            try:
                with client.as_current():
                    return set(wait(list(running), timeout=LOOK_AGAIN_S, return_when="FIRST_COMPLETED").done)
            except TimeoutError:
                if client.nthreads():
                    return ()
        raise ClusterGone(
            f"the Dask cluster at {self._address} has had no workers for {WORKERS_GONE_S:g} s; with --out the finished "
            "runs are kept, and the same command goes on from there"
        )

    def _connected(self) -> Client:
        try:
            from distributed import Client
        except ImportError as error:
            raise ClusterUnusable(
                f"--scheduler needs Dask, which is not installed ({error}); pip install 'powerd[sweep]'"
            ) from error
        # Dask logs tracebacks for what our message says in one line.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        try:
            # A client that can't connect waits for 20 s before it goes away.
            asyncio.run(_connect_once(self._address))
            client = Client(self._address, timeout=CONNECT_S, set_as_default=False)
        except Exception as error:  # an endpoint that speaks something else can make Dask raise anything
            raise ClusterUnusable(
                f"no Dask scheduler answers at {self._address} ({error or type(error).__name__}); "
                "start one (dask scheduler), or correct --scheduler tcp://HOST:PORT"
            ) from error
        try:
            self._look(client)
        except BaseException:
            client.close()
            raise
        return client

    def _look(self, client: Client) -> None:
        """Check that the cluster has workers, and that they have this version of powerd."""
        try:
            client.wait_for_workers(1, timeout=CONNECT_S)
        except TimeoutError as error:
            raise ClusterUnusable(
                f"the Dask scheduler at {self._address} has no workers; start some (dask worker {self._address})"
            ) from error
        try:
            client.submit(do, len, b"", code_digest(), pure=False).result()
        except ImportError as error:
            raise ClusterUnusable(
                f"the workers of {self._address} can't import powerd ({error}); install this version there"
            ) from error


async def _connect_once(address: str) -> None:
    from distributed.comm import connect

    await (await connect(address, timeout=CONNECT_S)).close()


class _Threads:
    """The number of runs that the cluster can do at once, read now and then."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._looked_s = float("-inf")
        self._count = 1

    def count(self) -> int:
        if time.monotonic() - self._looked_s > LOOK_AGAIN_S:
            self._looked_s = time.monotonic()
            nthreads: dict[str, int] = self._client.nthreads()
            self._count = max(1, sum(nthreads.values()))
        return self._count


def _ended(task: Task, future: Future) -> Done | Failed:
    from distributed import KilledWorker

    try:
        return Done(task, future.result())
    except (ClusterUnusable, CancelledError):
        raise
    except KilledWorker as error:
        return Failed(task, f"every worker that tried it died: {error}")
    except Exception as error:  # noqa: BLE001 - whatever the run raised
        return Failed(task, f"{type(error).__name__}: {error}")


def do(work: Any, plan: bytes, code: str) -> Any:
    """On the worker: the work, if its code is ours."""
    if code_digest() != code:
        raise ClusterUnusable("a Dask worker runs another version of powerd: install the same one everywhere")
    return work(plan)
