"""The long-running programs: the daemon itself, and the follower that feeds its event stream."""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import logging
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Protocol

from app.domain.errors import LoopStuck
from app.domain.services.supervision import Supervision
from app.entrypoints.powerd import monitoring
from app.entrypoints.settings.profiles import calls_neighbours, serves_zbus, speaks_substrate
from app.entrypoints.wiring import host
from app.entrypoints.wiring.container import Container
from app.entrypoints.wiring.injection import providers
from app.ports.service_manager import ServiceManager

STOP_S = 4.5
"""A stop by a signal ends within 5 s (R12), even if a library still waits."""

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""SIGHUP too: a terminal that is closed, or a log rotation, must not end powerd between its Down and its Up (R12)."""

START_S = 10.0
"""By then the modules of a daemon are imported, and the chain's metadata is read, unless the machine is very busy."""

log = logging.getLogger("powerd")


class Closable(Protocol):
    """An adapter that has connections."""

    async def close(self) -> None:
        """Close the connections."""
        ...


def run_daemon(container: Container) -> None:
    """Keep this node's power in step with the chain until a signal of `STOPS`.

    Raises `PowerdError` when it can't go on (no such node, another chain).
    """
    container.instruments.override(container.daemon_instruments)
    container.fault_hook.override(container.program_fault_hook)
    run_until_stopped(_serve(container), container.service_manager())


def run_follower(container: Container) -> None:
    """Publish the farm's events until a signal of `STOPS`; errors as for `run_daemon`."""
    container.fault_hook.override(container.program_fault_hook)
    run_until_stopped(_follow(container), container.service_manager())


def run_until_stopped(work: Coroutine[object, object, None], manager: ServiceManager) -> None:
    """Run ``work``; a signal cancels it, and then it has `STOP_S` to end. SIGUSR1 makes it log what runs."""
    asyncio.run(_supervise(work, manager))


async def _supervise(work: Coroutine[object, object, None], manager: ServiceManager) -> None:
    # When systemd's watchdog ends the process (SIGABRT), the stacks of its threads go to the log.
    faulthandler.enable(file=2)
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(work, name="work")
    stopped_by: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        if not stopped_by:
            stopped_by.append(number)
            log.info("stopping on %s", number.name)
            manager.stopping(f"stopping on {number.name}")
            _exit_after(STOP_S)
            task.cancel()

    for number in STOPS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores it on purpose
            loop.add_signal_handler(number, stop, number)
    loop.add_signal_handler(signal.SIGUSR1, _log_what_runs)
    loop.call_later(START_S, gc.enable)  # the command line switched it off
    try:
        await task
    except asyncio.CancelledError:
        if not stopped_by:
            raise
    log.info("stopped")


def _log_what_runs() -> None:
    """Log one line at every log level: the operator asks for it, to see what hangs or grows."""
    fields = {
        "tasks": sorted(f"{task.get_name()}: {_place(task)}" for task in asyncio.all_tasks()),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "descriptors": _descriptors(),
    }
    level = max(logging.INFO, log.getEffectiveLevel())
    log.log(level, "what runs now", extra={"event": "WhatRuns", "fields": fields})


def _place(task: asyncio.Task[object]) -> str:
    """The innermost coroutine that the task waits in."""
    place: object = task.get_coro()
    while hasattr(inner := getattr(place, "cr_await", None), "cr_await"):
        place = inner
    return str(getattr(place, "__qualname__", place))


def _descriptors() -> list[str]:
    """The target of each open descriptor; the descriptor that lists them is closed by then."""
    open_now = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            open_now.append(str(entry.readlink()))
    return sorted(open_now)


def _exit_after(seconds: float) -> None:
    """End the process after ``seconds``, even if tasks still run."""

    def leave() -> None:
        log.error("did not end within %.1f s after the signal; exiting at once", seconds)
        logging.shutdown()
        os._exit(1)

    timer = threading.Timer(seconds, leave)
    timer.daemon = True
    timer.start()


async def _serve(container: Container) -> None:
    settings = container.settings()
    serves = serves_zbus(settings)
    async with AsyncExitStack() as stack:
        _close_at_end(stack, (container.events, container.magic_packets))
        if speaks_substrate(settings):
            _close_at_end(stack, (container.chain_client,))
        if calls_neighbours(settings):
            _close_at_end(stack, (container.zbus_client,))
        if serves:
            _close_at_end(stack, (container.zbus_server, container.domain_events))
        async with asyncio.TaskGroup() as group:
            supervision = container.supervision()
            group.create_task(_end_when_stuck(supervision), name="supervision")
            group.create_task(container.status_watch().run(), name="status socket")
            group.create_task(container.faults().run(), name="faults")
            monitoring.show(container, group)
            if speaks_substrate(container.settings()):
                group.create_task(container.endpoint_watch().run(), name="endpoints")
            if serves:
                group.create_task(container.zbus_server().run(), name="zbus server")
                group.create_task(container.domain_events().run(), name="zbus events")
            await _identify(container)
            _take_lock(container, stack, "powerd")
            container.operator().services = container.services()
            supervision.ready(container.operator().headline)
            group.create_task(container.registration_watch().run(), name="registration")
            await container.server().start()


async def _follow(container: Container) -> None:
    async with AsyncExitStack() as stack:
        _close_at_end(stack, (container.chain_client, container.events_out))
        if calls_neighbours(container.settings()):
            _close_at_end(stack, (container.zbus_client,))
        async with asyncio.TaskGroup() as group:
            supervision = container.supervision()
            group.create_task(_end_when_stuck(supervision), name="supervision")
            monitoring.show(container, group)
            await _identify(container)
            _take_lock(container, stack, "powerd-events")
            supervision.ready(container.follower().headline)
            group.create_task(container.registration_watch().run(), name="registration")
            await container.follower().run()


async def _end_when_stuck(supervision: Supervision) -> None:
    """End the process when a loop hangs: an orderly stop may hang as well."""
    try:
        await supervision.run()
    except LoopStuck as error:
        log.critical("%s", error)
        _log_what_runs()
        _exit_after(STOP_S)
        supervision.give_up(error)
        raise


def _take_lock(container: Container, stack: AsyncExitStack, program: str) -> None:
    """Hold this program's lock for the node on this host; raises `AlreadyRunning` if another process holds it."""
    node = container.node()
    lock = host.instance_lock(container.settings(), program)
    who = f"{program.replace('-', ' ')} for node {node.node} of farm {node.farm}"
    lock.take(f"{program}-node{node.node}-farm{node.farm}-twin{node.twin}", who)
    stack.callback(lock.release)


def _close_at_end(stack: AsyncExitStack, makers: Iterable[Callable[[], Closable]]) -> None:
    for make in makers:
        stack.push_async_callback(make().close)


async def _identify(container: Container) -> None:
    node = await container.identification().run()
    log.info("this is node %d of farm %d (twin %d)", node.node, node.farm, node.twin)
    container.node.override(providers.Object(node))
