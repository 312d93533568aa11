"""``powerd hold``: place, list and lift holds. It needs only the settings: no Redis, no chain, no daemon."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from app.adapters.files.holds import FileHolds, is_holder, spelled
from app.adapters.linux.clock import SystemClock
from app.adapters.telemetry.log import one_line
from app.domain.errors import HoldsUnreadable, PermanentError
from app.domain.model import Hold
from app.entrypoints.settings.profiles import kind_of
from app.entrypoints.settings.schema import Settings
from app.entrypoints.terminal.durations import LATEST_S, WrongTime, shown_duration
from app.entrypoints.terminal.local_time import local
from app.entrypoints.wiring import host

FOR_EVER = "no end"


class WrongHold(PermanentError):
    """The requested hold is not valid."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Found:
    """All readable holds; ``unreadable`` names the others, with the remedy. Holds from files come first."""

    holds: Sequence[Hold]
    inhibitors: Sequence[Hold]
    unreadable: Sequence[str]


def add_hold(
    settings: Settings, holder: str, reason: str, expires_at_s: float | None, lasts_s: float | None, out: TextIO
) -> None:
    """Place a hold, which replaces the holder's earlier one. Raises a `PermanentError` for one that is not valid.

    ``lasts_s``: the duration that was asked for, if it was one; ``expires_at_s`` is its end by the clock.
    """
    reason = reason.strip()
    if not reason:
        raise WrongHold(
            f"the hold of {holder} needs a reason: `powerd hold list` and `powerd status` show why the node stays up"
        )
    now_s = SystemClock().now()
    if lasts_s is not None:
        expires_at_s = now_s + lasts_s  # it begins now, not when the command started
    if expires_at_s is not None and expires_at_s <= now_s:
        raise WrongTime(f"the hold of {holder} would be over already at {_local(expires_at_s)}; name a time to come")
    files = _files(settings)
    files.place(Hold(holder, reason, expires_at_s), lasts_s)
    # A duration ends by a clock that can't be set: as `powerd hold list` shows it.
    expires_at_s = next((hold.expires_at_s for hold in files.all()[0] if hold.holder == holder), expires_at_s)
    out.write(f"held by {holder}, {_until(expires_at_s, now_s)}: {one_line(reason)}\n")


def lift_hold(settings: Settings, holder: str, out: TextIO) -> None:
    """Remove a hold; raises `WrongHold`, which names the existing holders, when there is none of this holder."""
    files = _files(settings)
    if not files.lift(holder):
        holders = ", ".join(one_line(hold.holder) for hold in files.all()[0])
        others = f"there are those of {holders}" if holders else "there is none at all"
        raise WrongHold(
            f"there is no hold of {one_line(holder)} ({others}); an inhibitor of logind ends with the program that "
            "took it"
        )
    out.write(f"the hold of {one_line(holder)} is lifted\n")


def list_holds(settings: Settings, out: TextIO, *, as_json: bool) -> None:
    """Print them, the expired too, and raise `HoldsUnreadable` if any can't be read: then the node stays up."""
    found = asyncio.run(_find(settings))
    now_s = SystemClock().now()
    if as_json:
        out.write(json.dumps(_plain(found, now_s), indent=2) + "\n")
    else:
        out.writelines(f"{line}\n" for line in _table(found, now_s))
    if len(found.unreadable) == 1:
        raise HoldsUnreadable(one_line(found.unreadable[0]))
    if found.unreadable:
        raise ExceptionGroup("a line each", [HoldsUnreadable(one_line(each)) for each in found.unreadable])


def _files(settings: Settings) -> FileHolds:
    if kind_of(settings, "holds") == "simulated":
        raise WrongHold(
            "simulated holds live in the daemon's memory (holds.kind, profile); there are no files to look at"
        )
    return host.file_holds(settings, SystemClock())


async def _find(settings: Settings) -> Found:
    holds, unreadable = _files(settings).all()
    if kind_of(settings, "holds") != "logind":
        return Found(holds, (), unreadable)
    try:
        return Found(holds, await host.logind_inhibitors(settings).active(), unreadable)
    except HoldsUnreadable as error:
        return Found(holds, (), [*unreadable, str(error)])


def _plain(found: Found, now_s: float) -> dict[str, object]:
    def plain(hold: Hold, source: str) -> dict[str, object]:
        return {
            "holder": hold.holder,
            "reason": hold.reason,
            "expires_at_s": hold.expires_at_s,
            "expired": _expired(hold, now_s),
            "source": source,
        }

    holds = [plain(hold, "file") for hold in found.holds] + [plain(hold, "logind") for hold in found.inhibitors]
    return {"holds": holds, "unreadable": list(found.unreadable)}


def _table(found: Found, now_s: float) -> list[str]:
    rows = [(hold.holder, _until(hold.expires_at_s, now_s), hold.reason) for hold in found.holds]
    rows += [(hold.holder, "until its program ends (logind)", hold.reason) for hold in found.inhibitors]
    if not rows:
        return [] if found.unreadable else ["no hold keeps this node up"]
    rows = [("HOLDER", "EXPIRY", "REASON"), *rows]
    cells = [[one_line(cell) for cell in row] for row in rows]
    holder, expiry = (max(len(row[column]) for row in cells) for column in (0, 1))
    shown = [f"{row[0]:<{holder}}  {row[1]:<{expiry}}  {row[2]}".rstrip() for row in cells]
    odd = [hold.holder for hold in found.holds if not is_holder(hold.holder)]
    return shown + [f"to lift {one_line(name)}: {_how_to_lift(name)}" for name in odd]


def _how_to_lift(name: str) -> str:
    return f"powerd hold lift {spelled(name)}" if name.isprintable() else f"remove its file {one_line(name)}.json"


def _until(expires_at_s: float | None, now_s: float) -> str:
    if expires_at_s is None:
        return FOR_EVER
    left_s = expires_at_s - now_s
    if abs(left_s) >= LATEST_S:
        return f"{'expired at' if left_s <= 0 else 'until'} {_local(expires_at_s)}"
    if left_s <= 0:
        return f"expired at {_local(expires_at_s)}, {shown_duration(-left_s)} ago"
    return f"until {_local(expires_at_s)}, for {shown_duration(left_s)}"


def _expired(hold: Hold, now_s: float) -> bool:
    return hold.expires_at_s is not None and hold.expires_at_s <= now_s


def _local(at_s: float) -> str:
    return local(at_s, "%Y-%m-%d %H:%M:%S %Z")
