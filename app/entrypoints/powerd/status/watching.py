"""``powerd status --watch``: the screen, live; where the output is no terminal, a line for each thing that changes."""

from __future__ import annotations

import asyncio
import errno
import select
import signal
from contextlib import suppress
from typing import TextIO

from app.adapters.processes.daemon_thread import DaemonThread
from app.adapters.status_socket.client import ANSWER_S, DaemonSilent, StatusClient, status_of
from app.adapters.telemetry.log import one_line
from app.domain.figures import without_figures
from app.domain.status import EventStatus, NodeStatus
from app.entrypoints.powerd.status.page import clock_time, event_line, page
from app.entrypoints.settings.profiles import status_paths
from app.entrypoints.settings.schema import Settings
from app.entrypoints.terminal.colour import Paint
from app.entrypoints.terminal.local_time import with_local_times
from app.entrypoints.terminal.screen import Screen, takes_screens
from app.entrypoints.terminal.standard_streams import OutputLost
from app.entrypoints.terminal.tables import width_of_terminal

EVERY_S = 1.0


def watch_status(settings: Settings, out: TextIO) -> None:
    """Run until SIGINT or SIGTERM. Waits for a daemon that stops answering; raises `DaemonSilent` at the start."""
    client = StatusClient(status_paths(settings))
    first = status_of(client.ask())
    asyncio.run(follow(client, first, out))


async def follow(client: StatusClient, first: NodeStatus, out: TextIO) -> None:
    """Show ``first``, and then each answer to ``client``, until SIGINT or SIGTERM."""
    watch = _on_screen if takes_screens(out) else _in_lines
    watching = asyncio.ensure_future(watch(client, first, out))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, watching.cancel)
    with suppress(asyncio.CancelledError):
        await watching


async def _look(client: StatusClient) -> NodeStatus | DaemonSilent:
    await asyncio.sleep(EVERY_S)
    try:
        # Ctrl-C must not wait for a daemon that hangs, as it would for a thread of asyncio's.
        return status_of(await DaemonThread("powerd-status", 2 * ANSWER_S).run(client.ask))
    except DaemonSilent as error:
        return error


async def _on_screen(client: StatusClient, first: NodeStatus, out: TextIO) -> None:
    screen, paint = Screen(out), Paint(out)
    shown, trouble = first, ""

    def redraw() -> None:
        width = width_of_terminal()
        last = paint(one_line(trouble)[:width], "red") if trouble else "Ctrl-C ends it"
        screen.show([*page(shown, width, paint), "", last])

    with screen.shown(redraw):
        while True:
            redraw()
            look = await _look(client)
            if isinstance(look, NodeStatus):
                shown, trouble = look, ""
            else:
                trouble = f"as of {clock_time(shown.now_s)}: {look}"


async def _in_lines(client: StatusClient, first: NodeStatus, out: TextIO) -> None:
    def say(text: str) -> None:
        print(one_line(with_local_times(text)), file=out, flush=True)

    headline, seen_s, silent = "", 0.0, False
    look: NodeStatus | DaemonSilent = first
    while True:
        if isinstance(look, DaemonSilent):
            if not silent:
                say(str(look))
            silent = True
        else:
            for event in _since(look, seen_s):
                say(event_line(event))
            seen_s = max([seen_s, *(event.at_s for event in look.events)])
            if silent or without_figures(look.headline) != without_figures(headline):
                say(look.headline)
            headline, silent = look.headline, False
        look = await _look(client)
        if _reader_gone(out):
            raise OutputLost(errno.EPIPE)


def _reader_gone(out: TextIO) -> bool:
    """Detects a pipe without a reader: otherwise only the next line would, possibly hours later."""
    poll = select.poll()
    poll.register(out, 0)  # errors alone
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _since(status: NodeStatus, seen_s: float) -> list[EventStatus]:
    return [event for event in status.events if event.at_s > seen_s]
