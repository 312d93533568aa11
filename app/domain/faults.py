"""Every fault that powerd can report: its key, what it means, what fixes it, and how long that may wait.

The board takes keys of this table only, so that no fault is without a remedy. `powerd status`, docs/faults.md and the
alert rules use it.
"""

from __future__ import annotations

import enum
from typing import NewType

from app.domain.values import value

FaultKey = NewType("FaultKey", str)
"""The stable name of one fault; `FaultKind.key` alone makes it."""

SUBJECT = "{}"
"""In a pattern: the node, endpoint or interface that the fault is about."""


class Urgency(enum.Enum):
    """When a person should look; the value is how people read it."""

    AT_ONCE = "at once"
    TODAY = "today"
    THIS_WEEK = "this week"


MEANING: dict[Urgency, str] = {
    Urgency.AT_ONCE: "income is being lost, or a node that is needed is dark",
    Urgency.TODAY: "nothing is lost yet, and one more failure would lose something",
    Urgency.THIS_WEEK: "powerd goes on, with less than it should have",
}
"""What each urgency says of the farm."""


@value
class FaultEntry:
    """A row: ``pattern`` is the key, with `SUBJECT` where one node, endpoint or interface is named."""

    pattern: str
    urgency: Urgency
    meaning: str
    remedy: str


