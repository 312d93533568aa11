"""When a hold in a file ends: at a date, or after a duration, which a change of the clock does not shorten.

=================  ==================================================================================
key of the file    meaning
=================  ==================================================================================
``expires_at_s``   the date of the end (Unix seconds); null or missing: no end. For a duration, the date
                   of its end by the clock at the time when the hold was placed
``lasts_s``        only for a duration: its length in seconds
``ends_at_s``      only for a duration: the uptime (seconds since boot) at which it ends
``boot_id``        only for a duration: the boot of that uptime
=================  ==================================================================================

A duration is measured by uptime. If the files outlive a reboot, it is not known how much of it is left:
then it ends at its date, or when the machine has been up for its whole length, whichever is later. A file
of an older version, or one written by hand, has a date or no end.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress

from app.ports.host_facts import HostFacts

SHOWN_MAX = 40


def terms_of_duration(lasts_s: float, facts: HostFacts) -> Mapping[str, object]:
    """The keys beside the date, for a hold that begins now."""
    return {"lasts_s": lasts_s, "ends_at_s": _later(facts) + lasts_s, "boot_id": facts.boot_id()}


def expires_at_s(saved: Mapping[str, object], now_s: float, facts: HostFacts) -> float | None:
    """The end by the clock of now (Unix seconds), or None. Raises ``ValueError`` if a key has no valid time."""
    date = saved.get("expires_at_s")
    date_s = None if date is None else _time("expires_at_s", date)
    if "lasts_s" not in saved:
        return date_s
    for needed in ("ends_at_s", "boot_id"):
        if needed not in saved:
            raise ValueError(f"it has lasts_s, and no {needed}")
    ends_at_s, lasts_s = _time("ends_at_s", saved["ends_at_s"]), _time("lasts_s", saved["lasts_s"])
    if saved["boot_id"] == facts.boot_id():
        return now_s + ends_at_s - facts.uptime_s()
    whole_s = now_s + lasts_s - facts.uptime_s()
    return None if date_s is None else max(date_s, whole_s)


def _later(facts: HostFacts) -> int:
    """The uptime in whole seconds, rounded up, so that a hold is never shorter than requested."""
    return facts.uptime_s() + 1


def _time(name: str, seconds: object) -> float:
    if isinstance(seconds, int | float) and not isinstance(seconds, bool):
        with suppress(OverflowError):  # a number of hundreds of digits
            if math.isfinite(seconds):
                return float(seconds)
    shown = json.dumps(seconds)[:SHOWN_MAX]
    raise ValueError(f"{name} is {shown}, which is no time in seconds")
