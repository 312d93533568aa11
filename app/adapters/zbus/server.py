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
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

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
from app.adapters.redis.connection import Connection, all_of
from app.adapters.zbus.call_lists import BLOCK_S, CallLists
from app.domain.backoff import Backoff, Jitter
from app.domain.errors import EventsUnavailable, PowerdError

ANSWER_S = 5.0
REPLY_LIFE_S = 300
"""As Go's server: an answer that no caller fetches expires."""

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


@dataclass(frozen=True, slots=True)
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


class Answer(NamedTuple):
    """A frame for a caller's list; see `ZbusServer._answer` for ``alone``."""

    reply_to: str
    frame: bytes
    alone: bool


class ZbusServer:
    """A server for ``module`` with its objects. A call ends after ``call_s_max`` seconds."""

    def __init__(
        self, url: str, module: str, objects: Objects, jitter: Jitter, *, workers: int = 8, call_s_max: float = 240.0
    ) -> None:
        self._objects = objects
        self._jitter = jitter
        self._call_s_max = call_s_max
        self._calls = Connection(url, answer_s=BLOCK_S + ANSWER_S, errors_pass=False)
        self._status_calls = Connection(url, answer_s=BLOCK_S + ANSWER_S, errors_pass=False)
        self._answers = Connection(url, answer_s=ANSWER_S, errors_pass=False)
        self._queues = {f"{module}.{object_}": object_ for object_ in objects}
        self._lists = CallLists(self._calls, list(self._queues))
        self._status_lists = CallLists(self._status_calls, [f"{module}.{STATUS}"])
        self._workers = [Worker(since_ns=_now_ns()) for _ in range(workers)]
        self._free: asyncio.Queue[Worker] = asyncio.Queue()
        for worker in self._workers:
            self._free.put_nowait(worker)
        self._outbox: list[Answer] = []
        self._filled = asyncio.Event()
        self._complained: set[str] = set()

    async def run(self) -> None:
        """Serve until cancelled. While Redis is away, it retries."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._serve(group), name="zbus calls")
            group.create_task(self._serve_status(), name="zbus status")
            group.create_task(self._send_answers(), name="zbus replies")

    async def close(self) -> None:
        """Close the connections."""
        for connection in (self._calls, self._status_calls, self._answers):
            await connection.close()

    async def _serve(self, group: asyncio.TaskGroup) -> None:
        while True:
            free = [await self._free.get()]
            while not self._free.empty():
                free.append(self._free.get_nowait())
            for queue, request in await self._next_calls(self._lists, len(free)):
                call = self._work(free.pop(), self._queues[queue], request)
                group.create_task(call, name=f"zbus call {request.method}")
            for worker in free:
                self._free.put_nowait(worker)

    async def _serve_status(self) -> None:
        while True:
            for _, request in await self._next_calls(self._status_lists, 1):
                self._answer(request, Response(request.id, encode(STATUS_TYPE, self._status())), alone=True)

    async def _next_calls(self, lists: CallLists, room: int) -> list[tuple[str, Request]]:
        """Wait for calls; returns ``room`` of them at most."""
        failures = 0
        while True:
            try:
                taken = await lists.take(room, crowded=room < len(self._workers) - 1)
                failures = 0
            except EventsUnavailable as error:
                failures += 1
                self._complain(f"serving zbus: {error}", afresh=failures == 1 and lists is self._lists)
                await asyncio.sleep(RECONNECT.delay_s(failures, self._jitter))
                continue
            if calls := [*self._read(taken)]:
                return calls

    def _read(self, taken: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, Request]]:
        for queue, frame in taken:
            try:
                yield queue, decode_request(frame)
            except ZbusError as error:
                self._complain(f"a frame on {queue} is no request, and was dropped: {error}")

    async def _work(self, worker: Worker, object_: ObjectId, request: Request) -> None:
        worker.action, worker.since_ns = f"[{object_}].{request.method}()", _now_ns()
        try:
            response = await self._respond(object_, request)
        finally:
            worker.action, worker.since_ns = "", _now_ns()
            self._free.put_nowait(worker)
        self._answer(request, response)

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
        limit = asyncio.timeout(self._call_s_max)
        try:
            async with limit:
                value = await method.call(*arguments)
            return Response(request.id, None if method.result is None else encode(method.result, value))
        except (PowerdError, TimeoutError) as error:
            # A Go stub reads a value even if there is an error.
            data = None if method.result is None else encode(method.result, method.result.zero)
            cut = f"no answer within {self._call_s_max:g} s" if limit.expired() else "it took too long"
            return Response(request.id, data, call_error=cut if isinstance(error, TimeoutError) else _text(error))
        except Exception as error:
            log.exception("the zbus method %s.%s failed", object_, request.method)
            return Response(request.id, error=f"remote method call {object_}.{request.method}() paniced: {error}")

    def _answer(self, request: Request, response: Response, *, alone: bool = False) -> None:
        """Send an answer; one that leaves ``alone`` shows its reader that those before it have left and will expire."""
        self._outbox.append(Answer(request.reply_to, encode_response(response), alone))
        self._filled.set()

    async def _send_answers(self) -> None:
        """Push answers, each at most twice, since an idle connection may have been closed without notice."""
        while True:
            await self._filled.wait()
            together = next((at for at, answer in enumerate(self._outbox) if answer.alone), len(self._outbox)) or 1
            answers, self._outbox = self._outbox[:together], self._outbox[together:]
            if not self._outbox:
                self._filled.clear()
            try:
                try:
                    await self._push(answers)
                except EventsUnavailable:
                    await self._push(answers)
            except EventsUnavailable as error:
                self._complain(f"answering over zbus: {error}")

    async def _push(self, answers: Sequence[Answer]) -> None:
        async with self._answers.use() as redis:
            if len(answers) == 1:
                (answer,) = answers
                await redis.rpush(answer.reply_to, answer.frame)
                await redis.expire(answer.reply_to, REPLY_LIFE_S)
                return
            pushes = redis.pipeline(transaction=False)
            for answer in answers:
                pushes.rpush(answer.reply_to, answer.frame)
            replies = await pushes.execute(raise_on_error=False)
            # Not together: a key that refuses the push belongs to another program, and must not expire.
            expiries = redis.pipeline(transaction=False)
            for answer, reply in zip(answers, replies, strict=True):
                if isinstance(reply, Exception):
                    self._complain(f"answering over zbus: {self._answers.refused(reply)}")
                else:
                    expiries.expire(answer.reply_to, REPLY_LIFE_S)
            await all_of(expiries)

    def _status(self) -> dict[str, Any]:
        return {
            "Objects": [{"Name": each.name, "Version": each.version} for each in self._objects],
            "Workers": [
                {"State": "busy" if each.action else "free", "StartTime": each.since_ns, "Action": each.action}
                for each in self._workers
            ],
        }

    def _complain(self, what: str, *, afresh: bool = False) -> None:
        """Log each complaint once, or again with ``afresh``, since a faulty client sends many bad frames."""
        if afresh or (what not in self._complained and len(self._complained) < 100):
            self._complained.add(what)
            log.warning("%s", what)


def _text(error: PowerdError) -> str:
    """The error's text, never empty, since Go reads an empty message as no error."""
    return str(error) or type(error).__name__


def _now_ns() -> int:
    return round(time.time() * NANOSECONDS)
