"""Why a transaction pool did not take an extrinsic, from the different answers of different nodes.

Some nodes put the reason into ``message`` as JSON. Others say ``Invalid Transaction``, and put the reason
into ``data``, in words or as a variant's name (sc-transaction-pool, sp-runtime
``TransactionValidityError``). Reasons have the names by which sp-runtime serialises them.
"""

from __future__ import annotations

import json

from app.adapters.substrate.rpc_errors import RpcRefused

POOL_CODES = range(1010, 1020)
"""1010 invalid, 1011 unknown validity, 1012 banned, 1013 already there, 1014 low priority, …"""

OWN_CODES = (1010, 1011)

OF_THE_FACTS = ("stale", "future", "badProof", "ancientBirthBlock")
"""Refusals for a nonce, block or runtime that is not the chain's any more, such as that of a node behind."""

WORDS = {
    "stale": ("stale", "outdated"),
    "badProof": ("badproof", "badsignature"),
    "payment": ("payment", "inabilitytopay"),
    "ancientBirthBlock": ("ancientbirthblock",),
    "future": ("future",),
    "exhaustsResources": ("exhaustsresources", "exhausttheresources"),
    "noUnsignedValidator": ("nounsignedvalidator", "couldnotfindanunsignedvalidator"),
    "temporarilyBanned": ("temporarilybanned",),
    "alreadyImported": ("alreadyimported",),
    "immediatelyDropped": ("immediatelydropped", "poollimitreached"),
    "priorityTooLow": ("priorityistoolow", "prioritytoolow"),
}
"""Reason → what its texts contain, in lower case, letters only."""


def is_refusal(error: RpcRefused) -> bool:
    """Whether the pool refused the extrinsic (and not the node the request)."""
    return error.code in POOL_CODES


def is_own(error: RpcRefused) -> bool:
    """Whether the extrinsic itself is refused (1010, 1011), as far as this node knows the chain.

    Other codes are about this node's pool: the extrinsic is banned there, the pool is full, or another
    extrinsic has its place.
    """
    return error.code in OWN_CODES


def is_there_already(error: RpcRefused) -> bool:
    """Whether the pool has this extrinsic already, such as from another node."""
    return is_refusal(error) and reason_of(error) == "alreadyImported"


def reason_of(error: RpcRefused) -> str:
    """The reason's name, or the node's own text where it is not in `WORDS`."""
    words = f"{error.message} {json.dumps(error.data)}"
    letters = "".join(character for character in words.lower() if character.isalpha())
    for reason, marks in WORDS.items():
        if any(mark in letters for mark in marks):
            return reason
    detail = "" if error.data is None else f": {error.data}"
    return f"{error.message}{detail} ({error.code})"