class FaultKind(enum.Enum):
    """The table. The first rows are those that cost income."""

    UPTIME = FaultEntry(
        "uptime",
        Urgency.AT_ONCE,
        "The chain has taken no uptime report of this node for more than 41 min. Time beyond that is not paid.",
        "The fault's text says why. See that the chain answers (chain.urls), that this machine's clock is right "
        "(timedatectl), and that the node's account can pay; other faults say which of these is wrong.",
    )
    CLOCK_DRIFT = FaultEntry(
        "clock-drift",
        Urgency.AT_ONCE,
        "This machine's clock differs from the chain's by more than 60 s. The chain would refuse uptime reports, so "
        "powerd sends none.",
        "Synchronise the clock: `timedatectl set-ntp true`, or start chrony. powerd looks again every minute.",
    )
    WALLET = FaultEntry(
        "wallet",
        Urgency.AT_ONCE,
        "The node's account can't pay fees, so that the chain takes neither uptime nor power state from it.",
        "Send some TFT to the account that the fault names. 1 TFT pays a thousand failed calls; calls that succeed "
        "cost nothing.",
    )
    UNHEALTHY = FaultEntry(
        "unhealthy",
        Urgency.AT_ONCE,
        "A flag says that the node is unhealthy, so that powerd reports no uptime, and none is paid.",
        "Fix what the flags name (a broken disk, a cache that can't be written), or remove their files "
        "(host_facts.flags_dir).",
    )
    REGISTRATION = FaultEntry(
        "registration",
        Urgency.AT_ONCE,
        "The chain does not accept this machine's key for its node any more. Nothing that it sends counts.",
        "See that identity.key_file is the key of the node's twin. After a move of the twin to another account, "
        "install that account's key and restart powerd.",
    )
    IDENTITY = FaultEntry(
        "identity",
        Urgency.AT_ONCE,
        "powerd does not know yet which node this is. It reports no uptime, and powers nothing off.",
        "The fault's text says what it waits for: a chain that answers (chain.urls); on Zero-OS, the registrar and a "
        "registration that is finished.",
    )
    UNCREDITED = FaultEntry(
        "uncredited",
        Urgency.AT_ONCE,
        "The node said Down, and stayed on or was woken while its target was Down. Its uptime is not credited until it "
        "has slept and was woken by a target Up, or rebooted.",
        "The fault's text says what ends it, and until when nothing is lost. End what keeps the node up "
        "(`powerd hold list`), or reboot it by hand where the text says so.",
    )
    POWER_OFF = FaultEntry(
        "power-off",
        Urgency.AT_ONCE,
        "powerd ordered the machine to power off three times, the last time by force, and it still runs.",
        "See what blocks the shutdown: `systemctl list-jobs`, `journalctl -b -u systemd-logind`. Power it off by hand "
        "if its target stays Down.",
    )
    REBOOT = FaultEntry(
        "reboot",
        Urgency.AT_ONCE,
        "The machine must reboot to be paid again, and does not reboot.",
        "Reboot the machine by hand (`systemctl reboot --force`), before the moment that `powerd status` names.",
    )
    OWN_POWER = FaultEntry(
        "own-power",
        Urgency.AT_ONCE,
        "powerd could not bring the node in step with the chain for minutes. Its state there may be wrong.",
        "The fault's text says why. See that one of chain.urls answers (on Zero-OS: api-gateway).",
    )
    NODE_ASLEEP = FaultEntry(
        "node-{}-asleep",
        Urgency.AT_ONCE,
        "The target of another node is Up; powerd called it for minutes, and it did not wake. Two slow boots cost its "
        "month.",
        "Look at its power and its cable, at Wake-on-LAN in its firmware, and at the switches between the nodes. Press "
        "its power button. powerd goes on calling it.",
    )
    NODE_SILENT = FaultEntry(
        "node-{}-silent",
        Urgency.AT_ONCE,
        "The state of another node is Up, and it has given no sign of life for long.",
        "Look at its console: the node is dark, or hangs, or can't reach the chain, or its powerd does not run.",
    )
    NODE_MAC = FaultEntry(
        "node-{}-mac",
        Urgency.TODAY,
        "Another node can't be woken: its record on chain has no usable MAC address of interface zos.",
        "Have the node register again (Zero-OS does so when it boots). Until then set its target to Up, so that it "
        "does not sleep.",
    )
    NODE_RECORD = FaultEntry(
        "node-{}-record",
        Urgency.TODAY,
        "powerd can't read the record of another node.",
        "Have the node register again (Zero-OS does so when it boots), or look for a newer version of powerd.",
    )
    MAGIC_PACKETS = FaultEntry(
        "magic-packets",
        Urgency.TODAY,
        "This node can send no magic packet, and so can wake no other node.",
        "See that magic_packets.interface exists and is up (`ip link`), and that powerd has CAP_NET_RAW (or use "
        'magic_packets.kind = "udp").',
    )
    MAGIC_PACKETS_BEHIND = FaultEntry(
        "magic-packets-{}",
        Urgency.TODAY,
        "This node can send no magic packet by one of its interfaces, and so can't wake the nodes behind it.",
        "See that the interface exists and is up (`ip link`), or take it out of magic_packets.interface.",
    )
    EVENTS = FaultEntry(
        "events",
        Urgency.TODAY,
        "powerd can't read events from Redis. The node still looks at the chain every few minutes, so it obeys and "
        "wakes others later.",
        "See that Redis runs and that broker.url is its address; docs/redis.md has the rights that powerd needs.",
    )
    EVENT_STREAM_SHARED = FaultEntry(
        "event-stream-shared",
        Urgency.TODAY,
        "Another program reads this node's event stream, and each event reaches only one of the two.",
        "Give every node its own Redis database (broker.url), and stop a second powerd.",
    )
    FARM_POWER = FaultEntry(
        "farm-power",
        Urgency.TODAY,
        "powerd could not look at the farm for minutes. It wakes only nodes of which an event comes.",
        "The fault's text says why. See that one of chain.urls answers (on Zero-OS: api-gateway).",
    )
    BOOT_LOOP = FaultEntry(
        "boot-loop",
        Urgency.TODAY,
        "The machine booted several times in a row while its target was Down. It stays up longer each time.",
        "Find out what wakes it: other wake modes of its card (`ethtool`, nic.wake_modes), the firmware's alarm, a "
        "watchdog. Or set its target to Up.",
    )
    RTC_ALARM = FaultEntry(
        "rtc-alarm",
        Urgency.TODAY,
        "powerd can't set the clock's alarm, which the settings ask for. The node does not power off.",
        "See that rtc_alarm.device has an alarm and that powerd can write to it, or set rtc_alarm.enabled = false.",
    )
    POWER_MANAGEMENT = FaultEntry(
        "power-management",
        Urgency.THIS_WEEK,
        "The machine can't power off, or could not be woken again. It stays up, and costs electricity.",
        "The fault's text names the card, the address or the command. packaging/README.md says what a node needs; "
        "power_management.enabled = false ends the fault of a node that should not sleep.",
    )
    BOOT_MEMORY = FaultEntry(
        "boot-memory",
        Urgency.THIS_WEEK,
        "powerd can't save how often the machine booted, so that it would not notice a boot loop.",
        "Make the directory of boot_memory.file writable for powerd, and see that the disk has room.",
    )
    WINDOW_MEMORY = FaultEntry(
        "window-memory",
        Urgency.THIS_WEEK,
        "powerd can't save the node's last Down, so that after a restart it may not know that uptime is not credited.",
        "Make the directory of boot_memory.file writable for powerd, and see that the disk has room.",
    )
    STATUS_SOCKET = FaultEntry(
        "status-socket",
        Urgency.THIS_WEEK,
        "The daemon can't answer `powerd status` on this host. Nothing else is different.",
        "Make the directory that the fault names writable for powerd, or name another socket (status.socket).",
    )
    WAKE_MEMORY = FaultEntry(
        "wake-memory",
        Urgency.THIS_WEEK,
        "powerd can't save the proof of the node's wake. With power_management.require_proved_wake the node stays up.",
        "Make the directory of boot_memory.file writable for powerd, and see that the disk has room.",
    )
    ENDPOINT = FaultEntry(
        "endpoint-{}",
        Urgency.THIS_WEEK,
        "One of the chain's endpoints has been out for minutes, while another one answers.",
        "Repair the endpoint, or replace it by another one (chain.urls).",
    )
    CHAIN_BLOCKS = FaultEntry(
        "chain-blocks",
        Urgency.TODAY,
        "`powerd events` can't follow the chain. Daemons find changes at their next look, minutes later.",
        "See that one of chain.urls answers.",
    )
    EVENTS_OUT = FaultEntry(
        "events-out",
        Urgency.TODAY,
        "`powerd events` can't publish to Redis. Daemons find changes at their next look, minutes later.",
        "See that Redis runs and that broker.url is its address; docs/redis.md has the rights that powerd needs.",
    )
    METRICS = FaultEntry(
        "metrics",
        Urgency.THIS_WEEK,
        "The daemon can't serve metrics and /healthz, so that monitoring does not see this node.",
        "The fault's text says why. Set another address or port (metrics.host, metrics.port), or metrics.kind = "
        '"off".',
    )
    METRICS_TEXTFILE = FaultEntry(
        "metrics-textfile",
        Urgency.THIS_WEEK,
        "powerd can't write the file of metrics for node_exporter, so that monitoring sees old metrics or none.",
        "Make its directory writable for powerd (in the unit, by ReadWritePaths=), or name another file "
        "(metrics.textfile).",
    )
    BLOCK_CURSOR = FaultEntry(
        "block-cursor",
        Urgency.THIS_WEEK,
        "`powerd events` can't save its place in the chain. After a restart, events since the saved place come again.",
        "Make room on the disk, or name another file (follower.cursor_file).",
    )

    @property
    def urgency(self) -> Urgency:
        return self.value.urgency

    @property
    def meaning(self) -> str:
        return self.value.meaning

    @property
    def remedy(self) -> str:
        return self.value.remedy

    @property
    def pattern(self) -> str:
        """The key as a reader sees it in a table."""
        return self.value.pattern

    def key(self, subject: object = "") -> FaultKey:
        """The key, about ``subject`` where the kind has one; `ValueError` when it is missing, or one too many."""
        pattern = self.value.pattern
        if (SUBJECT in pattern) != (subject != ""):
            raise ValueError(f"{pattern} with subject {subject!r}")
        return FaultKey(pattern.replace(SUBJECT, str(subject)))

    @classmethod
    def of(cls, key: str) -> FaultKind | None:
        """The kind of a fault by its key; None for a key of another version."""
        return next((kind for kind in cls if _fits(kind.pattern, key)), None)


def _fits(pattern: str, key: str) -> bool:
    before, subject, after = pattern.partition(SUBJECT)
    if not subject:
        return key == pattern
    return len(key) > len(before) + len(after) and key.startswith(before) and key.endswith(after)
