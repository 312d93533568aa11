"""Decodes ``api-gateway``'s answers about nodes to values of the domain; pure.

The Go program reads a state with IsUp false as Down, so that an answer with neither flag powers a node off.
Here exactly one flag must be set. Any other answer is unreadable, which is doubt (R6).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.model import FarmId, Node, NodeId, NodePower, Power, PowerState, TwinId, Unreadable, woken_address


def node_power(value: Mapping[str, Any]) -> NodePower | Unreadable:
    """A value of the type ``NodePower``."""
    state, target = _power(value["State"]), _power(value["Target"])
    if state is None or target is None:
        return Unreadable(f"neither Up nor Down, or both: {dict(value)}")
    since = value["State"]["AsDownBlockNumber"] if state is Power.DOWN else None
    return NodePower(PowerState(state, since), target)


def _power(flags: Mapping[str, Any]) -> Power | None:
    if flags["IsUp"] == flags["IsDown"]:
        return None
    return Power.UP if flags["IsUp"] else Power.DOWN


def node_record(value: Mapping[str, Any]) -> Node:
    mac, problem = woken_address((interface["Name"], interface["Mac"]) for interface in value["Interfaces"])
    return Node(NodeId(value["ID"]), FarmId(value["FarmID"]), TwinId(value["TwinID"]), mac, problem)
