"""What every `StatusServer` does; the socket is asked as `powerd status` asks it."""

from __future__ import annotations

import asyncio
import socket
import stat
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Thread

import pytest

from app.adapters.status_socket.client import DaemonSilent, StatusClient, status_of
from app.adapters.status_socket.server import CALLERS_MAX, StatusSocket
from app.domain.errors import StatusNotServed
from app.domain.model import Head, HeadKind, NodePower, Power, PowerState
from app.domain.status import EventStatus, FaultStatus, NodeStatus
from app.ports.status_server import StatusServer
from tests.rigs.simulated.status_server import SimulatedStatusServer
from tests.slowness import patient

pytestmark = pytest.mark.anyio

STATUS = NodeStatus(
    "1.2.3",
    power=NodePower(PowerState(Power.DOWN, 7), Power.UP),
    head=Head(HeadKind.BEST, None, "", 5.0, seen_s_max=float("inf")),
    faults=(FaultStatus("wallet", "empty", 1.5, "at once", "send TFT"),),
    events=(EventStatus(2.5, "StayingUp", "staying up", {"reason": "held"}, 3),),
)
READ_BACK = NodeStatus(
    "1.2.3",
    power=STATUS.power,
    head=Head(HeadKind.BEST, None, "", 5.0, seen_s_max=None),  # JSON has no infinity
    faults=STATUS.faults,
    events=STATUS.events,
)


@dataclass(frozen=True)
class Rig:
    server: StatusServer
    ask: Callable[[], Awaitable[NodeStatus | None]]
    take_away: Callable[[], None]
    expected: NodeStatus


