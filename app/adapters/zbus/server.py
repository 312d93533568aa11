"""Serves objects over zbus as Go's server does: each object has a list for calls, each caller one for answers.

Theory of operation. A call is taken from its list only when a worker is free, so that at most ``workers`` calls
run at once, and the others wait in Redis. Where several callers are at work, as many calls are taken at once as
workers are free, and answers that are ready together leave together. The status object has its own task, and is
answered even when all workers are busy. Frames that Go's server drops without an answer are dropped here too.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.adapters.codecs.go_types import NANOSECONDS, STRING, TIME, GoType, Slice, Struct, encode
from app.adapters.codecs.zbus_frames import (
    ObjectId,
    Request,
    Response,
    ZbusError,
    decode_request,
    encode_response,
    unpack,
)
from app.adapters.libraries.timeouts import timeout
from app.adapters.redis.connection import Connection
from app.adapters.zbus.answers import Answers
from app.adapters.zbus.call_lists import CallLists
from app.domain.backoff import Backoff, Jitter
from app.domain.errors import EventsUnavailable, PowerdError
from app.domain.values import value

ANSWER_S = 5.0
RECONNECT = Backoff(0.2, 30.0)
STATUS = ObjectId("zbus", "1.0")
STATUS_TYPE = Struct(
    "Status",
    (
        ("Objects", Slice(Struct("ObjectID", (("Name", STRING), ("Version", STRING))))),
        ("Workers", Slice(Struct("WorkerStatus", (("State", STRING), ("StartTime", TIME), ("Action", STRING))))),
    ),
)

log = logging.getLogger(__name__)


@value
class Served:
    """A method: the types of its arguments and of its result (None: only an error), and the function.

    When ``call`` raises a `PowerdError`, the caller gets its text.
    """

    inputs: tuple[GoType, ...]
    result: GoType | None
    call: Callable[..., Awaitable[Any]]


Objects = Mapping[ObjectId, Mapping[str, Served]]


@dataclass(slots=True)
class Worker:
    """What a worker does, for the status object."""

    action: str = ""
    since_ns: int = 0


class ZbusServer:
    """A server for ``module`` with its objects. A call ends after ``call_s_max`` seconds."""

    def __init__(
        self, url: str, module: str, objects: Objects, jitter: Jitter, *, workers: int = 8, call_s_max: float = 240.0
    ) -> None:
        self._objects = objects
        self._jitter = jitter
        self._call_s_max = call_s_max
        self._queues = {f"{module}.{object_}": object_ for object_ in objects}
        self._pushing = Connection(url, answer_s=ANSWER_S, errors_pass=False)
        self._answers = Answers(self._pushing, self._warn_once)
        self._lists = CallLists(url, list(self._queues), self._pushing, self._under_way)
        self._status_lists = CallLists(url, [f"{module}.{STATUS}"], self._pushing, self._under_way)
        self._workers = [Worker(since_ns=_now_ns()) for _ in range(workers)]
        self._free = list(self._workers)
        self._freed = asyncio.Event()
        self._warned: set[str] = set()

    async def run(self) -> None:
        """Serve until cancelled. While Redis is away, it retries.

        At the end a call that runs is cut, and its caller gets an error; one that does not run yet stays in Redis.
        """
        async with asyncio.TaskGroup() as sending:
            sending.create_task(self._answers.run(), name="zbus replies")
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._serve(group), name="zbus calls")
                    group.create_task(self._serve_status(), name="zbus status")
            finally:
                await self._answers.all_sent()

    async def close(self) -> None:
        for each in (self._lists, self._status_lists, self._pushing):
            await each.close()

    def _under_way(self) -> bool:
        return self._answers.under_way or len(self._free) < len(self._workers)

    async def _serve(self, group: asyncio.TaskGroup) -> None:
        while True:
            if not self._free:
                self._freed.clear()
                await self._freed.wait()
            for queue, request in await self._next_calls(self._lists, len(self._free)):
                worker, object_ = self._free.pop(), self._queues[queue]
                worker.action, worker.since_ns = f"[{object_}].{request.method}()", _now_ns()
                work = group.create_task(self._respond(object_, request), name=f"zbus call {request.method}")
                work.add_done_callback(partial(self._done, worker, object_, request))

    def _done(self, worker: Worker, object_: ObjectId, request: Request, work: asyncio.Task[Response]) -> None:
        """Free the worker and answer, even if the call was cancelled before its first step."""
        worker.action, worker.since_ns = "", _now_ns()
        self._free.append(worker)
        self._freed.set()
        if work.cancelled():
            self._answer(request, _failed(request, self._objects[object_].get(request.method), "the server stops"))
        elif work.exception() is None:
            self._answer(request, work.result())

    async def _serve_status(self) -> None:
        while True:
            for _, request in await self._next_calls(self._status_lists, 1):
                self._answer(request, Response(request.id, encode(STATUS_TYPE, self._status())), alone=True)

    async def _next_calls(self, lists: CallLists, room: int) -> list[tuple[str, Request]]:
        """Wait for calls; returns ``room`` of them at most."""
        failures = 0
        while True:
            try:
                taken = await lists.take(room)
                failures = 0
            except EventsUnavailable as error:
                failures += 1
                self._warn_once(f"serving zbus: {error}", again=failures == 1 and lists is self._lists)
                await asyncio.sleep(RECONNECT.delay_s(failures, self._jitter))
                continue
            if calls := [*self._read(taken)]:
                return calls

    def _read(self, taken: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, Request]]:
        for queue, frame in taken:
            try:
                yield queue, decode_request(frame)
            except ZbusError as error:
                self._warn_once(f"a frame on {queue} is no request, and was dropped: {error}")

    async def _respond(self, object_: ObjectId, request: Request) -> Response:
        if request.object != object_:
            return Response(request.id, error="unknown object")
        method = self._objects[object_].get(request.method)
        if method is None:
            return Response(request.id, error="not a function")
        if len(request.inputs) != len(method.inputs):
            expected = f"expecting {len(method.inputs)} got {len(request.inputs)}"
            return Response(request.id, error=f"invalid number of arguments {expected}")
        arguments = []
        for number, (type_, data) in enumerate(zip(method.inputs, request.inputs, strict=True)):
            try:
                plain = unpack(data)
                arguments.append(type_.zero if plain is None else type_.read(plain, "it"))
            except ZbusError:
                return Response(request.id, error=f"invalid argument type [{number}] expecting {type_.name} got")
        return await self._call(method, arguments, object_, request)

    async def _call(self, method: Served, arguments: list[Any], object_: ObjectId, request: Request) -> Response:
        limit = timeout(self._call_s_max)
        try:
            async with limit:
                value = await method.call(*arguments)
            return Response(request.id, None if method.result is None else encode(method.result, value))
        except (PowerdError, TimeoutError) as error:
            cut = f"no answer within {self._call_s_max:g} s" if limit.expired() else "it took too long"
            return _failed(request, method, cut if isinstance(error, TimeoutError) else _text(error))
        except Exception as error:
            log.exception("the zbus method %s.%s failed", object_, request.method)
            return Response(request.id, error=f"remote method call {object_}.{request.method}() paniced: {error}")

    def _answer(self, request: Request, response: Response, *, alone: bool = False) -> None:
        self._answers.send(request.reply_to, encode_response(response), alone=alone)

    def _status(self) -> dict[str, Any]:
        return {
            "Objects": [{"Name": each.name, "Version": each.version} for each in self._objects],
            "Workers": [
                {"State": "busy" if each.action else "free", "StartTime": each.since_ns, "Action": each.action}
                for each in self._workers
            ],
        }

    def _warn_once(self, what: str, *, again: bool = False) -> None:
        """Log each warning once, or again with ``again``, since a faulty client sends many bad frames."""
        if again or (what not in self._warned and len(self._warned) < 100):
            self._warned.add(what)
            log.warning("%s", what)


def _failed(request: Request, method: Served | None, reason: str) -> Response:
    """The method's error, and a value of zero beside it, since a Go stub reads a value even if there is an error."""
    data = None if method is None or method.result is None else encode(method.result, method.result.zero)
    return Response(request.id, data, call_error=reason)


def _text(error: PowerdError) -> str:
    """The error's text, never empty, since Go reads an empty message as no error."""
    return str(error) or type(error).__name__


def _now_ns() -> int:
    return round(time.time() * NANOSECONDS)
