"""The protocol of zinit from 0.2.15 on: JSON-RPC 2.0, with methods in the groups ``service`` and ``system``.

Most versions join group and method by ``_``, the first ones by ``.``. A harmless question finds out which:
first with the newer name, then with the older one.
"""

from __future__ import annotations

import json

from app.adapters.zinit.exchange import Answer, Ask, Order, Refused, unexpected
from app.domain.errors import HostPowerFailed

ANSWERS_AFTERWARDS = True
"""From 0.2.16 on, zinit stops all services first, including powerd, and answers afterwards (``src/app/rpc.rs``
awaits ``power()`` of ``src/zinit/lifecycle.rs``). So powerd never gets the answer to a power-off."""

METHOD_NOT_FOUND = -32601
SHUTTING_DOWN = -32006
"""zinit's own error code: it is shutting down already."""

ID = 1
"""Always the same, since a connection has a single call."""


async def find_method(ask: Ask, order: Order) -> str:
    """Ask for the list of services. Returns the order's method in this version, or raises `HostPowerFailed`."""
    for joint in ("_", "."):
        answer = await ask(_request(f"service{joint}list"))
        if _error_code(answer, dict) != METHOD_NOT_FOUND:
            return f"system{joint}{order}"
    raise HostPowerFailed(
        f"zinit knows neither service_list nor service.list ({answer['error']['message']}); this version of zinit may"
        " speak another protocol"
    )


async def give_order(ask: Ask, method: str) -> None:
    """Give the order. Returns when zinit accepted it; else raises `HostPowerFailed`."""
    answer = await ask(_request(method))
    code = _error_code(answer, type(None))
    if code not in (None, SHUTTING_DOWN):
        raise Refused(f"zinit refuses `{method}`: {answer['error']['message']} (error {code}); see zinit's log")


def _request(method: str) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": ID, "method": method, "params": []}).encode() + b"\n"


def _error_code(answer: Answer, result: type) -> int | None:
    """The error code of the answer; None for success. Raises `HostPowerFailed` if it is no answer to our call.

    ``result`` is the type of a success's result.
    """
    if answer.get("jsonrpc") != "2.0":
        raise unexpected(answer)
    if answer.keys() == {"jsonrpc", "id", "result"} and _is_ours(answer) and isinstance(answer["result"], result):
        return None
    if answer.keys() == {"jsonrpc", "id", "error"} and (_is_ours(answer) or answer["id"] is None):
        error = answer["error"]
        if isinstance(error, dict) and type(error.get("code")) is int and isinstance(error.get("message"), str):
            return int(error["code"])
    raise unexpected(answer)


def _is_ours(answer: Answer) -> bool:
    return type(answer["id"]) is int and answer["id"] == ID  # True == 1, and 1.0 == 1
