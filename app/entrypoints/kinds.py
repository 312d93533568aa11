"""Which adapter serves a port: the settings say it for each alone, or ``auto``, and then the profile does."""

from __future__ import annotations

from pathlib import Path

from app.domain.errors import PermanentError
from app.entrypoints.settings import Settings

ZINIT_SOCKET = Path("/var/run/zinit.sock")

KINDS: dict[str, dict[str, str]] = {
    "systemd": {
        "chain": "substrate",
        "identity": "key",
        "events": "redis",
        "nic": "linux",
        "magic_packets": "raw",
        "host_power": "systemctl",
        "host_facts": "linux",
        "holds": "files",
    },
    "simulated": dict.fromkeys(
        ("chain", "identity", "events", "nic", "magic_packets", "host_power", "host_facts", "holds"),
        "simulated",
    ),
}


class ProfileUnavailable(PermanentError):
    """The chosen profile has no adapters in this version."""


def kind_of(settings: Settings, port: str) -> str:
    """The kind of adapter that serves ``port``."""
    chosen: str = getattr(getattr(settings, port, None), "kind", "auto")
    return KINDS[profile_of(settings)][port] if chosen == "auto" else chosen


def profile_of(settings: Settings) -> str:
    """The profile in force; ``auto`` is ``zos`` where zinit's socket exists, else ``systemd``."""
    profile = settings.profile
    if profile == "auto":
        profile = "zos" if ZINIT_SOCKET.exists() else "systemd"
    if profile not in KINDS:
        raise ProfileUnavailable(
            f"profile {profile} is not available in this version; choose one of {', '.join(KINDS)} "
            "(--profile, POWERD_PROFILE, or profile in the settings file)"
        )
    return profile
