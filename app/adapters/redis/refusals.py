"""Remedies for the refusals of a Redis server."""

from __future__ import annotations

REMEDIES = {
    "NOAUTH": "give a password, or a user name and a password, in broker.url",
    "WRONGPASS": "correct the user name and the password in broker.url",
    "NOPERM": "give this user the rights that docs/redis.md lists",
    "READONLY": "this server is a replica: name its primary in broker.url",
    "MASTERDOWN": "this server is a replica that lost its primary: name the primary in broker.url",
    "NOREPLICAS": "it waits for missing replicas: start them, or change min-replicas-to-write",
    "MISCONF": "it can't save its data: make room on its disk, or read its log",
    "OOM": "give it more memory (maxmemory), or remove data from it",
    "LOADING": "it is still reading its data: wait",
    "BUSY": "it runs a script: end that (SCRIPT KILL)",
    "WRONGTYPE": "another program uses this key: name another database for powerd in broker.url",
    **dict.fromkeys(
        ("CLUSTERDOWN", "MOVED", "ASK", "CROSSSLOT", "TRYAGAIN"),
        "it is part of a cluster, which powerd can't use: name a single server in broker.url",
    ),
}
"""The first word of the server's answer → remedy."""


def explained(error: Exception) -> str:
    """The server's answer with a remedy; empty when the error is no answer of the server."""
    from app.adapters.redis.library import (
        AuthenticationError,
        AuthorizationError,
        BusyLoadingError,
        RedisError,
        ResponseError,
    )

    if isinstance(error.__cause__, RedisError):
        # An error at the start of a connection is wrapped in another one.
        return explained(error.__cause__)
    login = isinstance(error, AuthenticationError | AuthorizationError)
    if not login and not isinstance(error, BusyLoadingError | ResponseError):
        return ""
    text = str(error) or type(error).__name__
    code = getattr(error, "status_code", None) or ""
    if code in ("", "ERR"):
        code = "WRONGPASS" if login else text.partition(" ")[0]
    else:
        text = f"{code} {text}"
    remedy = "powerd needs Redis 5.0 or newer" if is_unknown(error) else REMEDIES.get(code.lstrip("-"), "")
    return f"{text}; {remedy}" if remedy else text


def is_unknown(error: Exception) -> bool:
    """Whether the server does not know the command, since it is too old."""
    return "unknown command" in str(error).lower()
