"""Asks logind what it would let this process do, without doing it: ``CanPowerOff``, ``CanReboot`` (login1 on D-Bus)."""

from __future__ import annotations

import json
from typing import Any

from app.adapters.processes.command import ask_command
from app.domain.errors import HostPowerFailed, HostPowerLate

ANSWER_BYTES_MAX = 4096
ASK = (
    "busctl",
    "--json=short",
    "call",
    "org.freedesktop.login1",
    "/org/freedesktop/login1",
    "org.freedesktop.login1.Manager",
)


async def may(method: str, timeout_s: float, ask: tuple[str, ...] = ASK) -> str:
    """``yes``, ``no``, ``challenge`` (only after a password) or ``na`` (this machine can't).

    Raises `HostPowerFailed` where there is no logind to ask, `HostPowerLate` where it does not answer.
    """
    try:
        answered = await ask_command((*ask, method), timeout_s, ANSWER_BYTES_MAX)
    except TimeoutError:
        raise HostPowerLate(f"logind did not answer {method} within {timeout_s:g} s") from None
    except OSError as error:
        raise HostPowerFailed(f"logind can't be asked {method}: {ask[0]}: {error.strerror}") from error
    if answered.code:
        raise HostPowerFailed(f"logind can't be asked {method}: {answered.stderr_tail or answered.code}")
    try:
        answer: Any = json.loads(answered.output)["data"][0]
    except (ValueError, LookupError, TypeError) as error:
        raise HostPowerFailed(f"logind's answer to {method} can't be read: {answered.output[:80]!r}") from error
    return str(answer)
