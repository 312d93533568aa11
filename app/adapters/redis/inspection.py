"""Reads what a Redis server has for powerd, and which commands powerd's user can use. It changes nothing.

A server checks the user's rights first, and then the arguments. So each command is sent with an invalid
argument (a number that is none), and only the answer ``NOPERM`` counts. RPUSH and PUBLISH take any arguments,
and are not tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.adapters.redis.connection import Connection
from app.domain.errors import EventsUnavailable
from app.domain.values import value

NO_NUMBER = "x"
ZBUS_QUEUE = "power.power@0.0.1"


@value
class GroupLook:
    """The consumer group on the stream; ``entries`` are the stream's, ``pending`` those not acknowledged."""

    entries: int
    there: bool
    pending: int = 0


class RedisInspection:
    """Looks at the server at ``url`` as its user may. Every method raises `EventsUnavailable`."""

    def __init__(self, url: str, *, stream: str, group: str, dead_letter_stream: str, answer_s: float) -> None:
        self._connection = Connection(url, answer_s=answer_s)
        self._stream = stream
        self._group = group
        self._dead_letter_stream = dead_letter_stream
        self._readers = f"{stream}:readers"

    @property
    def name(self) -> str:
        """The server, without secrets."""
        return self._connection.name

    async def version(self) -> str:
        """Such as ``7.2.4``; empty where this user has no right to ask. Call it first: it opens the connection."""
        answer = await self._command("HELLO", "2")
        if isinstance(answer, Exception):
            answer = await self._command("INFO", "server")
        found = "" if isinstance(answer, Exception) else _version(answer)
        if not found:
            # Any answer proves that the server is there and lets this user in.
            await self._command("HGETALL", self._readers)
        return found

    async def refused(self) -> Mapping[str, Sequence[str]]:
        """The commands for which this user has no right, by what needs them."""
        stream, group, readers = self._stream, self._group, self._readers
        probes: Mapping[str, Sequence[tuple[str, ...]]] = {
            "events": (
                ("XREADGROUP", "GROUP", group, "x", "COUNT", NO_NUMBER, "STREAMS", stream, ">"),
                ("XACK", stream, group, NO_NUMBER),
                ("XGROUP", "CREATE", stream, group, NO_NUMBER),
                ("XADD", self._dead_letter_stream, NO_NUMBER, "body", ""),
            ),
            "entries of consumers that died": (
                ("XPENDING", stream, group),
                ("XCLAIM", stream, group, "x", NO_NUMBER, "0-0"),
            ),
            "noticing another node on this database": (
                ("HSET", readers, "a", "1", "b"),
                ("HGETALL", readers),
                ("HDEL", readers, ""),
                ("EXPIRE", readers, NO_NUMBER),
                ("XINFO", "GROUPS", stream),
            ),
            "zbus": (("BLPOP", ZBUS_QUEUE, NO_NUMBER),),
        }
        found = {}
        for purpose, commands in probes.items():
            answers = [(command[0], await self._command(*command)) for command in commands]
            if names := [name for name, answer in answers if _is_refused(answer)]:
                found[purpose] = names
        return found

    async def group(self) -> GroupLook | None:
        """The group; None where this user has no right to ask."""
        groups = await self._command("XINFO", "GROUPS", self._stream)
        if isinstance(groups, Exception):
            return None if _is_refused(groups) else GroupLook(0, there=False)
        about = await self._command("XINFO", "STREAM", self._stream)
        entries = 0 if isinstance(about, Exception) else int(_named(about)["length"])
        for each in map(_named, groups):
            if each["name"] == self._group.encode():
                return GroupLook(entries, there=True, pending=int(each["pending"]))
        return GroupLook(entries, there=False)

    async def readers(self) -> Sequence[str]:
        """Names of those that read the stream within the last hour (``node 1 of farm 1``)."""
        counts = await self._command("HGETALL", self._readers)
        if isinstance(counts, Exception):
            return []
        return sorted({name.decode(errors="replace").rpartition(" ")[0] for name in counts})

    async def close(self) -> None:
        await self._connection.close()

    async def _command(self, *command: str) -> Any:
        """The reply; an error reply is returned too."""
        from app.adapters.redis.library import AuthenticationError, ResponseError

        async with self._connection.use() as redis:
            try:
                return await redis.execute_command(*command)
            except AuthenticationError:
                raise
            except ResponseError as error:
                if str(error).startswith(("NOAUTH", "LOADING", "MASTERDOWN")):
                    raise EventsUnavailable(str(self._connection.refused(error))) from error
                return error


def _is_refused(answer: object) -> bool:
    from app.adapters.redis.library import NoPermissionError

    return isinstance(answer, NoPermissionError) or str(answer).startswith("NOPERM")


def _named(answer: Any) -> Mapping[str, Any]:
    """A reply of names and values in turn; the library makes a mapping of some of them."""
    if isinstance(answer, list):
        return {name.decode(): value for name, value in zip(answer[::2], answer[1::2], strict=True)}
    found: Mapping[str, Any] = answer
    return found


def _version(answer: Any) -> str:
    about = _named(answer)
    value = about.get("version", about.get("redis_version", ""))
    return value.decode() if isinstance(value, bytes) else str(value)
