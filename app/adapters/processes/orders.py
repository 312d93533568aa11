"""Gives orders to the host by commands. Each error has a remedy."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from app.adapters.processes.command import Ended, run_command
from app.adapters.processes.exhausted import remedy_of
from app.domain.errors import HostPowerFailed, HostPowerLate


def find_program(command: Sequence[str]) -> None:
    """Raise `HostPowerFailed` unless the command's program exists and can be executed."""
    if not command:
        raise _unconfigured()
    if not _can_be_run(command[0]):
        raise HostPowerFailed(
            f"`{' '.join(command)}` can't be run: there is no {command[0]} that powerd's user can execute; name"
            " this host's command in the settings"
        )


async def give_order(command: Sequence[str], timeout_s: float) -> None:
    """Run the command. Raises `HostPowerFailed` unless it exits with 0 within ``timeout_s`` seconds."""
    ended = await run_for_host(command, timeout_s)
    if ended.code != 0:
        raise failed(command, ended)


async def run_for_host(command: Sequence[str], timeout_s: float) -> Ended:
    """Run the command; any exit code is returned. Raises `HostPowerFailed` when it cannot run, or is late."""
    shown = " ".join(command)
    if not command:
        raise _unconfigured()
    try:
        return await run_command(command, timeout_s)
    except TimeoutError:
        raise HostPowerLate(f"`{shown}` did not end within {timeout_s:g} s, and was killed") from None
    except (FileNotFoundError, NotADirectoryError):
        raise HostPowerFailed(
            f"`{shown}` can't be run: there is no {command[0]}; name this host's command in the settings"
        ) from None
    except PermissionError:
        raise HostPowerFailed(
            f"`{shown}` can't be run: powerd's user has no right to execute {command[0]}; run powerd as"
            " root, or name in the settings a command that it can run"
        ) from None
    except OSError as error:
        remedy = remedy_of(error, "name this host's command in the settings")
        raise HostPowerFailed(f"`{shown}` can't be run: {error}; {remedy}") from error


def failed(command: Sequence[str], ended: Ended) -> HostPowerFailed:
    """The error for a command that did not exit with 0."""
    what = f"exited with {ended.code}" if ended.code > 0 else f"was killed by signal {-ended.code}"
    return HostPowerFailed(f"`{' '.join(command)}` {what}: {ended.tail or 'it printed nothing'}{_remedy(ended)}")


def _can_be_run(program: str) -> bool:
    """As `shutil.which`, whose module imports every compression."""
    places = [Path(program)] if os.sep in program else [Path(place, program) for place in os.get_exec_path()]
    return any(os.access(place, os.X_OK) and place.is_file() for place in places)


def _unconfigured() -> HostPowerFailed:
    return HostPowerFailed("no command for this is configured; name one in the settings")


def _remedy(ended: Ended) -> str:
    """A remedy, if the output is polkit's or logind's refusal."""
    refused = (
        "access denied",
        "authentication required",
        "permission denied",
        "not permitted",
        "must be root",
    )
    if any(words in ended.tail.lower() for words in refused):
        return "; allow powerd's user to power off in polkit (packaging/polkit has the rule), or run powerd as root"
    return ""
