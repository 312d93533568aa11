"""Decodes ``TfgridModule``'s storage to values of the domain. Runs in the worker's thread."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.domain.model import (
    FarmId,
    Node,
    NodeId,
    NodePower,
    Power,
    PowerState,
    TwinId,
    Unreadable,
    woken_address,
)

if TYPE_CHECKING:
    from app.adapters.substrate.runtime import Runtime

PALLET = "TfgridModule"

log = logging.getLogger(__name__)


def power_key(runtime: Runtime, node: NodeId) -> str:
    return runtime.key(PALLET, "NodePower", node)


def node_key(runtime: Runtime, node: NodeId) -> str:
    return runtime.key(PALLET, "Nodes", node)


def farm_nodes_key(runtime: Runtime, farm: FarmId) -> str:
    return runtime.key(PALLET, "NodesByFarmID", farm)


def twin_key(runtime: Runtime, twin: TwinId) -> str:
    return runtime.key(PALLET, "Twins", twin)


def account_key(runtime: Runtime, account: bytes) -> str:
    """The storage key of an account, which has its nonce."""
    return runtime.key("System", "Account", account)


def powers(
    runtime: Runtime, nodes: Sequence[NodeId], values: Mapping[str, str]
) -> dict[NodeId, NodePower | Unreadable]:
    """Every node's power. One that cannot be read is `Unreadable`, and does not affect the others.

    Most nodes of a farm have the same power, and the library takes 15 µs to read it.
    """
    stored = {node: values.get(power_key(runtime, node)) for node in nodes}
    read = {data: _power(runtime, data) for data in set(stored.values())}
    return {node: read[data] for node, data in stored.items()}


def _power(runtime: Runtime, data: str | None) -> NodePower | Unreadable:
    try:
        value = runtime.value(PALLET, "NodePower", data)
        return NodePower(power_state(value["state"]), Power(value["target"]))
    except (ValueError, KeyError, TypeError) as error:
        return Unreadable(f"NodePower {data}: {error}")


def power_state(value: Any) -> PowerState:
    """Read ``'Up'`` or ``{'Down': 708}`` (the block)."""
    if isinstance(value, str):
        return PowerState(Power(value))
    ((name, since_block),) = value.items()
    return PowerState(Power(name), int(since_block))


def nodes(runtime: Runtime, asked: Sequence[NodeId], values: Mapping[str, str]) -> dict[NodeId, Node | Unreadable]:
    """Records of the nodes that exist. One that cannot be read is `Unreadable`, and does not affect the others."""
    stored = {node: data for node in asked if (data := values.get(node_key(runtime, node))) is not None}
    return {node: _node(runtime, node, data) for node, data in stored.items()}


def _node(runtime: Runtime, node: NodeId, data: str) -> Node | Unreadable:
    try:
        record = node_of(runtime.value(PALLET, "Nodes", data))
    except (ValueError, KeyError, TypeError) as error:
        return Unreadable(f"the record of node {node} can't be read: {error}")
    if record.id != node:
        return Unreadable(f"the record of node {node} says that it is that of node {record.id}")
    return record


def node_of(value: Mapping[str, Any]) -> Node:
    """The node of a record in the library's form."""
    mac, problem = woken_address((each["name"], str(each["mac"])) for each in value["interfaces"])
    return Node(
        NodeId(value["id"]),
        FarmId(value["farm_id"]),
        TwinId(value["twin_id"]),
        mac,
        problem,
        certified=value.get("certification") == "Certified",
        registered_s=int(value.get("created", 0)),
    )


def farm_nodes(runtime: Runtime, farm: FarmId, values: Mapping[str, str]) -> tuple[NodeId, ...]:
    listed = runtime.value(PALLET, "NodesByFarmID", values.get(farm_nodes_key(runtime, farm)))
    return tuple(sorted(NodeId(node) for node in listed))


def accounts(runtime: Runtime, twins: Mapping[NodeId, TwinId], values: Mapping[str, str]) -> dict[NodeId, bytes]:
    """The account of each node's twin, 32 bytes. One that cannot be read is left out, and logged."""
    found = {}
    for node, twin in twins.items():
        data = values.get(twin_key(runtime, twin))
        if data is None:
            continue
        try:
            found[node] = account_of(str(runtime.value(PALLET, "Twins", data)["account_id"]))
        except (ValueError, KeyError, TypeError) as error:
            log.warning("the record of twin %d can't be read: %s", twin, error)
    return found


def account_of(address: str) -> bytes:
    """The 32 bytes of an account, from SS58 of any network or from hex. Raises ValueError."""
    from scalecodec.utils.ss58 import ss58_decode

    return bytes.fromhex(address[2:] if address.startswith("0x") else ss58_decode(address))


def nonces(runtime: Runtime, accounts: Mapping[NodeId, bytes], values: Mapping[str, str]) -> dict[NodeId, int]:
    """The nonce of each node's account; 0 where the chain has no such account."""
    found = {}
    for node, account in accounts.items():
        data = values.get(account_key(runtime, account))
        try:
            found[node] = int(runtime.value("System", "Account", data)["nonce"])
        except (ValueError, KeyError, TypeError) as error:
            log.warning("the account of node %d can't be read: %s", node, error)
    return found
