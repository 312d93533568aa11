"""Which hardware addresses this machine has heard of lately, and on which interface: the kernel's neighbour table.

A bridge's own table counts too: the addresses that it learned at its ports. Needs no privileges; it blocks. An
address that is missing may still be in use: the kernel forgets what it did not talk to for some minutes.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.adapters.linux.loading import load_library
from app.adapters.processes.daemon_thread import DaemonThread

BRIDGE_FAMILY = 7
"""AF_BRIDGE (linux/socket.h)."""

USELESS = 0x20 | 0x40
"""NUD_FAILED, NUD_NOARP (linux/neighbour.h): no answer came, or none is ever asked for."""


async def known_macs(timeout_s: float) -> Mapping[str, str]:
    """The name of the interface by address (``54:b2:…``); `TimeoutError`, ``OSError``."""
    return await DaemonThread("powerd-neighbours", timeout_s, load=load_library).run(_read)


def _read() -> dict[str, str]:
    from app.adapters.linux.library import IPRoute

    with IPRoute() as kernel:
        names = {link["index"]: link.get_attr("IFLA_IFNAME") for link in kernel.get_links()}
        entries = [*kernel.get_neighbours(), *kernel.get_neighbours(family=BRIDGE_FAMILY)]
        return {
            entry.get_attr("NDA_LLADDR"): names.get(entry["ifindex"], "?")
            for entry in entries
            if entry.get_attr("NDA_LLADDR") and not entry["state"] & USELESS
        }
