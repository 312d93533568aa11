"""Worker processes on this machine.

Each worker is an executor of one process: when one dies, only its own run is lost, and the parent knows which.
A worker holds one end of a pipe; when the other end closes (this process ended, in whatever way)
it ends at once, in the middle of a run. So nothing is left behind.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import forkserver
from multiprocessing.connection import Connection

from app.entrypoints.simulator.workers.work import TRIES_MAX, Done, Failed, Task, Work

Job = tuple[Task, int]
"""A task, and the number of this try."""


def cores() -> int:
    return len(os.sched_getaffinity(0))


class Processes:
    """`Workers` here; ``workers`` 0: one per core."""

    def __init__(self, work: Work, workers: int) -> None:
        self._work = work
        self._workers = workers or cores()

    def each(self, tasks: Iterator[Task]) -> Iterator[Done | Failed]:
        """When a worker is killed, another one does its run again."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([self._work.__module__])
        _start_fork_server()
        held, hand = context.Pipe(duplex=False)
        idle = deque(_Worker(self._work, held) for _ in range(self._workers))
        busy: dict[Future[bytes], tuple[_Worker, Job]] = {}
        again: deque[Job] = deque()
        try:
            while True:
                while idle and (job := again.popleft() if again else _first_try(tasks)):
                    worker = idle.popleft()
                    busy[worker.begin(job[0].plan)] = worker, job
                if not busy:
                    return
                for future in wait(busy, return_when=FIRST_COMPLETED).done:
                    worker, (task, tries) = busy.pop(future)
                    idle.appendleft(worker)
                    if isinstance(error := future.exception(), BrokenProcessPool) and tries < TRIES_MAX:
                        again.append((task, tries + 1))
                    else:
                        yield _ended(task, future, error)
        finally:
            if busy:  # The caller stopped reading: do not wait for running tasks.
                hand.close()
            for worker in [*idle, *(worker for worker, _ in busy.values())]:
                worker.end()
            hand.close()
            held.close()


class _Worker:
    """One process; it starts with its first run, and again after it was killed."""

    def __init__(self, work: Work, held: Connection) -> None:
        self._work = work
        self._held = held
        self._pool: ProcessPoolExecutor | None = None

    def begin(self, plan: bytes) -> Future[bytes]:
        if self._pool is not None:
            with suppress(BrokenProcessPool):
                return self._pool.submit(self._work, plan)
            self._pool.shutdown()
        context = multiprocessing.get_context("forkserver")
        self._pool = ProcessPoolExecutor(1, context, initializer=_watch_parent, initargs=(self._held,))
        return self._pool.submit(self._work, plan)

    def end(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def _start_fork_server() -> None:
    """It and the workers never get the SIGINT of Ctrl-C: the parent prints, and its end is theirs, by the pipe."""
    unblocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)


def _first_try(tasks: Iterator[Task]) -> Job | None:
    task = next(tasks, None)
    return None if task is None else (task, 1)


def _ended(task: Task, future: Future[bytes], error: BaseException | None) -> Done | Failed:
    if error is None:
        return Done(task, future.result())
    if isinstance(error, BrokenProcessPool):
        return Failed(task, f"its worker was killed {TRIES_MAX} times (too little memory? Try fewer --workers)")
    return Failed(task, f"{type(error).__name__}: {error}")


def _watch_parent(held: Connection) -> None:
    """First thing in a worker."""
    threading.Thread(target=_end_with_parent, args=(held,), name="parent", daemon=True).start()


def _end_with_parent(held: Connection) -> None:
    with suppress(EOFError, OSError):
        held.recv()
    os._exit(1)
