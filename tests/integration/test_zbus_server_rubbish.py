"""Garbage for the zbus server: it answers or drops it, logs that once, and keeps none of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.adapters.codecs.go_types import BOOL, HASH, STRING, TIME, UINT32, Slice, StringMap, Struct
from app.adapters.codecs.zbus_frames import FRAME_BYTES_MAX, ObjectId, Request, encode_request
from app.adapters.zbus.answers import REPLY_LIFE_S
from app.adapters.zbus.client import ZbusClient
from app.adapters.zbus.neighbours import Remote, RemoteMethod
from app.adapters.zbus.server import Served, ZbusServer
from tests.rigs.redis import hand, own_server
from tests.rigs.zbus_recorded import serving
from tests.slowness import patient

TRIAL = Remote("trial", ObjectId("trial", "0.0.1"))
STATUS_QUEUE = "trial.zbus@1.0"
SEVEN = RemoteMethod(TRIAL, "Seven", (), UINT32)
STATUS = RemoteMethod(Remote("trial", ObjectId("zbus", "1.0")), "", (), Struct("Status", ()))
TYPES = (BOOL, UINT32, STRING, HASH, TIME, Slice(UINT32), StringMap(), Struct("Pair", (("A", UINT32), ("B", STRING))))


async def seven(*_: Any) -> int:
    return 7


METHODS = {"Seven": Served((), UINT32, seven)} | {type_.name: Served((type_,), UINT32, seven) for type_ in TYPES}


@dataclass
class Trial:
    """One server for all examples."""

    runner: asyncio.Runner
    redis: Any
    client: ZbusClient
    complaints: list[str]
    tasks: int = 0
    connections: int = 0

    def give(self, frames: Sequence[bytes]) -> None:
        """Push them on both lists, see that good calls work, and that nothing is left."""
        for queue in (TRIAL.queue, STATUS_QUEUE):
            self.redis.rpush(queue, *frames)
        self.runner.run(self._calls_work())
        assert (self.redis.get("text"), self.redis.ttl("text")) == (b"stays", -1)
        left = [key for key in self.redis.keys("*") if key != b"text"]
        assert all(0 < self.redis.ttl(key) <= REPLY_LIFE_S for key in left)
        # Answers that leave together take one more connection.
        assert self.redis.info("clients")["connected_clients"] - self.connections in (0, 1)
        assert len(self.complaints) == len(set(self.complaints))
        self.redis.delete("nothing", *left)

    async def _calls_work(self) -> None:
        # Once those of either list are taken, the answers come in turn.
        for method in (SEVEN, STATUS, SEVEN, STATUS):
            assert await self.client.call(method, timeout_s=patient(20)) in (7, {})
        under_way = [task for task in asyncio.all_tasks() if task.get_name().startswith("zbus call ")]
        await asyncio.gather(*under_way)
        assert len(asyncio.all_tasks()) <= self.tasks

    async def begin(self, server: ZbusServer, stack: AsyncExitStack) -> None:
        await stack.enter_async_context(serving(server))
        for method in (SEVEN, STATUS):
            await self.client.call(method, timeout_s=patient(20))
        self.tasks = len(asyncio.all_tasks()) + 1  # the client listens until its next look
        self.connections = self.redis.info("clients")["connected_clients"]


class Complaints(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        assert record.levelno == logging.WARNING, record.getMessage()
        self.texts.append(record.getMessage())


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    log, heard = logging.getLogger("app.adapters.zbus.server"), Complaints()
    log.addHandler(heard)
    with own_server() as server, hand(server.url()) as redis, asyncio.Runner() as runner:
        redis.set("text", "stays")
        stack = AsyncExitStack()
        made = Trial(runner, redis, ZbusClient(server.url()), heard.texts)
        runner.run(made.begin(ZbusServer(server.url(), "trial", {TRIAL.object: METHODS}, lambda: 0.0), stack))
        try:
            yield made
        finally:
            runner.run(made.client.close())
            runner.run(stack.aclose())
            log.removeHandler(heard)


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=9)
    | st.binary(max_size=40)
    | st.builds(msgspec.msgpack.Ext, st.integers(-128, 127), st.binary(max_size=16)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3) | st.integers(0, 9), inner),
    max_leaves=8,
)
VALUES = PLAIN.map(msgspec.msgpack.encode)
REPLY_KEYS = st.sampled_from(["a reply", "", "text", TRIAL.queue, STATUS_QUEUE]) | st.text(max_size=9)
REQUESTS = st.builds(
    Request,
    st.text(max_size=9),
    st.just(TRIAL.object) | st.builds(ObjectId, st.text(max_size=5), st.text(max_size=5)),
    st.sampled_from(sorted(METHODS)) | st.text(max_size=5),
    st.lists(VALUES | st.binary(max_size=20), max_size=3).map(tuple),
    REPLY_KEYS,
).map(encode_request)
CUT = st.builds(lambda frame, cut: frame[: int(len(frame) * cut)], REQUESTS, st.floats(0, 1))
CHANGED = st.builds(
    lambda fields, key, value: msgspec.msgpack.encode({**msgspec.msgpack.decode(fields), key: value}),
    REQUESTS,
    st.sampled_from(["ID", "Inputs", "Object", "ReplyTo", "Method", "other"]),
    PLAIN,
)
FRAMES = REQUESTS | CUT | CHANGED | VALUES | st.binary(max_size=60)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(frames=st.lists(FRAMES, min_size=1, max_size=12))
def test_frames_of_any_kind_leave_nothing_behind(trial: Trial, frames: list[bytes]) -> None:
    trial.give(frames)


@pytest.mark.parametrize("argument", [b"", b"\xc0", b"\xc1", b"\x91" * 5000, b"\xd7\xff" + b"\xff" * 8, b"\xdf\xff"])
@pytest.mark.parametrize("type_", TYPES, ids=lambda type_: str(type_.name))
def test_arguments_of_any_kind_are_answered(trial: Trial, type_: Any, argument: bytes) -> None:
    trial.give([encode_request(Request("r", TRIAL.object, type_.name, (argument,), "r"))])


def test_frames_that_are_too_long_or_too_deep_are_dropped(trial: Trial) -> None:
    too_long = encode_request(Request("r", TRIAL.object, "Seven", (bytes(FRAME_BYTES_MAX),), "r"))
    trial.give([too_long, too_long, b"\x91" * 100_000, b"\x81" * 100_000, b"\xdd\xff\xff\xff\xff"])


def test_rubbish_without_end_is_not_complained_of_without_end(trial: Trial) -> None:
    trial.give([msgspec.msgpack.encode({"ID": number, "x": "y" * number}) for number in range(500)])
    trial.give([b"\x85" + bytes([number]) * number for number in range(256)])
    assert len(trial.complaints) <= 100
