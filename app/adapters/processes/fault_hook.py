"""Runs the operator's command for each fault that appears or is over. Nothing waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence

from app.adapters.processes.command import inherited, run_command
from app.domain.events import DomainEvent, FaultCleared, FaultRaised
from app.domain.faults import FaultKind
from app.domain.measurements import Measurement

WAITING_MAX = 100
"""Of changes that wait for a slow command; the oldest are dropped, and the log says so."""
OWN_SETTINGS = "POWERD_"
"""The daemon's settings are not the command's."""

log = logging.getLogger(__name__)


class FaultHook:
    """`Telemetry` that gets faults; `run` runs the command, one at a time, in the order of the changes.

    A fault whose text changes is the same fault. No shell is involved: what a text holds is never a command.
    """

    def __init__(self, command: Sequence[str], timeout_s: float) -> None:
        self._command = tuple(command)
        self._timeout_s = timeout_s
        self._messages: dict[str, str] = {}
        self._waiting: deque[Mapping[str, str]] = deque()
        self._news = asyncio.Event()

    def record(self, event: DomainEvent) -> None:
        match event:
            case FaultRaised(key, message):
                if key not in self._messages:
                    self._put(key, "raised", message)
                self._messages[key] = message
            case FaultCleared(key):
                self._put(key, "cleared", self._messages.pop(key, ""))
            case _:
                return

    def measure(self, measurement: Measurement) -> None:
        """Do nothing: no measurement is a fault."""

    async def run(self) -> None:
        """Run the command for every change; runs until cancelled, and then kills a command that still runs."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                await self._run(self._waiting.popleft())

    def _put(self, key: str, state: str, message: str) -> None:
        kind = FaultKind.of(key)
        if len(self._waiting) >= WAITING_MAX:
            dropped = self._waiting.popleft()
            log.warning("the fault hook is too slow: fault %s %s is not handed to it", *_what(dropped))
        self._waiting.append(
            {
                "FAULT_KEY": key,
                "FAULT_STATE": state,
                "FAULT_MESSAGE": message,
                "FAULT_REMEDY": "" if kind is None else kind.remedy,
            }
        )
        self._news.set()

    async def _run(self, variables: Mapping[str, str]) -> None:
        outside = {name: value for name, value in inherited().items() if not name.startswith(OWN_SETTINGS)}
        environment = outside | {name: _passable(value) for name, value in variables.items()}
        try:
            ended = await run_command(self._command, self._timeout_s, environment)
        except TimeoutError:
            problem = f"took more than {self._timeout_s:g} s, and was killed"
        except (OSError, ValueError) as error:  # a text that this locale cannot write, say
            problem = f"can't be started: {getattr(error, 'strerror', None) or error}"
        else:
            problem = f"ended with code {ended.code}: {ended.tail}" if ended.code else ""
        if problem:
            what = " ".join(_what(variables))
            log.warning("the fault hook %s (fault %s) %s; see faults.hook_command", self._command[0], what, problem)


def _passable(text: str) -> str:
    """Replace what no environment can hold, and text from outside may have: zero bytes, halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _what(variables: Mapping[str, str]) -> tuple[str, str]:
    return variables["FAULT_KEY"], variables["FAULT_STATE"]
