"""The port `Chain` on Substrate nodes, read and written over JSON-RPC."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from app.adapters.substrate import records
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.extrinsics import Extrinsics
from app.adapters.substrate.keys import SigningKey
from app.adapters.substrate.past import power_in
from app.adapters.substrate.state import KeysOf, Reading, both_heads, doubt_of, head_state, undecoded
from app.domain.errors import ChainUnavailable, PermanentError
from app.domain.model import (
    FarmId,
    Head,
    HeadKind,
    Inclusion,
    Node,
    NodeId,
    PastPower,
    Power,
    PowerReading,
    Powers,
    Unreadable,
)
from app.ports.chain import UptimeSampler


class SubstrateChain:
    """`Chain` of the account of ``seed`` (32 bytes, ``key_type`` "ed25519" or "sr25519").

    Without a seed it only reads. ``inclusion_timeout_s`` bounds the wait for a block. An extrinsic is valid
    for ``era_blocks`` blocks (a power of two; 16 blocks are 96 s). The caller closes the client.
    """

    def __init__(
        self,
        client: SubstrateClient,
        *,
        seed: bytes | None = None,
        key_type: str = "ed25519",
        inclusion_timeout_s: float = 100.0,
        era_blocks: int = 16,
    ) -> None:
        self._client = client
        self._farms: dict[FarmId, tuple[NodeId, ...]] = {}
        self._extrinsics: Extrinsics | None = None
        if seed is not None:
            self._extrinsics = Extrinsics(
                client,
                SigningKey(seed, key_type),
                inclusion_timeout_s=inclusion_timeout_s,
                era_blocks=era_blocks,
            )

    # -- reading -----------------------------------------------------------------------------------

    @property
    def lacks_power(self) -> str:
        """Always empty."""
        return ""

    async def head(self, kind: HeadKind) -> Head:
        """The head with its number, its hash and its own time."""
        return (await head_state(self._client, kind, lambda _: (), undecoded)).head

    async def powers(self, nodes: Collection[NodeId], kind: HeadKind) -> PowerReading:
        """One storage query at one block, for any number of nodes. No entry means state and target Up."""
        state = await head_state(self._client, kind, *_powers_of(nodes))
        return PowerReading(state.head, state.content)

    async def powers_at_heads(self, nodes: Collection[NodeId]) -> tuple[PowerReading, PowerReading]:
        """Two requests: for the finalized head's hash, and for both heads' values."""
        finalized, best = await both_heads(self._client, *_powers_of(nodes))
        return PowerReading(finalized.head, finalized.content), PowerReading(best.head, best.content)

    async def power_in(self, node: NodeId, block: Inclusion) -> PastPower | None:
        """Read from that block's state, if any endpoint still has it."""
        return await power_in(self._client, node, block)

    async def nodes(self, nodes: Collection[NodeId]) -> Mapping[NodeId, Node | Unreadable]:
        """Records of the nodes that exist, with the address of the interface ``zos``.

        At an old head, a node without record or address is `Unreadable`, since it may have both by now.
        """
        asked = tuple(nodes)
        state = await head_state(
            self._client,
            HeadKind.BEST,
            lambda runtime: [records.node_key(runtime, node) for node in asked],
            lambda runtime, values: records.nodes(runtime, asked, values),
        )
        doubt = doubt_of(self._client, state.head)
        if not doubt:
            return state.content
        return {node: _doubted(node, state.content.get(node), doubt) for node in asked}

    async def farm_nodes(self, farm: FarmId) -> tuple[NodeId, ...]:
        """Ids of all nodes of the farm, ascending. At an old head also those of the answer before."""
        state = await head_state(
            self._client, HeadKind.BEST, lambda runtime: [records.farm_nodes_key(runtime, farm)], undecoded
        )
        listed = await self._client.decode(lambda: records.farm_nodes(state.runtime, farm, state.values))
        if doubt := doubt_of(self._client, state.head):
            listed = tuple(sorted({*listed, *self._farms.get(farm, ())}))
            if not listed:
                raise ChainUnavailable(f"farm {farm} has no nodes ({doubt})")
        self._farms[farm] = listed
        return listed

    # -- writing -----------------------------------------------------------------------------------

    async def set_power_state(self, power: Power) -> Inclusion:
        """Submit ``change_power_state`` and wait for its inclusion."""
        return await self._writer().include("change_power_state", lambda: {"power_state": power.value})

    async def announce_power_state(self, power: Power) -> None:
        """Submit ``change_power_state``, and do not wait for its inclusion."""
        await self._writer().announce("change_power_state", lambda: {"power_state": power.value})

    async def report_uptime(self, sample: UptimeSampler) -> Inclusion:
        """Submit ``report_uptime_v2``. ``sample`` is called when the nonce is known, right before signing."""

        def arguments() -> dict[str, int]:
            taken = sample()
            return {"uptime": taken.uptime_s, "timestamp_hint": taken.taken_at_s}

        return await self._writer().include("report_uptime_v2", arguments)

    def _writer(self) -> Extrinsics:
        if self._extrinsics is None:
            raise PermanentError(
                "this node's key is not configured, so that powerd can't write on the chain; set identity.key_file"
            )
        return self._extrinsics


def _powers_of(nodes: Collection[NodeId]) -> tuple[KeysOf, Reading[Powers]]:
    asked = tuple(nodes)
    return (
        lambda runtime: [records.power_key(runtime, node) for node in asked],
        lambda runtime, values: records.powers(runtime, asked, values),
    )


def _doubted(node: NodeId, record: Node | Unreadable | None, doubt: str) -> Node | Unreadable:
    if record is None:
        return Unreadable(f"there is no node {node} ({doubt})")
    if isinstance(record, Node) and record.mac is None:
        return Unreadable(f"{record.mac_problem} ({doubt})")
    return record
