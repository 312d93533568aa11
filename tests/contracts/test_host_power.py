"""What every `HostPower` does: the simulated init system, commands that are shell scripts, and zinit's stand-in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.adapters.linux.host_power import SystemctlHostPower
from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.host_power import Obedience, Order, SimulatedHostPower
from app.adapters.zinit.host_power import ZinitHostPower
from app.domain.errors import HostPowerFailed
from app.entrypoints.neighbours.zinit import Reply, ZinitStandIn
from app.ports.host_power import HostPower
from tests.rigs.virtual_time import Body, run_really, run_virtually
from tests.slowness import patient

TIMEOUT_S = patient(30)
SHORT_TIMEOUT_S = 0.3


@dataclass(frozen=True)
class Rig:
    """A port; how it behaves from now on; which orders arrived; whether it can and whether it is stopping."""

    power: HostPower
    behave: Callable[[Obedience], None]
    orders: Callable[[], list[Order]]
    set_able: Callable[[bool], None]
    set_stopping: Callable[[], None] | None
    """None where the host does not know."""
    run: Callable[[Body], None]


def simulated(_: Path, timeout_s: float) -> Rig:
    power = SimulatedHostPower(VirtualClock(), timeout_s=timeout_s)

    def behave(how: Obedience) -> None:
        power.mode = power.force_mode = how

    def set_able(able: bool) -> None:
        power.unable = "" if able else "there is no init system"

    def set_stopping() -> None:
        power.is_stopping = True

    return Rig(power, behave, lambda: power.orders, set_able, set_stopping, run_virtually)


SCRIPTS = {
    Obedience.OBEYS: "exit 0",
    Obedience.IGNORES: "exit 0",
    Obedience.REFUSES: "echo no >&2; exit 1",
    Obedience.HANGS: "sleep 60",
}


def systemctl(tmp_path: Path, timeout_s: float) -> Rig:
    script, orders, state = tmp_path / "ends.sh", tmp_path / "orders", tmp_path / "state"
    state.write_text("running")
    shell = tmp_path / "sh"
    shell.symlink_to("/bin/sh")

    def behave(how: Obedience) -> None:
        script.write_text(SCRIPTS[how])

    def command(order: Order) -> tuple[str, ...]:
        return (str(shell), "-c", f"echo {order.name} >>{orders}; . {script}")

    def given() -> list[Order]:
        return [Order[name] for name in orders.read_text().split()] if orders.exists() else []

    power = SystemctlHostPower(
        command(Order.POWER_OFF),
        command(Order.FORCE_POWER_OFF),
        command(Order.REBOOT),
        command(Order.FORCE_REBOOT),
        ("/bin/sh", "-c", f"cat {state}; exit 1"),
        timeout_s=timeout_s,
    )

    def set_able(able: bool) -> None:
        shell.unlink(missing_ok=True)
        if able:
            shell.symlink_to("/bin/sh")

    def set_stopping() -> None:
        state.write_text("stopping\n")

    return Rig(power, behave, given, set_able, set_stopping, run_really)


REPLIES = {
    Obedience.OBEYS: Reply.OK,
    Obedience.IGNORES: Reply.OK,
    Obedience.REFUSES: Reply.ERROR,
    Obedience.HANGS: Reply.HANG,
}

ORDER_OF_REQUEST = {"shutdown": Order.POWER_OFF, "reboot": Order.REBOOT}


def zinit(version: str, tmp_path: Path, timeout_s: float) -> Rig:
    script, socket, away = tmp_path / "force.sh", tmp_path / "zinit.sock", tmp_path / "away.sock"
    orders = tmp_path / "orders"
    orders.touch()

    async def act(request: str) -> None:
        with orders.open("a") as file:
            print(ORDER_OF_REQUEST[request].name, file=file)

    stand_in = ZinitStandIn(socket, version, act)

    def past_zinit(order: Order) -> tuple[str, ...]:
        return ("/bin/sh", "-c", f"echo {order.name} >>{orders}; . {script}")

    off, reboot = past_zinit(Order.FORCE_POWER_OFF), past_zinit(Order.FORCE_REBOOT)
    power = ZinitHostPower(socket, ("echo", "zinit", version), off, reboot, timeout_s=timeout_s)

    def behave(how: Obedience) -> None:
        stand_in.reply = REPLIES[how]
        script.write_text(SCRIPTS[how])

    def given() -> list[Order]:
        return [Order[name] for name in orders.read_text().split()]

    def set_able(able: bool) -> None:
        if able:
            away.rename(socket)
        else:
            socket.rename(away)

    def run(body: Body) -> None:
        async def beside_zinit() -> None:
            async with stand_in.serving():
                await body()

        run_really(beside_zinit)

    return Rig(power, behave, given, set_able, None, run)


def zinit_by_lines(tmp_path: Path, timeout_s: float) -> Rig:
    return zinit("v0.2.11", tmp_path, timeout_s)


def zinit_by_first_json_rpc(tmp_path: Path, timeout_s: float) -> Rig:
    return zinit("v0.2.15", tmp_path, timeout_s)


def zinit_by_json_rpc(tmp_path: Path, timeout_s: float) -> Rig:
    return zinit("v0.2.25", tmp_path, timeout_s)


MAKERS = [simulated, systemctl, zinit_by_lines, zinit_by_first_json_rpc, zinit_by_json_rpc]


@pytest.fixture(params=MAKERS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    made: Rig = request.param(tmp_path, TIMEOUT_S)
    return made


def test_each_order_arrives_as_what_it_is(rig: Rig) -> None:
    rig.behave(Obedience.IGNORES)

    async def body() -> None:
        assert isinstance(rig.power, HostPower)
        await rig.power.power_off()
        await rig.power.force_power_off()
        await rig.power.reboot()
        await rig.power.force_reboot()

    rig.run(body)
    assert rig.orders() == [Order.POWER_OFF, Order.FORCE_POWER_OFF, Order.REBOOT, Order.FORCE_REBOOT]


def test_a_refused_order_is_an_error(rig: Rig) -> None:
    rig.behave(Obedience.REFUSES)

    async def body() -> None:
        for order in (rig.power.power_off, rig.power.force_power_off, rig.power.reboot, rig.power.force_reboot):
            with pytest.raises(HostPowerFailed):
                await order()

    rig.run(body)


@pytest.mark.parametrize("make", MAKERS)
def test_an_order_without_an_answer_is_an_error_in_time(make: Callable[[Path, float], Rig], tmp_path: Path) -> None:
    rig = make(tmp_path, SHORT_TIMEOUT_S)
    rig.behave(Obedience.HANGS)

    async def body() -> None:
        with pytest.raises(HostPowerFailed):
            await rig.power.power_off()

    rig.run(body)


def test_after_a_refusal_the_next_order_can_be_accepted(rig: Rig) -> None:
    rig.behave(Obedience.REFUSES)

    async def body() -> None:
        with pytest.raises(HostPowerFailed):
            await rig.power.power_off()
        rig.behave(Obedience.OBEYS)
        await rig.power.power_off()

    rig.run(body)


def test_a_host_that_can_be_powered_off_passes_the_check_and_gets_no_order(rig: Rig) -> None:
    rig.behave(Obedience.OBEYS)

    async def body() -> None:
        await rig.power.check()

    rig.run(body)
    assert rig.orders() == []


def test_a_host_that_cannot_be_powered_off_fails_the_check_until_it_can(rig: Rig) -> None:
    async def body() -> None:
        rig.set_able(False)
        for _ in range(2):
            with pytest.raises(HostPowerFailed, match=r"there is no|does not exist"):
                await rig.power.check()
        rig.set_able(True)
        await rig.power.check()

    rig.run(body)


def test_it_says_whether_the_system_is_stopping_or_that_it_does_not_know(rig: Rig) -> None:
    async def body() -> None:
        if rig.set_stopping is None:
            assert not await rig.power.stopping()
            rig.behave(Obedience.OBEYS)
            await rig.power.power_off()
            with pytest.raises(HostPowerFailed, match="does not say"):
                await rig.power.stopping()
            return
        assert not await rig.power.stopping()
        rig.set_stopping()
        assert await rig.power.stopping()

    rig.run(body)
