"""Users with passwords, the rights that docs/redis.md lists and no others, and TLS."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from app.adapters.zbus.client import ZbusClient
from app.adapters.zbus.neighbours import Remote, RemoteMethod
from app.adapters.zbus.power_object import MODULE, OBJECT, STATE
from app.domain.errors import EventsUnavailable
from app.domain.events import PowerTargetChanged
from app.domain.model import FarmId, NodeId, Power
from app.entrypoints.demo.redis_server import RedisServer
from tests.rigs.event_stream import power_events, power_events_out
from tests.rigs.node import node_rig
from tests.rigs.node_settings import ME, PEER
from tests.rigs.program import PATIENCE_S
from tests.rigs.redis import hand
from tests.rigs.redis_over_tls import before

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

DOCUMENT = Path("docs/redis.md").resolve()
PASSWORD = "p@ss/w#rd?%:ü"
UP = PowerTargetChanged(FarmId(1), NodeId(7), Power.UP)


def documented(user: str) -> list[str]:
    """The words of this user's ACL SETUSER in docs/redis.md, with the password in."""
    (line,) = re.findall(rf"^ACL SETUSER {user} .*$", DOCUMENT.read_text(), re.MULTILINE)
    return [word.replace(">PASSWORD", f">{PASSWORD}") for word in line.split()]


STATE_OF = RemoteMethod(Remote(MODULE, OBJECT), "State", (), STATE)


def login(server: RedisServer, user: str) -> str:
    return f"unix://{user}:{quote(PASSWORD, safe='')}@{server.socket}"


async def works(url: str) -> bool:
    """Whether an event can be published and read there."""
    events, out = power_events(url, block_s=0.1), power_events_out(url)
    try:
        await events.open()
        await out.publish([UP])
        return [each.content for each in await events.receive()] == [UP]
    finally:
        await events.close()
        await out.close()


@pytest.mark.parametrize("scheme", ["unix", "tcp", "redis"])
async def test_a_user_logs_in_with_any_password(server: RedisServer, client: Any, scheme: str) -> None:
    client.execute_command("ACL", "SETUSER", "us:er", "on", f">{PASSWORD}", "~*", "&*", "+@all")
    client.config_set("requirepass", "another")
    who = f"{quote('us:er', safe='')}:{quote(PASSWORD, safe='')}"
    if scheme == "unix":
        assert await works(f"unix://{who}@{server.socket}")
        return
    async with before(server) as port:
        assert await works(f"{scheme}://{who}@127.0.0.1:{port}/3")


async def test_the_daemon_and_its_follower_run_with_the_documented_rights_and_no_others() -> None:
    async with node_rig() as node:
        with hand(node.redis.url()) as administrator:
            for user in ("powerd", "powerd-events", "powerd-caller"):
                administrator.execute_command(*documented(user))
            administrator.execute_command("ACL", "SETUSER", "default", "off", "resetpass")
            for each, user in ((node.daemon, "powerd"), (node.follower, "powerd-events")):
                each.command = [each.command[0], "--broker", login(node.redis, user), *each.command[1:]]
            await node.daemon.start()
            await node.follower.start()
            await node.daemon.says("UptimeReported")
            async with asyncio.timeout(30):
                while not (node.directory / "cursor.json").exists():
                    await node.blocks_pass(1)
            administrator.execute_command("XADD", "stream:power-target", "*", "body", "rubbish")
            await node.set_target(Power.DOWN, PEER)
            await node.daemon.says("EventDeadLettered")
            await node.daemon.says("EventsHandled", nodes=[int(PEER)])
            caller = ZbusClient(login(node.redis, "powerd-caller"))
            assert (await caller.call(STATE_OF, timeout_s=PATIENCE_S))["Node"] == ME
            await caller.close()
            assert [entry["reason"] for entry in administrator.acl_log()] == []
            for program in (node.daemon, node.follower):
                assert not program.count("OperationFailed")
                warnings = [line["message"] for line in program.said if line.get("level") == "WARNING"]
                assert [each for each in warnings if "dead-letter" not in each] == []
                assert PASSWORD not in str(program.said)


async def test_tls_with_the_authority_named_and_with_nothing_verified(server: RedisServer, certificate: Path) -> None:
    async with before(server, certificate) as port:
        assert await works(f"rediss://localhost:{port}?ssl_ca_certs={certificate}")
        assert await works(f"rediss://localhost:{port}?ssl_cert_reqs=none")
        other_name = f"rediss://127.0.0.1:{port}?ssl_ca_certs={certificate}"
        with pytest.raises(EventsUnavailable, match="certificate verify failed"):
            await works(other_name)
        assert await works(f"{other_name}&ssl_check_hostname=false")


async def test_tls_an_untrusted_certificate_is_reported(server: RedisServer, certificate: Path) -> None:
    async with before(server, certificate) as port:
        with pytest.raises(EventsUnavailable, match=r"over TLS does not answer: .*certificate verify failed"):
            await works(f"rediss://localhost:{port}")


async def test_tls_a_user_logs_in_over_tls(server: RedisServer, client: Any, certificate: Path) -> None:
    client.execute_command(*documented("powerd"), "+xadd")
    async with before(server, certificate) as port:
        who = f"powerd:{quote(PASSWORD, safe='')}"
        assert await works(f"rediss://{who}@localhost:{port}/2?ssl_ca_certs={certificate}")


async def test_tls_a_missing_file_is_named(server: RedisServer, certificate: Path) -> None:
    async with before(server, certificate) as port:
        with pytest.raises(EventsUnavailable, match=r"ssl_ca_certs in broker\.url names /nowhere/ca\.pem"):
            await works(f"rediss://localhost:{port}?ssl_ca_certs=/nowhere/ca.pem")
        with pytest.raises(EventsUnavailable):
            await works(f"rediss://localhost:{port}?ssl_ca_certs={DOCUMENT}")


async def test_tls_a_server_without_tls_is_an_error(server: RedisServer) -> None:
    async with before(server) as port:
        with pytest.raises(EventsUnavailable):
            await works(f"rediss://localhost:{port}?ssl_cert_reqs=none")
