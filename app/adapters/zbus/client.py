"""Calls other daemons over zbus: a request goes to the neighbour's list, the answer comes on a reply list.

Theory of operation. Go's client opens a connection for each call, and polls its reply list each second. Here
all calls share two connections. One sends. The other blocks on the reply lists of all waiting calls, and on
the *bell*, a list to which a new call pushes so that its own reply list is added. When a caller stops waiting,
its call is removed from the neighbour's list, if it is still there. Otherwise a neighbour that hangs would
execute it minutes later.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any
from uuid import uuid4

from app.adapters.codecs.go_types import decode, encode
from app.adapters.codecs.zbus_frames import (
    Request,
    Response,
    ZbusError,
    decode_response,
    encode_request,
)
from app.adapters.libraries.timeouts import timeout
from app.adapters.redis.connection import Command, Connection, popped
from app.adapters.zbus.neighbours import RemoteMethod
from app.domain.errors import EventsUnavailable, RetryableError

log = logging.getLogger(__name__)

ANSWER_S = 5.0
BLOCK_S = 3
"""A whole number, since Redis before 6.0 takes no fractions."""
WITHDRAW_S = 2.0
"""For a cancelled call. The end of the daemon may wait for it, and has 4.5 s."""
BELL_LIFE_S = 60


class NoAnswer(RetryableError):
    """The neighbour did not answer. ``withdrawn``: it has not got the call, and never will."""

    def __init__(self, message: str, *, withdrawn: bool) -> None:
        super().__init__(message)
        self.withdrawn = withdrawn


class CallFailed(RetryableError):
    """The neighbour executed the method, which returned this error."""


class CallRefused(RetryableError):
    """The neighbour's version does not have the method, or has it with other arguments."""

    def __init__(self, message: str, method: RemoteMethod) -> None:
        super().__init__(message)
        self.method = method


class BrokenAnswer(RetryableError):
    """The neighbour's answer is no valid answer to this call."""


