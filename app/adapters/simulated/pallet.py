"""The rules of tfchain's TfgridModule, as far as powerd meets them, on plain values.

Observed on the real runtime (spec 144); `NodeHasActiveContracts` was read in the pallet's source
(spec 149). Names of calls, events, errors and fields are the chain's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from app.domain.values import value

Values = Mapping[str, Any]

HINT_S_MAX = 60
NODE_CALLS = frozenset({"change_power_state", "report_uptime", "report_uptime_v2"})
"""Calls that cost the node nothing when they succeed (``Pays::No``)."""


class PalletError(Exception):
    """A call failed; the text is the error's name."""


class State(Protocol):
    """What a call sees of the chain while its block is made."""

    number: int
    time_ms: int

    def read(self, name: str, key: object, default: Any = None) -> Any:
        """A value of the storage."""
        ...

    def write(self, name: str, key: object, value: Any) -> None:
        """Change the storage."""
        ...

    def deposit(self, event: str, attributes: object) -> None:
        """Put an event into the block."""
        ...


@value
class StoredPower:
    """The chain's ``NodePower``; ``down_since`` is the block in ``PowerState::Down``."""

    down_since: int | None = None
    target: str = "Up"

    @property
    def state(self) -> object:
        """As substrate-interface decodes it."""
        return "Up" if self.down_since is None else {"Down": self.down_since}


ALWAYS_UP = StoredPower()


def change_power_state(state: State, account: bytes, arguments: Values) -> None:
    """The node sets its state. A repeated Down is a change, a repeated Up is not."""
    node = _node_of(state, account)
    power = state.read("NodePower", node["id"], ALWAYS_UP)
    down_since = state.number if arguments["power_state"] == "Down" else None
    if power.down_since == down_since:
        return
    state.write("NodePower", node["id"], StoredPower(down_since, power.target))
    new = "Up" if down_since is None else {"Down": down_since}
    state.deposit("PowerStateChanged", {"farm_id": node["farm_id"], "node_id": node["id"], "power_state": new})


def change_power_target(state: State, account: bytes, arguments: Values) -> None:
    """The farmer sets a node's target. The event comes even if the target was the same."""
    twin = _twin_of(state, account)
    node = state.read("Nodes", arguments["node_id"])
    if node is None:
        raise PalletError("NodeNotExists")
    farm = state.read("Farms", node["farm_id"])
    if farm is None:
        raise PalletError("FarmNotExists")
    if farm["twin_id"] != twin["id"]:
        raise PalletError("UnauthorizedToChangePowerTarget")
    target = arguments["power_target"]
    if target == "Down" and state.read("ActiveNodeContracts", node["id"], ()):
        raise PalletError("NodeHasActiveContracts")
    power = state.read("NodePower", node["id"], ALWAYS_UP)
    state.write("NodePower", node["id"], StoredPower(power.down_since, target))
    state.deposit("PowerTargetChanged", {"farm_id": node["farm_id"], "node_id": node["id"], "power_target": target})


def report_uptime_v2(state: State, account: bytes, arguments: Values) -> None:
    """Uptime with the sender's time, which must be within a minute of the chain's."""
    now_s = state.time_ms // 1000
    if abs(arguments["timestamp_hint"] - now_s) > HINT_S_MAX:
        raise PalletError("InvalidTimestampHint")
    report_uptime(state, account, arguments)


def report_uptime(state: State, account: bytes, arguments: Values) -> None:
    """The old form, without a hint."""
    node = _node_of(state, account)
    state.deposit("NodeUptimeReported", (node["id"], state.time_ms // 1000, arguments["uptime"]))


def user_accept_tc(state: State, account: bytes, arguments: Values) -> None:
    """Terms and conditions; without them there is no twin."""
    accepted = state.read("UsersTermsAndConditions", account, ())
    terms = {"account_id": account, "timestamp": state.time_ms // 1000, **arguments}
    state.write("UsersTermsAndConditions", account, (*accepted, terms))


def create_twin(state: State, account: bytes, arguments: Values) -> None:
    if not state.read("UsersTermsAndConditions", account, ()):
        raise PalletError("UserDidNotSignTermsAndConditions")
    if state.read("TwinIdByAccountID", account) is not None:
        raise PalletError("TwinWithPubkeyExists")
    twin = {
        "id": _next_id(state, "TwinID"),
        "account_id": account,
        "relay": arguments["relay"],
        "entities": [],
        "pk": arguments["pk"],
    }
    state.write("Twins", twin["id"], twin)
    state.write("TwinIdByAccountID", account, twin["id"])
    state.deposit("TwinStored", twin)


def create_farm(state: State, account: bytes, arguments: Values) -> None:
    twin = _twin_of(state, account)
    farm = {
        "version": 4,
        "id": _next_id(state, "FarmID"),
        "name": arguments["name"],
        "twin_id": twin["id"],
        "pricing_policy_id": 1,
        "certification": "NotCertified",
        "public_ips": list(arguments["public_ips"]),
        "dedicated_farm": False,
        "farming_policy_limits": None,
    }
    state.write("Farms", farm["id"], farm)
    state.deposit("FarmStored", farm)


def create_node(state: State, account: bytes, arguments: Values) -> None:
    """A node of a farm, one per twin."""
    twin = _twin_of(state, account)
    if state.read("Farms", arguments["farm_id"]) is None:
        raise PalletError("FarmNotExists")
    if state.read("NodeIdByTwinID", twin["id"], 0):
        raise PalletError("NodeWithTwinIdExists")
    node = {
        "version": 6,
        "id": _next_id(state, "NodeID"),
        "twin_id": twin["id"],
        "public_config": None,
        "created": state.time_ms // 1000,
        "farming_policy_id": 1,
        "certification": "Diy",
        "connection_price": 80,
        **arguments,
    }
    members = state.read("NodesByFarmID", node["farm_id"], ())
    state.write("Nodes", node["id"], node)
    state.write("NodeIdByTwinID", twin["id"], node["id"])
    state.write("NodesByFarmID", node["farm_id"], (*members, node["id"]))
    state.deposit("NodeStored", node)


def _twin_of(state: State, account: bytes) -> Any:
    twin = state.read("Twins", state.read("TwinIdByAccountID", account))
    if twin is None:
        raise PalletError("TwinNotExists")
    return twin


def _node_of(state: State, account: bytes) -> Any:
    node = state.read("Nodes", state.read("NodeIdByTwinID", _twin_of(state, account)["id"], 0))
    if node is None:
        raise PalletError("NodeNotExists")
    return node


def _next_id(state: State, counter: str) -> int:
    number = int(state.read(counter, None, 0)) + 1
    state.write(counter, None, number)
    return number


CALLS: Mapping[str, Callable[[State, bytes, Values], None]] = {
    call.__name__: call
    for call in (
        change_power_state,
        change_power_target,
        report_uptime,
        report_uptime_v2,
        user_accept_tc,
        create_twin,
        create_farm,
        create_node,
    )
}
