"""How zinit is asked from 0.2.15 on: JSON-RPC 2.0 in methods of the group ``system``.

Most versions join group and method by ``_``, the first ones by ``.``: the newer name is tried
first, and the older where zinit does not know it.
"""

from __future__ import annotations

import json

from app.adapters.zinit.exchange import Answer, Ask, Order, unexpected
from app.domain.errors import HostPowerFailed

METHOD_NOT_FOUND = -32601
SHUTTING_DOWN = -32006
"""zinit's own code: it is going down already."""

ID = 1
"""A connection carries a single call."""


async def give_order(ask: Ask, order: Order) -> None:
    """Returns once zinit accepted the order (it acts afterwards); else `HostPowerFailed`."""
    answer = await ask(_request(f"system_{order}"))
    if _error_code(answer) == METHOD_NOT_FOUND:
        answer = await ask(_request(f"system.{order}"))
    code = _error_code(answer)
    if code not in (None, SHUTTING_DOWN):
        raise HostPowerFailed(f"zinit refuses `{order}`: {answer['error']['message']} (error {code}); see zinit's log")


def _request(method: str) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": ID, "method": method, "params": []}).encode() + b"\n"


def _error_code(answer: Answer) -> int | None:
    """The code of the error in the answer, None for success; `HostPowerFailed` if it is no answer to our call."""
    if answer.get("jsonrpc") != "2.0":
        raise unexpected(answer)
    if answer.keys() == {"jsonrpc", "id", "result"} and _is_ours(answer) and answer["result"] is None:
        return None
    if answer.keys() == {"jsonrpc", "id", "error"} and (_is_ours(answer) or answer["id"] is None):
        error = answer["error"]
        if isinstance(error, dict) and type(error.get("code")) is int and isinstance(error.get("message"), str):
            return int(error["code"])
    raise unexpected(answer)


def _is_ours(answer: Answer) -> bool:
    return type(answer["id"]) is int and answer["id"] == ID  # True == 1, and 1.0 == 1
