"""How zinit is asked from 0.2.15 on: JSON-RPC 2.0, methods in the groups ``service`` and ``system``.

Most versions join group and method by ``_``, the first ones by ``.``. Which it is, is found out by
a question that harms nothing: the newer name first, the older where zinit does not know it.
"""

from __future__ import annotations

import json

from app.adapters.zinit.exchange import Answer, Ask, Order, Refused, unexpected
from app.domain.errors import HostPowerFailed

ANSWERS_AFTERWARDS = True
"""From 0.2.16 on zinit stops all services first, powerd among them, and answers when all is done (its
``src/app/rpc.rs`` awaits ``power()`` of ``src/zinit/lifecycle.rs``): on a machine that goes off, never."""

METHOD_NOT_FOUND = -32601
SHUTTING_DOWN = -32006
"""zinit's own code: it is going down already."""

ID = 1
"""A connection carries a single call."""


async def find_word(ask: Ask, order: Order) -> str:
    """Ask for the list of services; the method's name in this version, `HostPowerFailed` if it knows neither."""
    for joint in ("_", "."):
        answer = await ask(_request(f"service{joint}list"))
        if _error_code(answer, dict) != METHOD_NOT_FOUND:
            return f"system{joint}{order}"
    raise HostPowerFailed(
        f"zinit knows neither service_list nor service.list ({answer['error']['message']}); this version of zinit may"
        " speak another protocol"
    )


async def give_order(ask: Ask, word: str) -> None:
    """Returns once zinit accepted the order; else `HostPowerFailed`."""
    answer = await ask(_request(word))
    code = _error_code(answer, type(None))
    if code not in (None, SHUTTING_DOWN):
        raise Refused(f"zinit refuses `{word}`: {answer['error']['message']} (error {code}); see zinit's log")


def _request(method: str) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": ID, "method": method, "params": []}).encode() + b"\n"


def _error_code(answer: Answer, result: type) -> int | None:
    """The code of the error in the answer, None for success; `HostPowerFailed` if it is no answer to our call.

    ``result`` is the type of what a success brings.
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
