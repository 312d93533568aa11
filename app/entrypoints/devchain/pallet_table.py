"""The dev chain's pallets: storage, calls, events and errors, each with its index; and the signed extensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.entrypoints.devchain.type_table import BYTES, TFGRID, Fields


@dataclass(frozen=True, slots=True)
class Storage:
    """A plain value, or a map when ``key`` is given."""

    value: str
    key: str = ""
    optional: bool = False
    default: str = "00"
    hasher: str = "Blake2_128Concat"


@dataclass(frozen=True, slots=True)
class Pallet:
    """A pallet and its items, each with its index.

    Errors are numbered from 0: clients look them up by their place in the list, and match on the name.
    """

    index: int
    path: str
    storage: Mapping[str, Storage] = field(default_factory=dict)
    calls: Mapping[str, tuple[int, Fields]] = field(default_factory=dict)
    events: Mapping[str, tuple[int, Fields]] = field(default_factory=dict)
    errors: tuple[str, ...] = ()
    constants: Mapping[str, tuple[str, str]] = field(default_factory=dict)


EXTENSIONS: Mapping[str, str] = {
    "CheckNonZeroSender": "()",
    "CheckSpecVersion": "u32",
    "CheckTxVersion": "u32",
    "CheckGenesis": "H256",
    "CheckMortality": "H256",
    "CheckNonce": "()",
    "CheckWeight": "()",
    "ChargeTransactionPayment": "()",
}
"""Signed extensions in order, each with what it adds to the signed payload."""

PALLETS: Mapping[str, Pallet] = {
    "System": Pallet(
        0,
        "frame_system::pallet",
        storage={
            "Account": Storage("AccountInfo", "AccountId32", default="00" * 79 + "80"),
            "BlockHash": Storage("H256", "u32", default="00" * 32, hasher="Twox64Concat"),
            "Number": Storage("u32", default="00" * 4),
            "ParentHash": Storage("H256", default="00" * 32),
            "Events": Storage("Vec<EventRecord>"),
            "EventCount": Storage("u32", default="00" * 4),
            "LastRuntimeUpgrade": Storage("LastRuntimeUpgradeInfo", optional=True),
        },
        calls={"remark": (0, {"remark": "Vec<u8>"})},
        events={
            "ExtrinsicSuccess": (0, {"dispatch_info": "DispatchInfo"}),
            "ExtrinsicFailed": (1, {"dispatch_error": "DispatchError", "dispatch_info": "DispatchInfo"}),
        },
        constants={"BlockHashCount": ("u32", "60090000"), "SS58Prefix": ("u16", "2a00")},
    ),
    "Timestamp": Pallet(
        1,
        "pallet_timestamp::pallet",
        storage={"Now": Storage("u64", default="00" * 8)},
        calls={"set": (0, {"now": "Compact<u64>"})},
        constants={"MinimumPeriod": ("u64", "b80b000000000000")},
    ),
    "TfgridModule": Pallet(
        25,
        f"{TFGRID}::pallet",
        storage={
            "Farms": Storage("Farm", "u32", optional=True),
            "NodesByFarmID": Storage("Vec<u32>", "u32"),
            "Nodes": Storage("Node", "u32", optional=True),
            "NodeIdByTwinID": Storage("u32", "u32", default="00" * 4),
            "Twins": Storage("Twin", "u32", optional=True),
            "TwinIdByAccountID": Storage("u32", "AccountId32", optional=True),
            "UsersTermsAndConditions": Storage("Vec<TermsAndConditions>", "AccountId32", optional=True),
            "FarmID": Storage("u32", default="00" * 4),
            "NodeID": Storage("u32", default="00" * 4),
            "TwinID": Storage("u32", default="00" * 4),
            "NodePower": Storage("NodePower", "u32", default="0000"),
        },
        calls={
            "create_farm": (1, {"name": BYTES, "public_ips": "BoundedVec<IP4>"}),
            "create_node": (
                8,
                {
                    "farm_id": "u32",
                    "resources": "Resources",
                    "location": "LocationInput",
                    "interfaces": "BoundedVec<Interface>",
                    "secure_boot": "bool",
                    "virtualized": "bool",
                    "serial_number": f"Option<{BYTES}>",
                },
            ),
            "report_uptime": (11, {"uptime": "u64"}),
            "create_twin": (17, {"relay": f"Option<{BYTES}>", "pk": f"Option<{BYTES}>"}),
            "user_accept_tc": (25, {"document_link": BYTES, "document_hash": BYTES}),
            "change_power_state": (35, {"power_state": "Power"}),
            "change_power_target": (36, {"node_id": "u32", "power_target": "Power"}),
            "report_uptime_v2": (38, {"uptime": "u64", "timestamp_hint": "u64"}),
        },
        events={
            "FarmStored": (0, {"": "Farm"}),
            "NodeStored": (3, {"": "Node"}),
            "NodeUpdated": (4, {"": "Node"}),
            "NodeUptimeReported": (6, {"0": "u32", "1": "u64", "2": "u64"}),
            "TwinStored": (11, {"": "Twin"}),
            "PowerTargetChanged": (29, {"farm_id": "u32", "node_id": "u32", "power_target": "Power"}),
            "PowerStateChanged": (30, {"farm_id": "u32", "node_id": "u32", "power_state": "PowerState"}),
        },
        errors=(
            "NodeNotExists",
            "NodeWithTwinIdExists",
            "FarmNotExists",
            "TwinNotExists",
            "TwinWithPubkeyExists",
            "UserDidNotSignTermsAndConditions",
            "UnauthorizedToChangePowerTarget",
            "NodeHasActiveContracts",
            "InvalidRelayAddress",
            "InvalidTimestampHint",
        ),
    ),
    "SmartContractModule": Pallet(
        26,
        "pallet_smart_contract::pallet",
        storage={
            "ActiveNodeContracts": Storage("Vec<u64>", "u32"),
            "ActiveRentContractForNode": Storage("u64", "u32", optional=True),
        },
    ),
}
