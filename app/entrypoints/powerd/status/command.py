"""``powerd status``: shows the running daemon's state, read from its socket."""

from __future__ import annotations

import json
from typing import TextIO

from app.adapters.status_socket.client import StatusClient, status_of
from app.adapters.telemetry.log import one_line
from app.domain.status import NodeStatus
from app.entrypoints.powerd.status.page import page
from app.entrypoints.settings.profiles import status_paths
from app.entrypoints.settings.schema import Settings
from app.entrypoints.terminal.colour import Paint
from app.entrypoints.terminal.tables import width_of_terminal

EXIT_FAULT = 1


def show_status(settings: Settings, out: TextIO, *, as_json: bool) -> None:
    """Print the status. Raises `DaemonSilent` when no daemon answers on this host."""
    answer = StatusClient(status_paths(settings)).ask()
    status = status_of(answer)
    if as_json:
        out.write(json.dumps(json.loads(answer), indent=2) + "\n")
    else:
        out.writelines(f"{line}\n" for line in page(status, width_of_terminal(), Paint(out)))


def check_status(settings: Settings, out: TextIO) -> int:
    """Print one line, and a line for each fault; returns the exit code: 0 without a fault, else 1."""
    status = status_of(StatusClient(status_paths(settings)).ask())
    out.writelines(f"{line}\n" for line in _judgement(status))
    return EXIT_FAULT if status.faults else 0


def _judgement(status: NodeStatus) -> list[str]:
    return [one_line(status.headline), *(one_line(f"{fault.key}: {fault.message}") for fault in status.faults)]
