"""How zinit is asked up to 0.2.14: one word a connection, answered by ``{"state": …, "body": …}``."""

from __future__ import annotations

from app.adapters.zinit.exchange import Ask, Order, unexpected
from app.domain.errors import HostPowerFailed


async def give_order(ask: Ask, order: Order) -> None:
    """Returns once zinit accepted the order (it acts afterwards); else `HostPowerFailed`."""
    answer = await ask(order.encode() + b"\n")
    if answer.keys() != {"state", "body"} or answer["state"] not in ("ok", "error"):
        raise unexpected(answer)
    if answer["state"] == "error":
        raise HostPowerFailed(f"zinit refuses `{order}`: {answer['body']}; see zinit's log")
