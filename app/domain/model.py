"""What powerd talks about: nodes, their power, heads of the chain, network cards, holds and faults."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NewType

NodeId = NewType("NodeId", int)
FarmId = NewType("FarmId", int)
TwinId = NewType("TwinId", int)

_MAC = re.compile(r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}")


class Power(enum.Enum):
    """Up or Down: a target, or the variant of a state (tfchain's enum ``Power``)."""

    UP = "Up"
    DOWN = "Down"


class HeadKind(enum.Enum):
    """Which end of the chain is read: the newest block, or the newest that can't be undone."""

    BEST = "best"
    FINALIZED = "finalized"


@dataclass(frozen=True, slots=True)
class Head:
    """A block that was the chain's head.

    ``time_s`` is the block's own ``Timestamp.Now`` in Unix seconds: the age of a head is measured
    with it, so a chain that stands still shows, whichever endpoint served the block. ``number`` is None and
    ``hash`` empty where the gateway tells only the time. Where it tells even that no better, the block's
    time lies somewhere between ``time_s - uncertainty_s`` and ``time_s``. Then its age is watched too,
    from look to look: ``seen_s_max`` ago another block was the head; infinity: this was the first look.
    """

    kind: HeadKind
    number: int | None
    hash: str
    time_s: float
    uncertainty_s: float = 0.0
    seen_s_max: float | None = None

    def off_by_s(self, now_s: float) -> float:
        """By how much the clock that says ``now_s`` differs from the block's time, at least.

        Positive for a block of the past, negative for one of the future; 0 where a possible time fits.
        """
        ahead_s = now_s - self.time_s
        behind_s = ahead_s + self.uncertainty_s
        return max(ahead_s, min(behind_s, 0.0))


@dataclass(frozen=True, slots=True)
class PowerState:
    """What a node last said of itself; Down carries the block in which it said so."""

    power: Power
    since_block: int | None = None


@dataclass(frozen=True, slots=True)
class NodePower:
    """A node's entry in ``TfgridModule.NodePower``; a node without an entry is Up/Up."""

    state: PowerState
    target: Power


@dataclass(frozen=True, slots=True)
class Unreadable:
    """There is an answer, and it can't be read: a power that is neither Up nor Down, a broken record. Never a default.

    It is not an absence: what can't be read exists all the same.
    """

    reason: str


Powers = Mapping[NodeId, NodePower | Unreadable]
"""What one read of the chain says of several nodes."""


@dataclass(frozen=True, slots=True)
class PowerReading:
    """The power of several nodes, all read from one block.

    ``head`` is ``None`` where the gateway does not tell which block it read. Every node that was
    asked for is in ``powers``.
    """

    head: Head | None
    powers: Powers


@dataclass(frozen=True, slots=True)
class PastPower:
    """A node's power as an earlier block left it.

    ``target_at_down`` and ``target_at_up`` are its target at the moment when it said so in that block;
    None if it did not.
    """

    head: Head
    power: NodePower | Unreadable
    target_at_down: Power | None = None
    target_at_up: Power | None = None


@dataclass(frozen=True, slots=True)
class Mac:
    """A hardware address, written ``54:b2:03:a0:11:22``."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Mac:
        """Read ``54:b2:03:a0:11:22`` or ``54-B2-…``; ``ValueError`` unless one card can own it."""
        canonical = text.strip().lower()
        if not _MAC.fullmatch(canonical):
            raise ValueError(f"{text!r} is not a MAC address such as 54:b2:03:a0:11:22")
        canonical = canonical.replace("-", ":")
        if canonical == "00:00:00:00:00:00" or int(canonical[:2], 16) & 1:
            raise ValueError(f"{text!r} is a zero or group address; no single card can own it")
        return cls(canonical)

    @property
    def octets(self) -> bytes:
        """The six bytes of the address."""
        return bytes.fromhex(self.text.replace(":", ""))

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Node:
    """A node's record on chain, as far as waking needs it.

    ``mac`` is that of the interface named ``zos``; ``None`` where there is none or it is no usable
    address, and then ``mac_problem`` says what is wrong. ``certified``: the grid pays it more, and wants more
    uptime for it.
    """

    id: NodeId
    farm: FarmId
    twin: TwinId
    mac: Mac | None
    mac_problem: str = ""
    certified: bool = False


WOKEN_INTERFACE = "zos"


def woken_address(interfaces: Iterable[tuple[str, str]]) -> tuple[Mac | None, str]:
    """The address to wake a node by, of the names and addresses in its record; or what is wrong with them."""
    problem = f"the node's record has no interface named {WOKEN_INTERFACE!r}"
    for name, address in interfaces:
        if name == WOKEN_INTERFACE:
            try:
                return Mac.parse(address), ""
            except ValueError as error:
                problem = str(error)
    return None, problem


@dataclass(frozen=True, slots=True)
class Counters:
    """A number per node that only the node itself can move, as of one block; ``time_s`` is that block's (Unix)."""

    time_s: float
    of: Mapping[NodeId, int]


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """Who this machine is on the chain."""

    node: NodeId
    farm: FarmId
    twin: TwinId


@dataclass(frozen=True, slots=True)
class Nic:
    """The physical network card, or cards, through which this machine is woken.

    ``mac`` is the address in use; ``permanent_mac`` the one burnt in, None where the driver does not tell it.
    ``cards`` are the legs of a bond or team that can be woken, by name, and empty where ``name`` is
    itself the one card; then ``mac`` is an address of one leg, and ``other_macs`` wake another one.
    ``other_wake_modes`` says in words by what else than magic packets it wakes the machine; or nothing.
    """

    name: str
    mac: Mac
    permanent_mac: Mac | None = None
    cards: tuple[str, ...] = ()
    other_macs: tuple[Mac, ...] = ()
    other_wake_modes: str = ""

    @property
    def addresses(self) -> tuple[Mac, ...]:
        """Those it may listen to in the dark: drivers keep the address in use, or fall back to the one burnt in."""
        burnt_in = () if self.permanent_mac is None else (self.permanent_mac,)
        return tuple(dict.fromkeys((self.mac, *burnt_in, *self.other_macs)))

    @property
    def legs(self) -> tuple[str, ...]:
        """The names of the cards that have to be armed."""
        return self.cards or (self.name,)


@dataclass(frozen=True, slots=True)
class Inclusion:
    """The block in which one of our extrinsics was included, and succeeded.

    ``block_number`` is ``None`` where the gateway tells only the hash.
    """

    block_hash: str
    block_number: int | None


@dataclass(frozen=True, slots=True)
class UptimeSample:
    """One reading of the machine's uptime, and the moment it was taken (both seconds)."""

    uptime_s: int
    taken_at_s: int


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the node may claim uptime; ``problems`` name what speaks against it."""

    problems: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """True while nothing speaks against the node."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class Hold:
    """A request not to power the machine off until ``expires_at_s`` (Unix seconds, as the clock is set now)."""

    holder: str
    reason: str
    expires_at_s: float | None


@dataclass(frozen=True, slots=True)
class EndpointTrouble:
    """An endpoint of the chain that is out, and why, in words that stay the same from look to look."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Something an operator has to know. ``key`` is stable: the same fault is shown once.

    ``began_s`` is when it began, by the monotonic clock: the machine's clock may itself be what is wrong.
    """

    key: str
    message: str
    began_s: float = field(default=0.0, compare=False)