class ZbusClient:
    """Makes any number of calls at once. It connects when it is first used; the caller must close it."""

    def __init__(self, url: str) -> None:
        self._sending = Connection(url, answer_s=ANSWER_S, errors_pass=False)
        self._hearing = Connection(url, answer_s=BLOCK_S + ANSWER_S, errors_pass=False)
        self._waiting: dict[str, asyncio.Future[bytes]] = {}
        self._bell = f"powerd:zbus:{uuid4()}"
        self._listening: asyncio.Task[None] | None = None
        self._closed = False
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def call(self, method: RemoteMethod, *arguments: Any, timeout_s: float) -> Any:
        """The method's result, None where it has none.

        Raises `NoAnswer` when none came within ``timeout_s``, `CallFailed` with the method's own
        error, `CallRefused` for a method that is not there, and `BrokenAnswer`.
        """
        name = str(uuid4())
        reply = await self._exchange(method, name, _frame(method, name, arguments), timeout_s)
        try:
            response = decode_response(reply)
            if response.id not in (name, ""):
                raise ZbusError(f"it answers the call {response.id}")
            _check(method, response)
            return None if method.result is None else decode(method.result, response.data, "the result")
        except ZbusError as error:
            raise BrokenAnswer(f"{method} gave a broken answer: {error}") from error

    async def post(self, method: RemoteMethod, *arguments: Any, timeout_s: float) -> None:
        """Send the call without waiting for an answer. Raises `NoAnswer` when Redis did not take it."""
        self._refuse_if_closed(method)
        name = str(uuid4())
        try:
            async with timeout(timeout_s):
                await self._sending.pipeline(("RPUSH", method.remote.queue, _frame(method, name, arguments)))
        except (EventsUnavailable, TimeoutError) as error:
            raise NoAnswer(f"{method} can't be called: {error}", withdrawn=False) from error

    async def _exchange(self, method: RemoteMethod, name: str, frame: bytes, timeout_s: float) -> bytes:
        self._refuse_if_closed(method)
        queue = method.remote.queue
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._begin(name, answer)
        try:
            async with timeout(timeout_s):
                await self._send(queue, frame)
                return await answer
        except TimeoutError:
            withdrawn = await self._withdraw(queue, frame, name, ANSWER_S)
            raise NoAnswer(f"{method} did not answer within {timeout_s:g} s", withdrawn=withdrawn) from None
        except EventsUnavailable as error:
            withdrawn = await self._withdraw(queue, frame, name, ANSWER_S)
            raise NoAnswer(f"{method} can't be called: {error}", withdrawn=withdrawn) from error
        except asyncio.CancelledError:
            await self._withdraw(queue, frame, name, WITHDRAW_S)
            raise
        finally:
            self._end(name)

    async def close(self) -> None:
        """Close the connections. Waiting calls and later ones fail."""
        self._closed = True
        self._fail_all("the client was closed")
        with suppress(TimeoutError):
            async with timeout(WITHDRAW_S + 0.5):
                await self._idle.wait()
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])
        await self._sending.close()
        await self._hearing.close()

    def _refuse_if_closed(self, method: RemoteMethod) -> None:
        if self._closed:
            raise NoAnswer(f"{method} can't be called: the client was closed", withdrawn=True)

    def _begin(self, name: str, answer: asyncio.Future[bytes]) -> None:
        self._waiting[name] = answer
        # The caller may be gone when the answer fails, since sending failed as well.
        answer.add_done_callback(lambda failed: failed.cancelled() or failed.exception())
        self._calls += 1
        self._idle.clear()

    def _end(self, name: str) -> None:
        self._waiting.pop(name, None)
        self._calls -= 1
        if not self._calls:
            self._idle.set()

    async def _send(self, queue: str, frame: bytes) -> None:
        """Push the request. The bell is only for a running listener, since a new one knows this call."""
        commands: list[Command] = [("RPUSH", queue, frame)]
        if self._listens():
            commands += [("RPUSH", self._bell, b""), ("EXPIRE", self._bell, BELL_LIFE_S)]
        await self._sending.pipeline(*commands)
        if not self._listens():
            self._listening = asyncio.create_task(self._listen(), name="zbus answers")

    def _listens(self) -> bool:
        return self._listening is not None and not self._listening.done()

    async def _withdraw(self, queue: str, frame: bytes, reply_to: str, within_s: float) -> bool:
        """Remove the call from the list. False when the neighbour has it already, or Redis does not answer.

        If the caller is cancelled meanwhile, the call is still removed, since it would be executed later.
        """
        withdrawal = asyncio.create_task(self._take_back(queue, frame, reply_to, within_s), name="zbus: withdrawal")
        try:
            return await asyncio.shield(withdrawal)
        except asyncio.CancelledError:
            await asyncio.wait([withdrawal], timeout=WITHDRAW_S)
            raise

    async def _take_back(self, queue: str, frame: bytes, reply_to: str, within_s: float) -> bool:
        try:
            async with timeout(within_s):
                removed, _ = await self._sending.pipeline(("LREM", queue, 1, frame), ("DEL", reply_to))
        except (EventsUnavailable, TimeoutError):
            return False
        return bool(removed)

    async def _listen(self) -> None:
        """Deliver answers, as long as a call waits for one."""
        while self._waiting:
            try:
                heard = await self._hear([self._bell, *self._waiting])
            except EventsUnavailable as error:
                self._fail_all(str(error))
                return
            except Exception as error:
                log.exception("reading answers over zbus failed")
                self._fail_all(f"reading answers failed: {error!r}")
                raise
            if heard is None:
                continue
            name, reply = heard
            answer = self._waiting.get(name)
            if answer is not None and not answer.done():
                answer.set_result(reply)
                del self._waiting[name]

    async def _hear(self, keys: list[str]) -> tuple[str, bytes] | None:
        (heard,) = await self._hearing.pipeline(("BLPOP", *keys, BLOCK_S))
        async with self._hearing.reading():
            return None if heard is None else popped(heard)

    def _fail_all(self, reason: str) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(EventsUnavailable(reason))


def _frame(method: RemoteMethod, name: str, arguments: tuple[Any, ...]) -> bytes:
    inputs = tuple(encode(type_, value) for type_, value in zip(method.inputs, arguments, strict=True))
    return encode_request(Request(name, method.remote.object, method.name, inputs, reply_to=name))


def _check(method: RemoteMethod, response: Response) -> None:
    if response.error is not None:
        raise CallRefused(f"{method} is refused: {response.error or 'no reason given'}", method)
    if response.call_error:
        raise CallFailed(f"{method}: {response.call_error}")
