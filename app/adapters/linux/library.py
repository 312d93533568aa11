"""The parts of pyroute2 that powerd uses: links by netlink, and Wake-on-LAN by ethtool's ioctl.

Without the others, its import takes 43 ms and 7 MiB, and not 74 ms and 12 MiB. It is needed on a real machine only.
"""

from __future__ import annotations

from app.adapters.libraries.left_out import left_out, unused
from app.adapters.libraries.tls import without_tls

UNUSED = tuple(
    f"pyroute2.{part}"
    for part in (
        *("conntrack", "devlink", "ipdb", "ipset", "ipvs", "iwutil", "ndb.main", "nslink.nspopen", "wiset"),
        *("plan9.client", "plan9.server"),
        *("netlink.connector.cn_proc", "netlink.devlink", "netlink.diag", "netlink.ipq", "netlink.nl80211"),
        *("netlink.event", "netlink.event.acpi_event", "netlink.event.dquot", "netlink.event.thermal"),
        *("netlink.generic.ipvs", "netlink.generic.l2tp", "netlink.generic.mptcp", "netlink.generic.wireguard"),
        *("netlink.nfnetlink.nfctsocket", "netlink.nfnetlink.nftsocket", "netlink.taskstats", "netlink.uevent"),
    )
)

with left_out("pyroute2", {**unused(*UNUSED), **without_tls()}):
    from pyroute2 import IPRoute
    from pyroute2.ethtool.ioctl import IoctlEthtool, NoSuchDevice, NotSupportedError
    from pyroute2.netlink.exceptions import NetlinkError

__all__ = ["IPRoute", "IoctlEthtool", "NetlinkError", "NoSuchDevice", "NotSupportedError"]
