"""Workers of a Dask cluster. They need the very same version of powerd; Dask itself redoes what a dead worker had."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from app.domain.errors import PermanentError, RetryableError
from app.entrypoints.simulate.many.work import Done, Failed, Task, Work, code_digest

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_S = 10.0
LOOK_AGAIN_S = 5.0
"""How often it is asked how many workers there are: they come and go."""
AHEAD = 2
"""Runs in the cluster per thread: the next one is there when one ends."""


class ClusterUnusable(PermanentError):
    """No such extra, nobody there, or workers with another version."""


class ClusterGone(RetryableError):
    """The scheduler was lost in the middle."""


class DaskCluster:
    """`Workers` at ``tcp://HOST:PORT``."""

    def __init__(self, work: Work, address: str) -> None:
        self._work = work
        self._address = address

    def each(self, tasks: Iterator[Task]) -> Iterator[Done | Failed]:
        """`ClusterUnusable` before anything ran; `ClusterGone` in the middle."""
        with self._connected() as client:
            from distributed import CancelledError, as_completed

            threads = _Threads(client)
            running: dict[Future, Task] = {}
            finished = as_completed(loop=client.loop)
            while True:
                while len(running) < threads.count() * AHEAD and (task := next(tasks, None)):
                    future = client.submit(do, self._work, task.plan, code_digest(), pure=False)
                    running[future] = task
                    finished.add(future)
                if not running:
                    return
                future = next(finished)
                task = running.pop(future)
                try:
                    error = future.exception()
                except (CancelledError, TimeoutError, OSError) as lost:
                    raise self._gone() from lost
                if isinstance(error, CancelledError):
                    raise self._gone()
                yield self._ended(task, future, error)

    def _ended(self, task: Task, future: Future, error: BaseException | None) -> Done | Failed:
        from distributed import KilledWorker

        if error is None:
            return Done(task, future.result())
        if isinstance(error, ClusterUnusable):
            raise error
        if isinstance(error, KilledWorker):
            return Failed(task, f"every worker that tried it died: {error}")
        return Failed(task, f"{type(error).__name__}: {error}")

    def _connected(self) -> Client:
        try:
            from distributed import Client
        except ImportError as error:
            raise ClusterUnusable(
                f"--scheduler needs Dask, which is not installed ({error}); pip install 'powerd[sweep]'"
            ) from error
        try:
            client = Client(self._address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise ClusterUnusable(
                f"no Dask scheduler answers at {self._address} ({error}); start one (dask scheduler), "
                "or correct --scheduler tcp://HOST:PORT"
            ) from error
        try:
            self._look(client)
        except BaseException:
            client.close()
            raise
        return client

    def _look(self, client: Client) -> None:
        """Somebody works there, with our version of powerd."""
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

    def _gone(self) -> ClusterGone:
        return ClusterGone(
            f"the Dask scheduler at {self._address} is gone; what was finished is in --out, "
            "and the same command goes on from there"
        )


class _Threads:
    """How many runs the cluster can do at once, looked at now and then."""

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


def do(work: Any, plan: bytes, code: str) -> Any:
    """On the worker: the work, if its code is ours."""
    if code_digest() != code:
        raise ClusterUnusable("a Dask worker runs another version of powerd: install the same one everywhere")
    return work(plan)
