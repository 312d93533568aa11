"""Endpoints that are dead, hang, are on another chain or send invalid data; and no leaks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.rpc import RpcConnection
from app.adapters.substrate.subscription import Subscription
from app.domain.errors import ChainUnavailable, WrongChain
from tests.rigs.scripted_node import GENESIS, SUBSCRIPTION, Refusal, ScriptedNode, mute_listener
from tests.slowness import patient

pytestmark = pytest.mark.anyio

STOP_S = patient(5)
"""Far below the 600 s a request may take here: what ends by then was ended."""

DEAD = "ws://127.0.0.1:9"
HEAD = "0x" + "11" * 32


def node(**more: object) -> ScriptedNode:
    return ScriptedNode(answers={"chain_getHead": HEAD, **more})


@asynccontextmanager
async def client_of(
    *urls: str, timeout_s: float = patient(5), genesis_hash: str = ""
) -> AsyncIterator[SubstrateClient]:
    client = SubstrateClient(
        urls, timeout_s=timeout_s, connect_timeout_s=timeout_s, keepalive_s=0.1, genesis_hash=genesis_hash
    )
    try:
        yield client
    finally:
        await client.close()


def head(connection: RpcConnection) -> Awaitable[object]:
    return connection.call("chain_getHead")


def chain_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("powerd-chain")}


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def until(condition: Callable[[], bool], deadline_s: float = patient(20)) -> None:
    async with asyncio.timeout(deadline_s):
        while not condition():  # noqa: ASYNC110 - threads and descriptors have no event to await
            await asyncio.sleep(0.005)


async def test_a_dead_endpoint_gives_way_to_the_next() -> None:
    async with node().running() as alive, client_of(DEAD, alive.url) as client:
        assert await client.ask(head) == HEAD


async def test_the_failing_of_all_endpoints_names_each_and_why() -> None:
    async with mute_listener() as mute, client_of(DEAD, mute, timeout_s=0.1) as client:
        with pytest.raises(
            ChainUnavailable, match=f"{DEAD}.*refused.*{mute}.*(timed out|no connection within|no answer in time)"
        ):
            await client.ask(head)


async def test_an_endpoint_that_stops_answering_gives_way_to_the_next_in_the_same_read() -> None:
    async with (
        node().running() as first,
        node().running() as second,
        client_of(first.url, second.url, timeout_s=patient(2)) as client,
    ):
        assert await client.ask(head) == HEAD
        first.silent.add("chain_getHead")
        assert await client.ask(head) == HEAD
        assert second.methods().count("chain_getHead") == 1


async def test_a_read_stays_with_the_endpoint_that_works() -> None:
    async with node().running() as first, node().running() as second, client_of(first.url, second.url) as client:
        await client.ask(head)
        first.hang_up()
        for _ in range(3):
            await client.ask(head)
        assert second.methods().count("chain_getHead") == 3


async def test_a_connection_that_died_of_old_age_is_made_again_in_the_same_read() -> None:
    async with node().running() as only, client_of(only.url) as client:
        await client.ask(head)
        only.hang_up()
        assert await client.ask(head) == HEAD


async def test_a_server_that_comes_back_is_found_again() -> None:
    scripted = node()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(scripted.running())
        client = await stack.enter_async_context(client_of(scripted.url))
        await client.ask(head)
    async with client_of(scripted.url) as client:
        with pytest.raises(ChainUnavailable):
            await client.ask(head)
        async with scripted.running():
            assert await client.ask(head) == HEAD


async def test_another_chain_is_refused_naming_both() -> None:
    other = "0x" + "bb" * 32
    async with node(genesis=other).running() as wrong, client_of(wrong.url, genesis_hash=GENESIS) as client:
        with pytest.raises(WrongChain, match=f"{other}.*{GENESIS}"):
            await client.ask(head)


async def test_the_first_chain_seen_is_the_one_an_other_endpoint_has_to_serve() -> None:
    async with (
        node().running() as right,
        node(genesis="0x" + "bb" * 32).running() as wrong,
        client_of(right.url, wrong.url) as client,
    ):
        await client.ask(head)
        right.drop_at.add("chain_getBlockHash")
        right.hang_up()
        with pytest.raises(ChainUnavailable, match="genesis"):
            await client.ask(head)
        assert "chain_getHead" not in wrong.methods()


@pytest.mark.parametrize(
    "nonsense",
    [
        *("", "no json", "17", "[1]", '"text"', '{"id": [1], "result": 1}', '{"id": {}, "result": 1}'),
        '{"method": "x", "params": {"subscription": [1], "result": 1}}',
    ],
)
async def test_an_endpoint_that_talks_nonsense_is_unavailable(nonsense: str, caplog: pytest.LogCaptureFixture) -> None:
    scripted = node()
    scripted.raw["chain_getHead"] = nonsense
    async with scripted.running(), client_of(scripted.url) as client:
        with pytest.raises(ChainUnavailable, match=scripted.url):
            await client.ask(head)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_request_the_node_refuses_is_unavailable_with_its_words() -> None:
    refusing = node(chain_getHead=Refusal(-32000, "disk on fire"))
    async with refusing.running(), client_of(refusing.url) as client:
        with pytest.raises(ChainUnavailable, match="disk on fire"):
            await client.ask(head)


async def test_credentials_are_used_and_never_shown() -> None:
    async with node(chain_getHead=Refusal(1, "no")).running() as scripted:
        url = scripted.url.replace("//", "//user:secret@") + "/path-secret?token=secret"
        async with client_of(url) as client:
            with pytest.raises(ChainUnavailable) as caught:
                await client.ask(head)
    assert "secret" not in str(caught.value)
    assert scripted.headers[0]["Authorization"] == "Basic dXNlcjpzZWNyZXQ="


async def test_a_url_that_is_none_says_what_one_looks_like() -> None:
    async with client_of("http://example.invalid") as client:
        with pytest.raises(ChainUnavailable, match="must look like wss://"):
            await client.ask(head)


async def test_a_node_without_batches_is_asked_one_by_one() -> None:
    scripted = node(double=lambda number: number * 2)
    scripted.takes_batches = False
    async with scripted.running(), client_of(scripted.url) as client:
        for _ in range(2):
            answers = await client.ask(lambda c: c.batch([("double", [i]) for i in range(5)]))
            assert answers == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("early", [False, True], ids=["behind", "before"])
async def test_updates_around_the_confirmation_of_a_subscription_are_not_lost(early: bool) -> None:
    scripted = node(watch=SUBSCRIPTION)
    scripted.updates["watch"] = ["one", "two"]
    scripted.early = early
    async with scripted.running(), client_of(scripted.url) as client:

        async def question(connection: RpcConnection) -> list[object]:
            watch = await connection.subscribe("watch", end="unwatch")
            return [await watch.next(), await watch.next()]

        assert await client.ask(question) == ["one", "two"]


async def test_a_subscription_that_is_given_up_just_as_it_is_confirmed_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scripted = node(watch=SUBSCRIPTION)
    async with scripted.running(), client_of(scripted.url) as client:
        connection = await client.ask(_itself)
        beginning = asyncio.ensure_future(connection.subscribe("watch", end="unwatch"))
        confirmed = connection._begin

        def given_up_now(subscription: Subscription, identifier: object) -> None:
            confirmed(subscription, identifier)
            asyncio.get_running_loop().call_soon(beginning.cancel)

        monkeypatch.setattr(connection, "_begin", given_up_now)
        with pytest.raises(asyncio.CancelledError):
            await beginning
        await connection.call("chain_getHead")
        assert scripted.methods().count("unwatch") == 1


async def test_a_node_that_dies_silently_in_a_subscription_is_noticed() -> None:
    scripted = node(watch=SUBSCRIPTION)
    async with scripted.running(), client_of(scripted.url, timeout_s=1.0) as client:

        async def question(connection: RpcConnection) -> object:
            watch = await connection.subscribe("watch", end="unwatch")
            scripted.silent.add("chain_getHead")
            return await watch.next()

        with pytest.raises(ChainUnavailable, match="no answer to chain_getHead"):
            await client.ask(question)


async def test_requests_do_not_wait_for_one_another() -> None:
    scripted = node()
    scripted.silent.add("slow")
    async with scripted.running(), client_of(scripted.url) as client:
        connection = await client.ask(_itself)
        slow = asyncio.ensure_future(connection.call("slow"))
        assert await connection.call("chain_getHead") == HEAD
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        assert await connection.call("chain_getHead") == HEAD, "a cancelled request leaves the connection alone"


async def _itself(connection: RpcConnection) -> RpcConnection:
    return connection


async def test_cancelling_a_hung_connection_attempt_frees_its_thread_and_descriptors() -> None:
    async with mute_listener() as mute:
        threads, fds = chain_threads(), descriptors()
        async with client_of(mute, timeout_s=600.0) as client:
            waiting = asyncio.ensure_future(client.ask(head))
            await until(lambda: len(chain_threads() - threads) == 1)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            # Those of an earlier test may end meanwhile.
            await until(lambda: chain_threads() <= threads and descriptors() <= fds)


async def test_closing_ends_a_connection_attempt() -> None:
    threads = chain_threads()
    async with mute_listener() as mute, client_of(mute, mute, timeout_s=600.0) as client:
        waiting = asyncio.ensure_future(client.ask(head))
        await until(lambda: len(chain_threads() - threads) == 1)
        await client.close()
        async with asyncio.timeout(STOP_S):
            with pytest.raises(ChainUnavailable, match="closed"):
                await waiting
        await until(lambda: chain_threads() <= threads)


async def test_closing_ends_whatever_is_under_way() -> None:
    scripted = node()
    scripted.silent.add("slow")
    threads = chain_threads()
    async with scripted.running(), client_of(scripted.url, timeout_s=600.0) as client:
        waiting = asyncio.ensure_future(client.ask(lambda c: c.call("slow")))
        await until(lambda: "slow" in scripted.methods())
        async with asyncio.timeout(STOP_S):
            await client.close()
            with pytest.raises(ChainUnavailable):
                await waiting
        await until(lambda: chain_threads() <= threads)
        with pytest.raises(ChainUnavailable, match="closed"):
            await client.ask(head)


async def test_a_hundred_reconnects_leave_no_thread_and_no_descriptor() -> None:
    async with node().running() as scripted, client_of(scripted.url) as client:
        await client.ask(head)
        threads = len(chain_threads())
        await until(lambda: len(scripted.connections) == 1)
        fds = descriptors()
        for _ in range(100):
            scripted.hang_up()
            assert await client.ask(head) == HEAD
        await until(lambda: len(chain_threads()) == threads and descriptors() == fds)
