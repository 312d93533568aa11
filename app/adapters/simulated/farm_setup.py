"""Writes a farm directly into a fresh ledger: a farmer, nodes, their twins, balances and MACs."""

from __future__ import annotations

from collections.abc import Sequence

from app.adapters.simulated.ledger import Ledger
from app.domain.model import Mac

BALANCE = 1_000_000_000
"""100 TFT, in units of 10⁻⁷ TFT."""


def mac_of(farm: int, node: int) -> Mac:
    """A locally administered address with the ids of farm and node in it."""
    return Mac.parse(f"02:00:{farm >> 8 & 255:02x}:{farm & 255:02x}:{node >> 8 & 255:02x}:{node & 255:02x}")


def add_farm(ledger: Ledger, farmer: bytes, nodes: Sequence[bytes]) -> tuple[int, tuple[int, ...]]:
    """A farm of ``farmer`` with one node per account; returns the farm's id and the nodes'."""
    farm = _count(ledger, "FarmID")
    add_farm_record(ledger, farm, farmer)
    ids = []
    for account in nodes:
        ids.append(_count(ledger, "NodeID"))
        add_node(ledger, farm, ids[-1], account, str(mac_of(farm, ids[-1])))
    return farm, tuple(ids)


def add_farm_record(ledger: Ledger, farm: int, farmer: bytes) -> None:
    """A farm with this id and no nodes."""
    ledger.force_storage(
        "Farms",
        farm,
        {
            "version": 4,
            "id": farm,
            "name": f"farm-{farm}",
            "twin_id": _twin(ledger, farmer),
            "pricing_policy_id": 1,
            "certification": "NotCertified",
            "public_ips": [],
            "dedicated_farm": False,
            "farming_policy_limits": None,
        },
    )


def add_node(ledger: Ledger, farm: int, node: int, account: bytes, mac: str) -> int:
    """A node of the farm with this id; ``mac`` is written as it is. Returns its twin's id."""
    twin = _twin(ledger, account)
    interface = {"name": "zos", "mac": mac, "ips": [f"10.{farm & 255}.{node >> 8 & 255}.{node & 255}"]}
    ledger.force_storage(
        "Nodes",
        node,
        {
            "version": 6,
            "id": node,
            "farm_id": farm,
            "twin_id": twin,
            "resources": {"hru": 0, "sru": 512 << 30, "cru": 8, "mru": 32 << 30},
            "location": {"city": "Ghent", "country": "Belgium", "latitude": "51.05", "longitude": "3.72"},
            "public_config": None,
            "created": ledger.best.time_ms // 1000,
            "farming_policy_id": 1,
            "interfaces": [interface],
            "certification": "Diy",
            "secure_boot": False,
            "virtualized": False,
            "serial_number": None,
            "connection_price": 80,
        },
    )
    ledger.force_storage("NodeIdByTwinID", twin, node)
    members = ledger.read("NodesByFarmID", farm, default=())
    ledger.force_storage("NodesByFarmID", farm, (*members, node))
    return twin


def _twin(ledger: Ledger, account: bytes) -> int:
    known = ledger.read("TwinIdByAccountID", account)
    if known is not None:
        return int(known)
    twin = _count(ledger, "TwinID")
    record = {"id": twin, "account_id": account, "relay": None, "entities": [], "pk": None}
    ledger.force_storage("Twins", twin, record)
    ledger.force_storage("TwinIdByAccountID", account, twin)
    ledger.force_storage("Balance", account, BALANCE)
    return twin


def _count(ledger: Ledger, counter: str) -> int:
    number = int(ledger.read(counter, None, default=0)) + 1
    ledger.force_storage(counter, None, number)
    return number
