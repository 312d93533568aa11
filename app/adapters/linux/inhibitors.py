"""Block inhibitors of logind as holds: what ``systemd-inhibit --what=shutdown --mode=block`` takes.

While there is one, logind refuses a power-off, but not for root, and powerd may run as root. So powerd
must look itself. `ListInhibitors` returns an array of (what, who, why, mode, uid, pid), where ``what`` is a
list joined by colons (org.freedesktop.login1(5)). Mode ``delay`` asks for some seconds only, which logind
grants itself. Mode ``block-weak`` (systemd 257) does not bind root by design.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from app.adapters.processes.command import Answered, ask_command
from app.adapters.processes.exhausted import remedy_of
from app.domain.errors import HoldsUnreadable
from app.domain.model import Hold

TYPE = "a(ssssuu)"
ANSWER_BYTES_MAX = 1024 * 1024

NO_LOGIND = (
    "failed to connect to bus: no such file or directory",
    "failed to connect to bus: host is down",
    "the name org.freedesktop.login1 was not provided by any .service files",
    "the name is not activatable",
    "unit dbus-org.freedesktop.login1.service not found",
    "unit systemd-logind.service is masked",
    # The same, where systemd had loaded the unit by both names before it was masked.
    "unit dbus-org.freedesktop.login1.service failed to load properly",
)
"""What busctl prints where there is no bus, or no such name on it: the messages of sd-bus, dbus-daemon,
dbus-broker and systemd. A bus that refuses the connection is not in this list: that is doubt."""


class LogindInhibitors:
    """`Holds` from ``command``, which prints the answer to ListInhibitors as busctl's ``--json=short`` does.

    Unless ``required``, a host without the command, the bus or logind has no inhibitors. Any other failure to
    answer within ``timeout_s`` is doubt (`HoldsUnreadable`), and so is a logind that answered before and is gone:
    an upgrade of bus or systemd, which holds an inhibitor itself, takes them away for a moment.
    """

    def __init__(self, command: Sequence[str], timeout_s: float, *, required: bool) -> None:
        self._command = tuple(command)
        self._shown = " ".join(self._command)
        self._timeout_s = timeout_s
        self._required = required
        self._answered = False
        self._last: Sequence[Hold] = ()

    async def active(self) -> Sequence[Hold]:
        """Each block inhibitor of a shutdown, as a hold without an end. The holder's name has pid and uid."""
        try:
            answered = await ask_command(self._command, self._timeout_s, ANSWER_BYTES_MAX)
        except TimeoutError:
            raise self._doubt(
                f"did not end within {self._timeout_s:g} s, and was killed; see that logind answers (`loginctl`)"
            ) from None
        except (FileNotFoundError, NotADirectoryError):
            return self._absent(f"can't be run: there is no {self._command[0]}")
        except OSError as error:
            remedy = remedy_of(error, "name the command in the settings")
            raise self._doubt(f"can't be run: {error}; {remedy}") from error
        if answered.code != 0:
            return self._failed(answered)
        try:
            inhibitors = _inhibitors(answered.output)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise self._doubt(f"printed no list of inhibitors ({error!r}): {answered.output[:200]!r}") from error
        self._answered = True
        self._last = [_hold(*inhibitor) for inhibitor in inhibitors if _blocks_shutdown(*inhibitor)]
        return self._last

    def shown(self) -> Sequence[Hold]:
        """As logind last answered: to ask it takes a process, and may take seconds."""
        return self._last

    def _failed(self, answered: Answered) -> Sequence[Hold]:
        said = answered.stderr_tail or "it printed nothing"
        if any(words in said.lower() for words in NO_LOGIND):
            return self._absent(said)
        raise self._doubt(f"exited with {answered.code}: {said}")

    def _absent(self, why: str) -> Sequence[Hold]:
        if self._required:
            raise self._doubt(f"{why}; where there is no logind, set holds.kind to auto or files")
        if self._answered:
            raise self._doubt(f"{why}; it answered before: if this host has no logind any more, restart powerd")
        return []

    def _doubt(self, problem: str) -> HoldsUnreadable:
        return HoldsUnreadable(f"logind's inhibitors: `{self._shown}` {problem}")


def _inhibitors(output: str) -> Sequence[Sequence[Any]]:
    answer: Any = json.loads(output)
    if answer["type"] != TYPE:
        raise ValueError(f"its type is {answer['type']!r}, not {TYPE!r}")
    (inhibitors,) = answer["data"]
    for inhibitor in inhibitors:
        if [type(value) for value in inhibitor] != [str, str, str, str, int, int]:
            raise ValueError(f"{inhibitor!r} is no inhibitor")
    found: Sequence[Sequence[Any]] = inhibitors
    return found


def _blocks_shutdown(what: str, _who: str, _why: str, mode: str, _uid: int, _pid: int) -> bool:
    return mode == "block" and "shutdown" in what.split(":")


def _hold(_what: str, who: str, why: str, _mode: str, uid: int, pid: int) -> Hold:
    return Hold(f"{who} (pid {pid}, uid {uid})", why, None)
