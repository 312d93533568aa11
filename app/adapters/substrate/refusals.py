"""Why a transaction pool did not take an extrinsic, whatever words the node uses.

Some nodes put the reason in ``message`` as JSON, others say ``Invalid Transaction`` and put it in
``data``, in words or as a variant's name (sc-transaction-pool, sp-runtime
``TransactionValidityError``). Reasons are called here as sp-runtime serialises them.
"""

from __future__ import annotations

import json

from app.adapters.substrate.rpc_errors import RpcRefused

POOL_CODES = range(1010, 1020)
"""1010 invalid, 1011 unknown validity, 1012 banned, 1013 already there, 1014 low priority, …"""

OWN_CODES = (1010, 1011)

OF_THE_FACTS = ("stale", "future", "badProof", "ancientBirthBlock")
"""What comes of a nonce, a block or a runtime that is no longer the chain's: of a node that is behind, for one."""

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
"""Reason → what its texts contain, in lower case and letters only."""


def is_refusal(error: RpcRefused) -> bool:
    """Whether the pool refused the extrinsic (and not the node the request)."""
    return error.code in POOL_CODES


def is_own(error: RpcRefused) -> bool:
    """Whether the extrinsic itself is refused (1010, 1011), as far as this node knows the chain.

    The others speak of this node's pool: banned there, a full pool, another extrinsic in its place.
    """
    return error.code in OWN_CODES


def is_there_already(error: RpcRefused) -> bool:
    """Whether this very extrinsic waits in the pool, as one does that was heard of from another node."""
    return is_refusal(error) and reason_of(error) == "alreadyImported"


def reason_of(error: RpcRefused) -> str:
    """The reason's name, or the node's own words where they are none of `WORDS`."""
    words = f"{error.message} {json.dumps(error.data)}"
    letters = "".join(character for character in words.lower() if character.isalpha())
    for reason, marks in WORDS.items():
        if any(mark in letters for mark in marks):
            return reason
    detail = "" if error.data is None else f": {error.data}"
    return f"{error.message}{detail} ({error.code})"
