"""All checks, in the order of the output; a check comes after those that it needs.

docs/check.md is generated from this table.
"""

from __future__ import annotations

from collections.abc import Callable

from app.entrypoints.check.check import Check
from app.entrypoints.check.looks import broker, card, chain, farm, host, node, settings, zos
from app.entrypoints.check.subject import Subject
from app.entrypoints.settings.profiles import speaks_substrate


def _only(port: str, *kinds: str) -> Callable[[Subject], str]:
    def not_here(subject: Subject) -> str:
        return "" if subject.uses(port, *kinds) else f"the adapter of {port} is none of {', '.join(kinds)}"

    return not_here


def _substrate(subject: Subject) -> str:
    return "" if speaks_substrate(subject.settings) else "powerd does not talk to the chain itself here"


def _alarm(subject: Subject) -> str:
    return "" if subject.settings.rtc_alarm.enabled else "rtc_alarm.enabled = false"


_redis, _card, _keys = _only("events", "redis"), _only("nic", "linux"), _only("identity", "key", "configured")
_zos = _only("identity", "registrar")

CHECKS: tuple[Check, ...] = (
    Check("settings", "which settings are in force, and where each came from", "", settings.settings),
    Check(
        "software",
        "whether another package overwrote the module that reads the chain (cyscale brings a `scalecodec` of its own)",
        "give powerd a Python environment of its own",
        settings.software,
        not_here=_substrate,
    ),
    Check(
        "broker",
        "whether Redis answers, lets powerd in, and is new enough",
        "check that Redis runs, and that broker.url names it (docs/redis.md)",
        broker.broker,
        not_here=_redis,
    ),
    Check(
        "rights",
        "whether Redis allows the commands that powerd needs; each is sent with arguments that can't be carried out",
        broker.RIGHTS,
        broker.rights,
        needs=("broker",),
        not_here=_redis,
    ),
    Check(
        "stream",
        "the consumer group on the event stream, and the entries that wait there",
        broker.RIGHTS,
        broker.stream,
        needs=("broker",),
        not_here=_redis,
    ),
    Check(
        "endpoints",
        "each endpoint of the chain: whether it answers, its genesis, the age of its heads, how far finality is "
        "behind, the runtime, whether it takes extrinsics and has peers",
        chain.ALONE,
        chain.endpoints,
        not_here=_substrate,
    ),
    Check(
        "gateway",
        "whether api-gateway answers, and has power management",
        "see that api-gateway runs; it serves one call after the other, so look again when it is less busy",
        zos.gateway,
        needs=("broker",),
        not_here=_only("chain", "gateway"),
    ),
    Check(
        "registrar",
        "whether registrar answers, and has registered this node",
        "see that registrar runs",
        zos.registrar,
        needs=("broker",),
        not_here=_zos,
    ),
    Check(
        "identityd",
        "whether identityd answers, and knows the farm",
        "see that identityd runs",
        zos.identityd,
        needs=("broker",),
        not_here=_zos,
    ),
    Check(
        "clock",
        "this machine's clock against the chain's newest block: the chain refuses a report that is 60 s off",
        "set the clock by NTP",
        chain.clock,
        needs=("endpoints", "gateway"),
        not_here=_only("chain", "substrate", "gateway"),
    ),
    Check("key", "whether the node's key can be read, and by no other user", node.NO_KEY, node.key, not_here=_keys),
    Check(
        "account",
        "the account of that key, its balance, and for how many failed reports the balance pays",
        "see endpoints",
        node.account,
        needs=("endpoints", "key"),
        not_here=_keys,
    ),
    Check(
        "node",
        "whether the chain has this node, in the farm of the settings and on that farm's list",
        "register the node first, and see that chain.urls are those of its network",
        node.node,
        needs=("endpoints", "gateway", "registrar", "identityd", "key"),
        not_here=_only("identity", "key", "configured", "registrar"),
    ),
    Check(
        "readers",
        "whether another node reads the same event stream",
        "give every node its own Redis database (broker.url)",
        broker.readers,
        needs=("broker", "node"),
        not_here=_redis,
    ),
    Check(
        "card",
        "the card, or bond, beneath `nic.bridge`, and whether it can be woken by magic packet",
        "name the right bridge or card in nic.bridge",
        card.card,
        not_here=_card,
    ),
    Check(
        "armed",
        "whether Wake-on-LAN is switched on: in the card's wake modes (ethtool), and in the kernel's switches (sysfs)",
        card.ARMS_IT,
        card.armed,
        needs=("card",),
        not_here=_card,
    ),
    Check(
        "wake-modes",
        "what wakes this machine by the card besides magic packets",
        "see nic.wake_modes",
        card.wake_modes,
        needs=("card",),
        not_here=_card,
    ),
    Check(
        "address",
        "whether the node's record on chain has the card's address, by which peers call the node",
        "have the node register its network cards again",
        node.address,
        needs=("node", "card"),
        not_here=_card,
    ),
    Check(
        "packets",
        "whether this user can send magic packets, and the interface is up",
        "see magic_packets in the settings",
        card.packets,
        not_here=_only("magic_packets", "raw", "udp"),
    ),
    Check(
        "wakers",
        "which peers could wake this node: target and state Up, a fresh sign of life, heard of on this segment",
        farm.WAKE_ANOTHER,
        farm.wakers,
        needs=("node",),
        not_here=_only("chain", "substrate", "gateway"),
    ),
    Check(
        "power-off",
        "whether powerd's user can power off and reboot: it asks logind, or zinit, and gives no order",
        host.POLKIT,
        host.power_off,
        not_here=_only("host_power", "systemctl", "zinit"),
    ),
    Check(
        "holds",
        "what keeps this node up now: holds, and inhibitors of logind",
        "`powerd hold list` says more",
        host.holds,
        not_here=_only("holds", "files", "logind"),
    ),
    Check(
        "alarm",
        "the clock's alarm, where the settings ask for it",
        "name another clock (rtc_alarm.device), or switch its alarm off (rtc_alarm.enabled)",
        host.alarm,
        not_here=_alarm,
    ),
    Check("health", "whether a flag forbids uptime reports", "repair what set the flag", host.health),
    Check(
        "memory",
        "whether powerd can write the files that it keeps over a boot, and other files that the settings ask for",
        "give powerd's user a disk with room for it (boot_memory.file)",
        host.memory,
        not_here=_only("boot_memory", "files"),
    ),
    Check(
        "proof",
        "whether a wake of this node was proved, and which nodes this one woke",
        host.PROVE,
        host.proof,
        needs=("memory",),
        not_here=_only("boot_memory", "files"),
    ),
)
