"""The dev chain's runtime as one table: the part of tfchain that powerd and its tools use.

Names, order, indices and paths are those of tfchain's runtime (metadata of spec 144); a test compares
each item with a digest of the real metadata. Newer than that: the error ``NodeHasActiveContracts``
(read in the pallet's source, spec 149).

A type is written as in Rust: ``u32``, ``[u8;32]``, ``Vec<T>``, ``BoundedVec<T>``, ``Option<T>``,
``Compact<T>``, ``(A,B)``, or a name of `TYPES`. A struct of one unnamed field is written ``{"": T}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Struct:
    """A composite type."""

    path: str
    fields: Fields
    params: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """A variant type: name → index and fields (an unnamed field is written ``""``, several ``"0"`` …)."""

    path: str
    variants: Mapping[str, tuple[int, Fields]]
    params: Fields = field(default_factory=dict)


def plain(*names: str) -> dict[str, tuple[int, Fields]]:
    """Variants without fields, numbered from 0."""
    return {name: (index, {}) for index, name in enumerate(names)}


BYTES = "BoundedVec<u8>"
SUPPORT = "tfchain_support::types"
TFGRID = "pallet_tfgrid"

TYPES: Mapping[str, Struct | Choice] = {
    "AccountId32": Struct("sp_core::crypto::AccountId32", {"": "[u8;32]"}),
    "H256": Struct("primitive_types::H256", {"": "[u8;32]"}),
    "MultiAddress": Choice(
        "sp_runtime::multiaddress::MultiAddress",
        {
            "Id": (0, {"": "AccountId32"}),
            "Index": (1, {"": "Compact<()>"}),
            "Raw": (2, {"": "Vec<u8>"}),
            "Address32": (3, {"": "[u8;32]"}),
            "Address20": (4, {"": "[u8;20]"}),
        },
        {"AccountId": "AccountId32", "AccountIndex": "()"},
    ),
    "Ed25519Signature": Struct("sp_core::ed25519::Signature", {"": "[u8;64]"}),
    "Sr25519Signature": Struct("sp_core::sr25519::Signature", {"": "[u8;64]"}),
    "EcdsaSignature": Struct("sp_core::ecdsa::Signature", {"": "[u8;65]"}),
    "MultiSignature": Choice(
        "sp_runtime::MultiSignature",
        {
            "Ed25519": (0, {"": "Ed25519Signature"}),
            "Sr25519": (1, {"": "Sr25519Signature"}),
            "Ecdsa": (2, {"": "EcdsaSignature"}),
        },
    ),
    "Era": Choice(
        "sp_runtime::generic::era::Era",
        {"Immortal": (0, {}), **{f"Mortal{number}": (number, {"": "u8"}) for number in range(1, 256)}},
    ),
    "CheckNonZeroSender": Struct("frame_system::extensions::check_non_zero_sender::CheckNonZeroSender", {}),
    "CheckSpecVersion": Struct("frame_system::extensions::check_spec_version::CheckSpecVersion", {}),
    "CheckTxVersion": Struct("frame_system::extensions::check_tx_version::CheckTxVersion", {}),
    "CheckGenesis": Struct("frame_system::extensions::check_genesis::CheckGenesis", {}),
    "CheckMortality": Struct("frame_system::extensions::check_mortality::CheckMortality", {"": "Era"}),
    "CheckNonce": Struct("frame_system::extensions::check_nonce::CheckNonce", {"": "Compact<u32>"}),
    "CheckWeight": Struct("frame_system::extensions::check_weight::CheckWeight", {}),
    "ChargeTransactionPayment": Struct("pallet_transaction_payment::ChargeTransactionPayment", {"": "Compact<u128>"}),
    "UncheckedExtrinsic": Struct(
        "sp_runtime::generic::unchecked_extrinsic::UncheckedExtrinsic",
        {"": "Vec<u8>"},
        {"Address": "MultiAddress", "Call": "RuntimeCall", "Signature": "MultiSignature", "Extra": "Extra"},
    ),
    "Weight": Struct("sp_weights::weight_v2::Weight", {"ref_time": "Compact<u64>", "proof_size": "Compact<u64>"}),
    "DispatchClass": Choice("frame_support::dispatch::DispatchClass", plain("Normal", "Operational", "Mandatory")),
    "Pays": Choice("frame_support::dispatch::Pays", plain("Yes", "No")),
    "DispatchInfo": Struct(
        "frame_support::dispatch::DispatchInfo", {"weight": "Weight", "class": "DispatchClass", "pays_fee": "Pays"}
    ),
    "ModuleError": Struct("sp_runtime::ModuleError", {"index": "u8", "error": "[u8;4]"}),
    "TokenError": Choice(
        "sp_runtime::TokenError",
        plain(
            *("FundsUnavailable", "OnlyProvider", "BelowMinimum", "CannotCreate", "UnknownAsset", "Frozen"),
            *("Unsupported", "CannotCreateHold", "NotExpendable"),
        ),
    ),
    "ArithmeticError": Choice("sp_arithmetic::ArithmeticError", plain("Underflow", "Overflow", "DivisionByZero")),
    "TransactionalError": Choice("sp_runtime::TransactionalError", plain("LimitReached", "NoLayer")),
    "DispatchError": Choice(
        "sp_runtime::DispatchError",
        {
            **plain("Other", "CannotLookup", "BadOrigin"),
            "Module": (3, {"": "ModuleError"}),
            "ConsumerRemaining": (4, {}),
            "NoProviders": (5, {}),
            "TooManyConsumers": (6, {}),
            "Token": (7, {"": "TokenError"}),
            "Arithmetic": (8, {"": "ArithmeticError"}),
            "Transactional": (9, {"": "TransactionalError"}),
            "Exhausted": (10, {}),
            "Corruption": (11, {}),
            "Unavailable": (12, {}),
        },
    ),
    "Phase": Choice(
        "frame_system::Phase",
        {"ApplyExtrinsic": (0, {"": "u32"}), "Finalization": (1, {}), "Initialization": (2, {})},
    ),
    "EventRecord": Struct(
        "frame_system::EventRecord",
        {"phase": "Phase", "event": "RuntimeEvent", "topics": "Vec<H256>"},
        {"E": "RuntimeEvent", "T": "H256"},
    ),
    "ExtraFlags": Struct("pallet_balances::types::ExtraFlags", {"": "u128"}),
    "AccountData": Struct(
        "pallet_balances::types::AccountData",
        {"free": "u128", "reserved": "u128", "frozen": "u128", "flags": "ExtraFlags"},
        {"Balance": "u128"},
    ),
    "AccountInfo": Struct(
        "frame_system::AccountInfo",
        {"nonce": "u32", "consumers": "u32", "providers": "u32", "sufficients": "u32", "data": "AccountData"},
        {"Index": "u32", "AccountData": "AccountData"},
    ),
    "LastRuntimeUpgradeInfo": Struct(
        "frame_system::LastRuntimeUpgradeInfo", {"spec_version": "Compact<u32>", "spec_name": "str"}
    ),
    "Power": Choice(f"{SUPPORT}::Power", plain("Up", "Down")),
    "PowerState": Choice(f"{SUPPORT}::PowerState", {"Up": (0, {}), "Down": (1, {"": "u32"})}, {"B": "u32"}),
    "NodePower": Struct(f"{SUPPORT}::NodePower", {"state": "PowerState", "target": "Power"}, {"B": "u32"}),
    "Resources": Struct(
        "tfchain_support::resources::Resources", {"hru": "u64", "sru": "u64", "cru": "u64", "mru": "u64"}
    ),
    "Location": Struct(
        f"{TFGRID}::node::Location", {"city": BYTES, "country": BYTES, "latitude": BYTES, "longitude": BYTES}
    ),
    "LocationInput": Struct(
        f"{TFGRID}::types::LocationInput",
        {"city": BYTES, "country": BYTES, "latitude": BYTES, "longitude": BYTES},
        {"City": BYTES, "Country": BYTES, "Latitude": BYTES, "Longitude": BYTES},
    ),
    "Interface": Struct(f"{SUPPORT}::Interface", {"name": BYTES, "mac": BYTES, "ips": f"BoundedVec<{BYTES}>"}),
    "NodeCertification": Choice(f"{SUPPORT}::NodeCertification", plain("Diy", "Certified")),
    "FarmCertification": Choice(f"{SUPPORT}::FarmCertification", plain("NotCertified", "Gold")),
    "IP4": Struct(f"{SUPPORT}::IP4", {"ip": BYTES, "gw": BYTES}),
    "IP6": Struct(f"{SUPPORT}::IP6", {"ip": BYTES, "gw": BYTES}),
    "PublicIP": Struct(f"{SUPPORT}::PublicIP", {"ip": BYTES, "gateway": BYTES, "contract_id": "u64"}),
    "PublicConfig": Struct(
        f"{SUPPORT}::PublicConfig", {"ip4": "IP4", "ip6": "Option<IP6>", "domain": f"Option<{BYTES}>"}
    ),
    "FarmingPolicyLimit": Struct(
        f"{SUPPORT}::FarmingPolicyLimit",
        {
            "farming_policy_id": "u32",
            "cu": "Option<u64>",
            "su": "Option<u64>",
            "end": "Option<u64>",
            "node_count": "Option<u32>",
            "node_certification": "bool",
        },
    ),
    "Node": Struct(
        f"{SUPPORT}::Node",
        {
            "version": "u32",
            "id": "u32",
            "farm_id": "u32",
            "twin_id": "u32",
            "resources": "Resources",
            "location": "Location",
            "public_config": "Option<PublicConfig>",
            "created": "u64",
            "farming_policy_id": "u32",
            "interfaces": "Vec<Interface>",
            "certification": "NodeCertification",
            "secure_boot": "bool",
            "virtualized": "bool",
            "serial_number": f"Option<{BYTES}>",
            "connection_price": "u32",
        },
    ),
    "Farm": Struct(
        f"{SUPPORT}::Farm",
        {
            "version": "u32",
            "id": "u32",
            "name": BYTES,
            "twin_id": "u32",
            "pricing_policy_id": "u32",
            "certification": "FarmCertification",
            "public_ips": "BoundedVec<PublicIP>",
            "dedicated_farm": "bool",
            "farming_policy_limits": "Option<FarmingPolicyLimit>",
        },
    ),
    "EntityProof": Struct(f"{TFGRID}::types::EntityProof", {"entity_id": "u32", "signature": "Vec<u8>"}),
    "Twin": Struct(
        f"{TFGRID}::types::Twin",
        {
            "id": "u32",
            "account_id": "AccountId32",
            "relay": f"Option<{BYTES}>",
            "entities": "Vec<EntityProof>",
            "pk": f"Option<{BYTES}>",
        },
        {"AccountId": "AccountId32"},
    ),
    "TermsAndConditions": Struct(
        f"{TFGRID}::terms_cond::TermsAndConditions",
        {"account_id": "AccountId32", "timestamp": "u64", "document_link": BYTES, "document_hash": BYTES},
    ),
}
