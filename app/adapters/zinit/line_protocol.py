"""The protocol of zinit up to 0.2.14: one word a connection, and the answer ``{"state": …, "body": …}``."""

from __future__ import annotations

from app.adapters.zinit.exchange import Answer, Ask, Order, Refused, unexpected

ANSWERS_AFTERWARDS = False
"""zinit answers an order at once, and then carries it out."""


async def find_method(ask: Ask, order: Order) -> str:
    """Ask for the list of services, to see that zinit answers. The word is the order itself."""
    _checked(await ask(b"list\n"))
    return order


async def give_order(ask: Ask, method: str) -> None:
    """Give the order. Returns when zinit accepted it; else raises `HostPowerFailed`."""
    answer = _checked(await ask(method.encode() + b"\n"))
    if answer["state"] == "error":
        raise Refused(f"zinit refuses `{method}`: {answer['body']}; see zinit's log")


def _checked(answer: Answer) -> Answer:
    if answer.keys() != {"state", "body"} or answer["state"] not in ("ok", "error"):
        raise unexpected(answer)
    return answer
