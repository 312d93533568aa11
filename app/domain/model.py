"""The values that powerd works with: nodes, their power, heads of the chain, network cards, holds and faults."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import ClassVar, NewType

from app.domain.values import value

NodeId = NewType("NodeId", int)
FarmId = NewType("FarmId", int)
TwinId = NewType("TwinId", int)

_MAC = re.compile(r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}")


class Power(enum.Enum):
    """A target, or the variant of a state (tfchain's enum ``Power``)."""

    UP = "Up"
    DOWN = "Down"


class HeadKind(enum.Enum):
    """Which head of the chain is read: the newest block, or the newest that no fork can undo."""

    BEST = "best"
    FINALIZED = "finalized"


@value
class Head:
    """A block that was the chain's head.

    ``time_s`` is the block's own ``Timestamp.Now`` in Unix seconds. The age of a head is measured with
    it, so that powerd notices a chain that stands still, through any endpoint.

    Zero-OS' gateway gives only a time: then ``number`` is None and ``hash`` is empty. If that time is
    vague, the block's time lies between ``time_s - uncertainty_s`` and ``time_s``, and the age is
    also measured from look to look: ``seen_s_max`` seconds ago another block was the head (infinity:
    this is the first look).
    """

    kind: HeadKind
    number: int | None
    hash: str
    time_s: float
    uncertainty_s: float = 0.0
    seen_s_max: float | None = None

    def off_by_s(self, now_s: float) -> float:
        """The least difference between ``now_s`` and the block's time, in seconds.

        Positive for a block of the past, negative for one of the future, 0 where a possible time fits.
        """
        ahead_s = now_s - self.time_s
        behind_s = ahead_s + self.uncertainty_s
        return max(ahead_s, min(behind_s, 0.0))


@value
class PowerState:
    """What a node last said of itself. Down has the number of the block in which the node said so."""

    power: Power
    since_block: int | None = None


@value
class NodePower:
    """A node's entry in ``TfgridModule.NodePower``. A node without an entry has state and target Up.

    Each look asks every node of the farm whether it is awake or to be woken, so that both are computed once.
    """

    state: PowerState
    target: Power
    awake: bool = field(init=False, repr=False, compare=False)
    """Target and state are Up."""
    to_wake: bool = field(init=False, repr=False, compare=False)
    """The target is Up, and the state is Down."""

    def __post_init__(self) -> None:
        wanted, up = self.target is Power.UP, self.state.power is Power.UP
        object.__setattr__(self, "awake", wanted and up)
        object.__setattr__(self, "to_wake", wanted and not up)


@value
class Unreadable:
    """An answer that cannot be read: a power that is neither Up nor Down, or a broken record.

    It is neither a default nor an absence: the chain has an entry, and powerd does not know what it says.
    """

    reason: str
    awake: ClassVar[bool] = False
    to_wake: ClassVar[bool] = False


Powers = Mapping[NodeId, NodePower | Unreadable]
"""The power of several nodes in one read of the chain."""


@value
class PowerReading:
    """The power of several nodes, all read from one block.

    ``head`` is ``None`` where the gateway does not say which block it read. ``powers`` has every node
    that was asked for.
    """

    head: Head | None
    powers: Powers


@value
class PastPower:
    """A node's power after an earlier block.

    ``target_at_down`` is its target at the moment when its state was set to Down in that block, and
    ``target_at_up`` likewise for Up; None if that block did not set it.
    """

    head: Head
    power: NodePower | Unreadable
    target_at_down: Power | None = None
    target_at_up: Power | None = None


@value
class Mac:
    """A hardware address, written ``54:b2:03:a0:11:22``."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Mac:
        """Read ``54:b2:03:a0:11:22`` or ``54-B2-…``. Raises ``ValueError`` for a zero or group address too."""
        canonical = text.strip().lower()
        if not _MAC.fullmatch(canonical):
            raise ValueError(f"{text!r} is not a MAC address such as 54:b2:03:a0:11:22")
        canonical = canonical.replace("-", ":")
        if canonical == "00:00:00:00:00:00" or int(canonical[:2], 16) & 1:
            raise ValueError(f"{text!r} is a zero or group address; no single card can own it")
        return cls(canonical)

    @property
    def octets(self) -> bytes:
        return bytes.fromhex(self.text.replace(":", ""))

    def __str__(self) -> str:
        return self.text


@value
class Node:
    """A node's record on chain, as far as waking needs it.

    ``mac`` is the address of the interface `WOKEN_INTERFACE`; ``None`` where the record has no usable
    one, and then ``mac_problem`` says why. ``certified``: the grid pays this node more, and demands more
    uptime (98 % instead of 95 %). ``registered_s``: when its record was made (Unix seconds); 0: not known.
    """

    id: NodeId
    farm: FarmId
    twin: TwinId
    mac: Mac | None
    mac_problem: str = ""
    certified: bool = False
    registered_s: int = 0


WOKEN_INTERFACE = "zos"
"""The interface whose address wakes a node: Zero-OS registers the bridge on its card by this name."""


def woken_address(interfaces: Iterable[tuple[str, str]]) -> tuple[Mac | None, str]:
    """The address that wakes a node, from the names and addresses in its record; or None, and the reason."""
    problem = f"the node's record has no interface named {WOKEN_INTERFACE!r}"
    for name, address in interfaces:
        if name == WOKEN_INTERFACE:
            try:
                return Mac.parse(address), ""
            except ValueError as error:
                problem = str(error)
    return None, problem


@value
class Counters:
    """One number for each node, which only the node itself can move. ``time_s`` is the block's time (Unix)."""

    time_s: float
    of: Mapping[NodeId, int]


@value
class NodeIdentity:
    """The ids of this machine on the chain."""

    node: NodeId
    farm: FarmId
    twin: TwinId


@value
class Nic:
    """The physical network card, or cards, through which this machine is woken.

    ``mac`` is the address in use, ``permanent_mac`` the permanent one, None where the driver does not
    have it. Where ``name`` is a bond or team, ``cards`` are the names of those of its legs that can wake
    the machine; ``mac`` is then the address of one leg, and ``other_macs`` are those of the others.
    ``other_wake_modes`` describes what else than magic packets wakes the machine; empty if nothing does.
    """

    name: str
    mac: Mac
    permanent_mac: Mac | None = None
    cards: tuple[str, ...] = ()
    other_macs: tuple[Mac, ...] = ()
    other_wake_modes: str = ""

    @property
    def addresses(self) -> tuple[Mac, ...]:
        """The addresses that can wake it: asleep, a card listens to the address in use or to its permanent one."""
        permanent = () if self.permanent_mac is None else (self.permanent_mac,)
        return tuple(dict.fromkeys((self.mac, *permanent, *self.other_macs)))

    @property
    def legs(self) -> tuple[str, ...]:
        """The names of the cards that must be armed."""
        return self.cards or (self.name,)


@value
class Inclusion:
    """The block in which one of our extrinsics succeeded.

    ``block_number`` is ``None`` where the gateway gives only the hash.
    """

    block_hash: str
    block_number: int | None


@value
class UptimeSample:
    """One reading of the machine's uptime, and the moment it was taken (both seconds)."""

    uptime_s: int
    taken_at_s: int


@value
class Health:
    """Whether the node can report uptime. ``problems`` are the reasons why it must not."""

    problems: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        return not self.problems


@value
class Hold:
    """A request to keep the machine up until ``expires_at_s`` (Unix seconds by the clock as it is set now)."""

    holder: str
    reason: str
    expires_at_s: float | None


@value
class EndpointTrouble:
    """An endpoint of the chain that does not work. ``reason`` is the same text at each look."""

    name: str
    reason: str


@value
class Fault:
    """Something an operator has to know. ``key`` is stable: the same fault is shown once.

    ``began_s`` is when it began, by the monotonic clock: the machine's clock may itself be what is wrong.
    """

    key: str
    message: str
    began_s: float = field(default=0.0, compare=False)