@pytest.fixture(params=["simulated", "socket"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    if request.param == "simulated":
        simulated = SimulatedStatusServer()

        async def ask_it() -> NodeStatus | None:
            return simulated.ask()

        return Rig(simulated, ask_it, simulated.take_away, STATUS)
    path = tmp_path / "run" / "status.sock"

    async def ask() -> NodeStatus | None:
        try:
            return status_of(await asyncio.to_thread(StatusClient([path]).ask))
        except DaemonSilent:
            return None

    return Rig(StatusSocket([path]), ask, path.unlink, READ_BACK)


async def test_it_answers_while_it_is_open(rig: Rig) -> None:
    assert isinstance(rig.server, StatusServer)
    assert not rig.server.reachable()
    assert await rig.ask() is None
    await rig.server.open(lambda: STATUS)
    assert rig.server.reachable()
    assert await rig.ask() == rig.expected
    assert await rig.ask() == rig.expected
    await rig.server.close()
    await rig.server.close()
    assert not rig.server.reachable()
    assert await rig.ask() is None


async def test_a_place_that_was_taken_away_can_be_opened_again(rig: Rig) -> None:
    await rig.server.open(lambda: STATUS)
    rig.take_away()
    assert not rig.server.reachable()
    await rig.server.open(lambda: STATUS)
    assert await rig.ask() == rig.expected
    await rig.server.close()


class TestTheSocket:
    """What a socket alone has."""

    async def test_half_of_a_character_in_a_text_from_outside_is_a_question_mark(self, tmp_path: Path) -> None:
        server = StatusSocket([tmp_path / "status.sock"])
        odd = replace(
            STATUS, problems=("disk\udcff",), events=(EventStatus(2.5, "StayingUp", "", {"reason": "\ud800"}),)
        )
        await server.open(lambda: odd)
        told = status_of(await asyncio.to_thread(StatusClient([tmp_path / "status.sock"]).ask))
        assert (told.problems, told.events[0].facts) == (("disk?",), {"reason": "?"})
        assert told.head == READ_BACK.head
        await server.close()

    async def test_only_the_daemons_user_and_its_group_may_ask(self, tmp_path: Path) -> None:
        path = tmp_path / "status.sock"
        server = StatusSocket([path])
        await server.open(lambda: STATUS)
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        await server.close()
        assert not path.exists()

    async def test_what_a_killed_daemon_left_is_replaced(self, tmp_path: Path) -> None:
        path = tmp_path / "status.sock"
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
        server = StatusSocket([path])
        await server.open(lambda: STATUS)
        assert status_of(await asyncio.to_thread(StatusClient([path]).ask)) == READ_BACK
        await server.close()

    async def test_a_place_that_is_taken_away_while_it_is_opened_is_no_place(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Path, "chmod", lambda path, _: path.unlink())
        with pytest.raises(StatusNotServed, match="No such file"):
            await StatusSocket([tmp_path / "status.sock"]).open(lambda: STATUS)

    async def test_a_long_status_is_read_whole(self, tmp_path: Path) -> None:
        server = StatusSocket([tmp_path / "status.sock"])
        long = replace(STATUS, staying_up="x" * 5_000_000)
        await server.open(lambda: long)
        asked = await asyncio.to_thread(StatusClient([tmp_path / "status.sock"], answer_s=patient(5)).ask)
        assert status_of(asked).staying_up == long.staying_up
        await server.close()

    async def test_another_daemons_socket_is_not_taken_from_it(self, tmp_path: Path) -> None:
        path = tmp_path / "status.sock"
        first, second = StatusSocket([path]), StatusSocket([path])
        await first.open(lambda: STATUS)
        with pytest.raises(StatusNotServed, match=r"status\.sock: another powerd answers there"):
            await second.open(lambda: STATUS)
        await second.close()
        assert status_of(await asyncio.to_thread(StatusClient([path]).ask)) == READ_BACK
        await first.close()

    async def test_the_first_place_that_can_be_used_is_taken(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        paths = [tmp_path / "file" / "status.sock", tmp_path / "file", tmp_path / "x" / "status.sock"]
        server = StatusSocket(paths)
        await server.open(lambda: STATUS)
        assert status_of(await asyncio.to_thread(StatusClient(paths).ask)) == READ_BACK
        await server.close()
        with pytest.raises(StatusNotServed, match=r"File exists.*is no socket"):
            await StatusSocket(paths[:2]).open(lambda: STATUS)

    async def test_callers_that_do_not_read_keep_no_one_else_from_asking(self, tmp_path: Path) -> None:
        path = tmp_path / "status.sock"
        server = StatusSocket([path])
        big = NodeStatus("x" * 2_000_000)
        await server.open(lambda: big if len(silent) < CALLERS_MAX else STATUS)
        silent: list[socket.socket] = []
        for _ in range(CALLERS_MAX - 1):
            silent.append(socket.socket(socket.AF_UNIX))
            silent[-1].connect(str(path))
        await asyncio.sleep(0)
        silent.append(socket.socket(socket.AF_UNIX))
        assert status_of(await asyncio.to_thread(StatusClient([path]).ask)) == READ_BACK
        await server.close()
        for caller in silent:
            caller.close()

    def test_an_answer_that_drips_is_not_waited_for(self, tmp_path: Path) -> None:
        given_up = Event()
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(tmp_path / "status.sock"))
            server.listen()

            def drip() -> None:
                caller, _ = server.accept()
                with caller, suppress(OSError):
                    while not given_up.wait(0.02):
                        caller.sendall(b" ")

            Thread(target=drip, daemon=True).start()
            with pytest.raises(DaemonSilent, match=r"(did not end within 0\.3 s|timed out)"):
                StatusClient([tmp_path / "status.sock"], answer_s=0.3).ask()
            given_up.set()

    async def test_who_may_not_ask_hears_who_may(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def denied(*_: object) -> bytes:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(StatusClient, "_ask", denied)
        with pytest.raises(DaemonSilent, match="not for this user: Permission denied; run it as root, or join"):
            StatusClient([tmp_path / "status.sock"]).ask()

    async def test_an_answer_of_another_version_says_what_to_do(self) -> None:
        with pytest.raises(DaemonSilent, match="of another version, so restart powerd"):
            status_of(b'{"version": 5}')

    async def test_an_answer_that_ends_in_the_middle_is_none(self, tmp_path: Path) -> None:
        async def half(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b'{"version"')
            writer.close()

        path = tmp_path / "status.sock"
        server = await asyncio.start_unix_server(half, path)
        with pytest.raises(DaemonSilent, match="it ended in the middle of its answer"):
            await asyncio.to_thread(StatusClient([path]).ask)
        server.close()

    async def test_a_daemon_that_hangs_is_not_waited_for_for_ever(self, tmp_path: Path) -> None:
        path = tmp_path / "status.sock"
        with socket.socket(socket.AF_UNIX) as hung:
            hung.bind(str(path))
            hung.listen()
            with pytest.raises(DaemonSilent, match="timed out"):
                await asyncio.to_thread(StatusClient([path], answer_s=0.05).ask)
