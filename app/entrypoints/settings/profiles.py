"""Which adapter serves a port: the one that the settings name, or, for ``auto``, the profile's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from app.adapters.redis.broker_url import parse_broker_url
from app.entrypoints.settings.schema import Settings

BROKER = "redis://127.0.0.1:6379"
ZOS_BROKER = "unix:///var/run/redis.sock"
"""The same as Zero-OS' own powerd."""

STATUS_SOCKET = Path("/run/powerd/status.sock")
ZINIT_SOCKET = Path("/var/run/zinit.sock")

KINDS: dict[str, dict[str, str]] = {
    "zos": {
        "chain": "gateway",
        "identity": "registrar",
        "events": "redis",
        "nic": "linux",
        "magic_packets": "raw",
        "host_power": "zinit",
        "host_facts": "linux",
        "holds": "files",
        "boot_memory": "files",
        "rtc_alarm": "linux",
        "faults": "zui",
        "metrics": "off",
    },
    "systemd": {
        "chain": "substrate",
        "identity": "key",
        "events": "redis",
        "nic": "linux",
        "magic_packets": "raw",
        "host_power": "systemctl",
        "host_facts": "linux",
        "holds": "logind",
        "boot_memory": "files",
        "rtc_alarm": "linux",
        "faults": "log",
        "metrics": "http",
    },
    "simulated": {
        **dict.fromkeys(
            (
                *("chain", "identity", "events", "nic", "magic_packets", "host_power", "host_facts", "holds"),
                *("boot_memory", "rtc_alarm"),
            ),
            "simulated",
        ),
        "faults": "log",
        "metrics": "off",
    },
}


def kind_of(settings: Settings, port: str) -> str:
    chosen: str = getattr(getattr(settings, port, None), "kind", "auto")
    return KINDS[profile_of(settings)][port] if chosen == "auto" else chosen


def profile_of(settings: Settings) -> str:
    """The profile. ``auto`` means ``zos`` if zinit's socket exists, else ``systemd``."""
    if settings.profile != "auto":
        return settings.profile
    return "zos" if ZINIT_SOCKET.exists() else "systemd"


def broker_url(settings: Settings) -> str:
    return settings.broker.url or (ZOS_BROKER if profile_of(settings) == "zos" else BROKER)


def status_paths(settings: Settings) -> Sequence[Path]:
    """Where the daemon answers `powerd status`: at the first that can be used."""
    if settings.status.socket:
        return [Path(settings.status.socket)]
    user = os.environ.get("XDG_RUNTIME_DIR")
    return [STATUS_SOCKET, *([Path(user) / "powerd" / STATUS_SOCKET.name] if user else [])]


def behind_gateway(settings: Settings) -> bool:
    """Whether the chain is read through api-gateway, with one call for each node."""
    return kind_of(settings, "chain") == "gateway"


def rtc_alarm_kind(settings: Settings) -> str:
    """The kind of adapter of the clock's alarm; ``off`` if it is not enabled."""
    return kind_of(settings, "rtc_alarm") if settings.rtc_alarm.enabled else "off"


def signs_of_life_kind(settings: Settings) -> str:
    """The chain's kind, since they are read there; ``off`` where the chain has none, or they are not asked for."""
    asked_for = settings.power_management.last_waker_guard or settings.wake.call_silent
    return kind_of(settings, "chain") if asked_for and not behind_gateway(settings) else "off"


def speaks_substrate(settings: Settings) -> bool:
    """Whether an adapter uses the chain directly."""
    return kind_of(settings, "chain") == "substrate" or kind_of(settings, "identity") in ("key", "configured")


def may_speak_tls(settings: Settings) -> bool:
    """Whether the daemon may open a connection over TLS: to the chain or to Redis."""
    return speaks_substrate(settings) or parse_broker_url(broker_url(settings)).tls is not None


def calls_neighbours(settings: Settings) -> bool:
    """Whether an adapter calls other daemons over zbus."""
    kinds = [kind_of(settings, port) for port in ("chain", "identity", "faults")]
    return not {"gateway", "registrar", "zui"}.isdisjoint(kinds)


def serves_metrics(settings: Settings) -> bool:
    """Whether monitoring systems can ask this daemon over HTTP."""
    return kind_of(settings, "metrics") == "http"


def has_metrics(settings: Settings) -> bool:
    """Whether anything is counted: for HTTP, or for a textfile."""
    return serves_metrics(settings) or bool(settings.metrics.textfile)


def serves_zbus(settings: Settings) -> bool:
    """Whether other programs can call this daemon over zbus, which needs Redis."""
    return settings.zbus.serve and kind_of(settings, "events") == "redis"
