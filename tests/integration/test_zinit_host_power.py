"""`ZinitHostPower` on real sockets: what it asks each version for, and what goes wrong with its remedy."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.adapters.zinit.host_power import ZinitHostPower
from app.entrypoints.neighbours.zinit import Reply
from tests.rigs.zinit import (
    EVERY,
    JSON_RPC,
    LINES,
    LISTED,
    LISTED_BY_LINE,
    OK,
    complaint,
    host,
    listed,
    listener,
    saying,
    zinit,
)
from tests.slowness import patient

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "zinit.sock"


class TestRequests:
    """What goes over the socket."""

    @pytest.mark.parametrize(
        ("version", "requests"),
        [
            ("v0.2.9", [b"list\n", b"shutdown\n"]),
            ("v0.2.9-3-gabc", [b"list\n", b"shutdown\n"]),
            ("v0.2.14", [b"list\n", b"shutdown\n"]),
            ("v0.2.15", ["service_list", "service.list", "system.shutdown"]),
            ("v0.2.16", ["service_list", "system_shutdown"]),
            ("v1.0.0", ["service_list", "system_shutdown"]),
        ],
    )
    async def test_a_power_off_is_asked_for_in_the_words_of_the_version(
        self, path: Path, version: str, requests: list[object]
    ) -> None:
        async with zinit(path, version) as (stand_in, done):
            await host(path, version).power_off()
        seen = [request if request[:1] != b"{" else json.loads(request)["method"] for request in stand_in.requests]
        assert (seen, done) == (requests, ["shutdown"])

    @pytest.mark.parametrize(
        ("version", "order"), [("v0.2.8", "shutdown"), ("v0.2.9-rc1", "shutdown"), ("v0.2.9", "reboot")]
    )
    async def test_a_reboot_is_asked_for_by_the_word_that_means_it(self, path: Path, version: str, order: str) -> None:
        async with zinit(path, version) as (_, done):
            await host(path, version).reboot()
        assert done == [order]

    async def test_a_call_is_json_rpc_2_on_one_line(self, path: Path) -> None:
        async with zinit(path, JSON_RPC) as (stand_in, _):
            await host(path, JSON_RPC).reboot()
        assert all(request.endswith(b"}\n") for request in stand_in.requests)
        assert [json.loads(request) for request in stand_in.requests] == [
            {"jsonrpc": "2.0", "id": 1, "method": method, "params": []} for method in ("service_list", "system_reboot")
        ]

    async def test_a_zinit_that_knows_no_list_by_either_name_gets_no_order(self, path: Path) -> None:
        seen: list[bytes] = []

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(await reader.readline())
            error = {"code": -32601, "message": "Method not found"}
            writer.write(json.dumps({"jsonrpc": "2.0", "id": 1, "error": error}).encode())

        async with listener(path, talk):
            assert "Method not found" in await complaint(host(path, JSON_RPC).power_off)
        assert [json.loads(request)["method"] for request in seen] == ["service_list", "service.list"]

    @EVERY
    async def test_each_request_has_a_connection_of_its_own(self, path: Path, version: str) -> None:
        connections: list[list[bytes]] = []

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.append([])
            async for request in reader:
                connections[-1].append(request)
                answer = json.dumps(OK if version != LINES else {"state": "ok", "body": None}).encode()
                for piece in listed(request) or (answer,):
                    writer.write(piece)

        async with listener(path, talk):
            await host(path, version).power_off()
        assert [len(requests) for requests in connections] == [1, 1]

    @pytest.mark.parametrize("version", ["v0.2.8", "v0.2.9-rc1", "v0.1.0"])
    async def test_a_zinit_that_would_reboot_instead_is_asked_for_nothing(self, path: Path, version: str) -> None:
        async with zinit(path, version) as (stand_in, _):
            power = host(path, version)
            assert "can't power off" in await complaint(power.power_off)
            assert "update it to 0.2.9" in await complaint(power.check)
        assert not stand_in.requests

    async def test_a_zinit_that_is_going_down_already_has_accepted(self, path: Path) -> None:
        error = {"code": -32006, "message": "Server error"}
        answer = json.dumps({"jsonrpc": "2.0", "id": 1, "error": error}).encode()
        async with listener(path, saying(answer)):
            await host(path, JSON_RPC).power_off()


class TestAnswers:
    """What counts as one."""

    @pytest.mark.parametrize("pieces", [(b'{"state":"ok",', b'"body":null}'), (b' {"state":"ok","body":null}\n',)])
    async def test_an_answer_may_come_in_pieces_and_with_blanks(self, path: Path, pieces: tuple[bytes, ...]) -> None:
        async with listener(path, saying(*pieces)):
            await host(path).power_off()

    async def test_an_answer_with_text_that_is_no_utf_8_is_an_answer(self, path: Path) -> None:
        async with listener(path, saying(b'{"state": "error", "body": "unit \xff\xfe is busy"}')):
            assert "\ufffd\ufffd is busy" in await complaint(host(path).power_off)

    async def test_a_connection_that_stays_open_after_the_answer_is_not_waited_for(self, path: Path) -> None:
        closed = asyncio.Event()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.writelines(listed(await reader.readline()) or (json.dumps(OK).encode(),))
            await reader.read()
            closed.set()

        async with listener(path, talk):
            await host(path, JSON_RPC).power_off()
            await closed.wait()

    @pytest.mark.parametrize(
        "answer",
        [
            b"Segmentation fault\n",
            b"\xff\xfe",
            b"[]",
            b'{"state":"ok","body":null',
            b'{"state":"ok","body":null}{"state":"ok","body":null}',
            b'{"state":"ok"}',
            b'{"state":"fine","body":null}',
            b'{"state":["ok"],"body":null}',
            b'{"state":"ok","body":null,"more":1}',
            b'{"a":' + b"[" * 50_000 + b"}",
            json.dumps(OK).encode(),
        ],
    )
    async def test_what_zinit_never_says_is_no_answer_to_a_line(self, path: Path, answer: bytes) -> None:
        async with listener(path, saying(answer)):
            said = await complaint(host(path).power_off)
        assert f"{path}: zinit's answer is unknown to powerd" in said
        assert len(said) < 1000

    @pytest.mark.parametrize(
        "answer",
        [
            {**OK, "jsonrpc": "1.0"},
            {"id": 1, "result": None},
            {**OK, "id": 2},
            {**OK, "id": "1"},
            {**OK, "id": True},
            {**OK, "id": None},
            {**OK, "result": {"done": False}},
            {**OK, "error": {"code": 1, "message": "both"}},
            {"jsonrpc": "2.0", "id": 1},
            {"jsonrpc": "2.0", "id": 1, "error": "text"},
            {"jsonrpc": "2.0", "id": 1, "error": {"code": "-32006", "message": "a text for a code"}},
            {"jsonrpc": "2.0", "id": 2, "error": {"code": -32006, "message": "of another call"}},
            {"state": "ok", "body": None},
        ],
    )
    async def test_what_is_no_answer_to_our_call_is_not_taken_for_one(self, path: Path, answer: object) -> None:
        async with listener(path, saying(json.dumps(answer).encode())):
            assert "is unknown to powerd" in await complaint(host(path, JSON_RPC).power_off)

    @pytest.mark.parametrize("answer", [{**LISTED, "id": 2}, OK, {**LISTED, "result": []}, LISTED_BY_LINE])
    async def test_what_is_no_answer_to_the_question_keeps_the_order_back(self, path: Path, answer: object) -> None:
        seen: list[bytes] = []

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(await reader.readline())
            writer.write(json.dumps(answer).encode())

        async with listener(path, talk):
            assert "is unknown to powerd" in await complaint(host(path, JSON_RPC).power_off)
        assert len(seen) == 1

    async def test_an_endless_answer_is_cut_off(self, path: Path) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            try:
                while True:
                    writer.write(b'{"state": "ok", "body": "' + b"x" * 10_000)
                    await writer.drain()
            except ConnectionError:
                pass

        async with listener(path, talk):
            assert "more than 65536 bytes" in await complaint(host(path).power_off)

    async def test_a_zinit_whose_protocol_does_not_fit_its_version_is_reported(self, path: Path) -> None:
        async with zinit(path, JSON_RPC):
            assert "may speak another protocol" in await complaint(host(path, "v0.2.14-30-gabc").power_off)


class TestFaults:
    """Each is an error in time; its text names the socket and the remedy."""

    @EVERY
    @pytest.mark.parametrize(
        ("reply", "words"),
        [
            (Reply.ERROR, "the stand-in refuses on request"),
            (Reply.GARBAGE, "Segmentation fault"),
            (Reply.NOTHING, "without an answer; see zinit's log"),
            (Reply.CLOSE, "without an answer; see zinit's log"),
        ],
    )
    async def test_a_misbehaving_zinit_is_reported_with_its_socket(
        self, path: Path, version: str, reply: Reply, words: str
    ) -> None:
        async with zinit(path, version, reply) as (_, done):
            power = host(path, version)
            for order in (power.power_off, power.reboot):
                said = await complaint(order)
                assert str(path) in said
                assert words in said
        assert not done

    @EVERY
    async def test_a_zinit_that_answers_again_is_obeyed_again(self, path: Path, version: str) -> None:
        async with zinit(path, version, Reply.NOTHING) as (stand_in, done):
            power = host(path, version)
            await complaint(power.power_off)
            stand_in.reply = Reply.OK
            await power.power_off()
        assert done == ["shutdown"]

    async def test_a_missing_socket_is_named(self, path: Path) -> None:
        for order in (host(path).check, host(path).power_off):
            said = await complaint(order)
            assert f"socket {path} does not exist" in said
            assert "settings" in said

    async def test_a_socket_without_a_listener_is_named(self, path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as left_behind:
            left_behind.bind(str(path))
        assert f"socket {path} takes no connection" in await complaint(host(path).power_off)

    async def test_a_file_that_is_no_socket_is_named(self) -> None:
        assert f"{__file__} is no socket" in await complaint(host(Path(__file__)).check)

    async def test_a_name_too_long_for_a_socket_is_an_error_and_not_a_crash(self, path: Path) -> None:
        assert "can't be used" in await complaint(host(path / ("x" * 200)).power_off)

    async def test_a_forced_power_off_that_fails_says_what_the_command_said(self, path: Path) -> None:
        power = ZinitHostPower(path, ("false",), ("/bin/sh", "-c", "echo 'not today'; exit 4"), ("false",), 10)
        assert "exited with 4: not today" in await complaint(power.force_power_off)


class TestVersion:
    """Without one, nothing is sent."""

    @pytest.mark.parametrize(
        ("command", "words"),
        [
            (("echo", "zinit", "abcdef0"), "printed 'zinit abcdef0' is no version of zinit"),
            (("/nowhere/zinit", "-V"), "there is no /nowhere/zinit"),
            (("/bin/sh", "-c", "echo zinit v0.2.11; exit 1"), "exited with 1"),
            ((), "no command for this is configured"),
        ],
    )
    async def test_an_unknown_version_is_reported_and_nothing_is_sent(
        self, path: Path, command: tuple[str, ...], words: str
    ) -> None:
        async with zinit(path, LINES) as (stand_in, _):
            power = ZinitHostPower(path, command, ("false",), ("false",), 10)
            for order in (power.check, power.power_off, power.reboot):
                assert words in await complaint(order)
        assert not stand_in.requests

    async def test_a_version_that_is_late_is_an_error_in_time(self, path: Path) -> None:
        power = ZinitHostPower(path, ("sleep", "60"), ("false",), ("false",), 0.2)
        assert "did not end within 0.2 s" in await complaint(power.check)

    async def test_a_good_version_is_remembered_and_a_bad_one_asked_again(self, path: Path, tmp_path: Path) -> None:
        printed, asked = tmp_path / "version", tmp_path / "asked"
        command = ("/bin/sh", "-c", f"echo >>{asked}; cat {printed}")
        async with zinit(path, LINES):
            power = ZinitHostPower(path, command, ("false",), ("false",), 10)
            for text in ("zinit what", "zinit v0.2.8"):
                printed.write_text(text)
                await complaint(power.check)
            printed.write_text("zinit v0.2.11")
            await power.check()
            printed.unlink()
            await power.check()
            await power.power_off()
        assert len(asked.read_text()) == 3


PROGRAM = (sys.executable, "-m", "app.entrypoints.neighbours.zinit")


@contextmanager
def process(path: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The stand-in as a program of its own, once it listens."""
    command = [*PROGRAM, "--socket", str(path), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "ready\n"
            yield running
        finally:
            running.kill()


@EVERY
async def test_the_stand_in_answers_first_and_then_runs_the_command(path: Path, tmp_path: Path, version: str) -> None:
    gate, done = tmp_path / "gate", tmp_path / "done"
    for pipe in (gate, done):
        os.mkfifo(pipe)
    # The command can't go on before the gate opens, so the answer can't have waited for its end.
    on_shutdown = f"read word <{gate}; echo $word >{done}"
    with process(path, "--version", version, "--on-shutdown", on_shutdown) as running:
        power = ZinitHostPower(path, (*PROGRAM, "-V", "--version", version), ("false",), ("false",), 30)
        await power.check()
        await power.power_off()
        await asyncio.to_thread(gate.write_text, "off\n")
        assert await asyncio.to_thread(done.read_text) == "off\n"
        running.send_signal(signal.SIGTERM)
        assert running.wait(patient(20)) == 0
    assert not await asyncio.to_thread(path.exists)


async def test_the_stand_in_misbehaves_on_request(path: Path) -> None:
    with process(path, "--answer", "error"):
        assert "refuses on request" in await complaint(host(path).power_off)


def test_the_stand_in_refuses_a_version_that_is_none(path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "--version", "new"], capture_output=True, text=True, timeout=patient(60), check=False
    )
    assert done.returncode == 2
    assert "no version of zinit" in done.stderr
