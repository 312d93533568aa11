"""Two network interfaces joined by a cable, in a network namespace, and a listener at the far end."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

ETH_P_ALL = 0x0003
NEAR, NEAR_MAC = "near", "02:00:00:00:00:01"
FAR = "far"


def lay() -> None:
    """Make the interfaces `NEAR` and `FAR`, both up and with a carrier. Call it in a network namespace."""
    _with_netlink(lambda netlink: netlink.link("add", ifname=NEAR, kind="veth", peer=FAR, address=NEAR_MAC))
    for name in (NEAR, FAR):
        set_up(name)
    _with_netlink(_wait_until_it_carries)


def set_up(name: str) -> None:
    """Switch an interface on."""
    _set_state(name, "up")


def set_down(name: str) -> None:
    """Switch an interface off."""
    _set_state(name, "down")


def rename(name: str, new: str) -> None:
    """Give an interface another name, as a network manager does at boot."""
    set_down(name)
    _with_netlink(lambda netlink: netlink.link("set", index=netlink.link_lookup(ifname=name)[0], ifname=new))
    set_up(new)


def cut() -> None:
    """Remove both interfaces."""
    _with_netlink(lambda netlink: netlink.link("del", index=netlink.link_lookup(ifname=NEAR)[0]))


class Ear:
    """Hears frames of one EtherType at `FAR`."""

    def __init__(self, heard: socket.socket, ethertype: int) -> None:
        self._socket = heard
        self._ethertype = ethertype.to_bytes(2, "big")

    def next_frame(self) -> bytes:
        """The next frame, with its header; `TimeoutError` when none comes."""
        while True:
            frame = self._socket.recv(2048)
            if frame[12:14] == self._ethertype:
                return frame


@contextmanager
def listening(ethertype: int, timeout_s: float = 20.0) -> Iterator[Ear]:
    """Listen at `FAR`."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as heard:
        heard.bind((FAR, ETH_P_ALL))
        heard.settimeout(timeout_s)
        yield Ear(heard, ethertype)


def _wait_until_it_carries(netlink: Any) -> None:
    """Wait for the carrier: the kernel notices the cable later, and until then drops packets without an error."""
    netlink.bind()  # listen to changes of links before the first look, so that none is missed
    seen = netlink.get_links(ifname=NEAR)
    while not any(_carries(message) for message in seen):
        seen = netlink.get()


def _carries(message: Any) -> bool:
    return bool(message.get_attr("IFLA_IFNAME") == NEAR and message.get_attr("IFLA_OPERSTATE") == "UP")


def _set_state(name: str, state: str) -> None:
    _with_netlink(lambda netlink: netlink.link("set", index=netlink.link_lookup(ifname=name)[0], state=state))


def _with_netlink(change: Callable[[Any], object]) -> None:
    """Run in a thread of the same namespace: pyroute2 refuses to work beside a running event loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(_change, change).result()


def _change(change: Callable[[Any], object]) -> None:
    from pyroute2 import IPRoute

    with IPRoute() as netlink:
        change(netlink)
