"""Checks of this node on the chain: key, account, record, address."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.rules.address import REMEDY, address_objection
from app.entrypoints.check.finding import Finding, failed, ok, warning
from app.entrypoints.check.subject import Subject
from app.entrypoints.settings.key_files import node_key

FEE_TFT = 0.001
"""The approximate cost of a failed call in TFT; successful calls of a node are free (tfchain: ``Pays::No``)."""
FEW = 100
NO_KEY = (
    "name its file in identity.key_file (POWERD_IDENTITY_KEY_FILE); where systemd gives the key to powerd, run "
    "`powerd check --service` as root"
)


async def key(subject: Subject) -> Sequence[Finding]:
    if node_key(subject.settings) is not None:
        return [ok(f"an {subject.settings.identity.key_type} key that no other user can read")]
    if subject.settings.identity.node_id:
        return [failed("no key is named: powerd can read the chain, and report nothing", NO_KEY)]
    return [failed("no key is named: powerd needs the node's key to know which node this is", NO_KEY)]


async def account(subject: Subject) -> Sequence[Finding]:
    found = await subject.account()
    remedy = f"send some TFT to {found.address}"
    if found.free_tft <= 0:
        return [failed(f"account {found.address} is empty: the chain refuses all that it signs (payment)", remedy)]
    reports = int(found.free_tft / FEE_TFT)
    text = (
        f"{found.address} has {found.free_tft:.4g} TFT: enough for {reports} reports that fail; those that succeed are "
        "free"
    )
    return [ok(text) if reports >= FEW else warning(text, remedy)]


async def node(subject: Subject) -> Sequence[Finding]:
    """Checks that the node is registered, in the farm of the settings."""
    found = await subject.node()
    wanted = subject.settings.identity.farm_id
    text = f"node {found.node} of farm {found.farm}, twin {found.twin}"
    if wanted and wanted != found.farm:
        return [failed(f"{text}; the settings name farm {wanted}", "correct identity.farm_id, or use this farm's key")]
    chain = subject.container.chain()
    listed = await chain.farm_nodes(found.farm)
    if found.node not in listed and not chain.lacks_power:
        return [
            failed(
                f"{text}; the chain's list of nodes of farm {found.farm} does not have it: no peer wakes it",
                "have the node register again",
            )
        ]
    return [ok(text)]


async def address(subject: Subject) -> Sequence[Finding]:
    """Peers wake a node by the address in its record."""
    found, record, card = await subject.node(), await subject.record(), await subject.card()
    if objection := address_objection(found.node, record, [card]):
        seen, _, _ = objection.partition("; ")
        return [failed(seen, f"{REMEDY}, or name the right card in the settings (nic.bridge)")]
    return [ok(f"{card.mac} of {card.name} is the address on chain")]
