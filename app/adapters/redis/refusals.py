"""What a server's refusal means for the operator: redis-py gives the code, this module the remedy."""

from __future__ import annotations

REMEDIES = {
    "NOAUTH": "give a password, or a user name and a password, in broker.url",
    "WRONGPASS": "correct the user name and the password in broker.url",
    "NOPERM": "give this user the rights that docs/redis.md lists",
    "READONLY": "this server is a replica: let broker.url name its primary",
    "MASTERDOWN": "this server is a replica that lost its primary: let broker.url name the primary",
    "NOREPLICAS": "it waits for replicas that are away: bring them back, or see min-replicas-to-write",
    "MISCONF": "it can't save its data: make room on its disk, or look into its log",
    "OOM": "give it more memory (maxmemory), or remove data from it",
    "LOADING": "it is still reading its data: wait",
    "BUSY": "a script holds it up: end that (SCRIPT KILL)",
    "WRONGTYPE": "another program uses this key: give powerd a database of its own in broker.url",
    **dict.fromkeys(
        ("CLUSTERDOWN", "MOVED", "ASK", "CROSSSLOT", "TRYAGAIN"),
        "it is part of a cluster, which powerd can't use: let broker.url name a single server",
    ),
}
"""By the first word of the server's answer."""


def explained(error: Exception) -> str:
    """The server's words and what to do; empty when the error is not an answer of the server."""
    from redis.exceptions import AuthenticationError, AuthorizationError, BusyLoadingError, RedisError, ResponseError

    if isinstance(error.__cause__, RedisError):
        # What went wrong at the start of a connection is wrapped once more.
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
    """Whether the server does not know the command at all: it is older than that."""
    return "unknown command" in str(error).lower()
