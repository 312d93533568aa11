"""Libraries are imported without the parts that powerd does not use, and whole where they can't do without."""

from __future__ import annotations

import hmac
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from threading import Event

import pytest

from app.adapters.libraries.left_out import ABSENT, StandIns, Unused, left_out, unused
from tests.slowness import patient

IMPORTS = """
import importlib, sys
importlib.import_module(sys.argv[1])
parts = [name for name in sys.argv[2:] if name in sys.modules]
assert not parts, parts
for name in sys.argv[2:]:
    importlib.import_module(name)
    assert "left_out" not in type(sys.modules[name]).__module__, name
"""


def ran(*command: str) -> str:
    """What Python printed."""
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=patient(60), check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("importer", "parts"),
    [
        ("app.adapters.redis.library", ("xxhash", "redis.cluster", "redis.sentinel", "importlib.metadata", "zipfile")),
        ("app.adapters.linux.library", ("pyroute2.ndb.main", "pyroute2.plan9.server", "sqlite3")),
        (
            "app.adapters.substrate.library",
            ("eth_keys", "requests", "nacl.public", "bip39", "smoldot_light"),
        ),
        ("app.adapters.wol.library", ("argparse", "typing_extensions")),
        ("app.adapters.prometheus.instruments", ("gzip", "http.server", "socketserver", "urllib.request")),
        ("app.entrypoints.wiring.injection", ("pydantic", "yaml", "configparser", "dependency_injector.wiring")),
    ],
)
def test_a_part_is_not_imported_and_stays_importable_for_others(importer: str, parts: tuple[str, ...]) -> None:
    ran("-c", IMPORTS, importer, *parts)


DAEMON = """
import sys
from types import ModuleType

daemon = sys.modules["app.entrypoints.powerd.daemon"] = ModuleType("daemon")
parts = "asyncio", "ssl", "_ssl", "_hashlib", "decimal", "typing_extensions"
daemon.run_daemon = lambda _: print(*(name for name in parts if name in sys.modules))
from app.entrypoints.powerd.cli import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("options", "modules"),
    [
        (("--profile", "zos"), "asyncio"),
        (("--profile", "simulated"), "asyncio"),
        (("--profile", "zos", "--broker", "redis://127.0.0.1"), "asyncio"),
        (("--profile", "zos", "--broker", "rediss://127.0.0.1"), "asyncio ssl _ssl _hashlib"),
        (("--profile", "systemd"), "asyncio ssl _ssl _hashlib"),
    ],
)
def test_a_daemon_has_tls_where_it_may_speak_it_and_never_decimals(options: tuple[str, ...], modules: str) -> None:
    assert ran("-c", DAEMON, *options) == modules


WITHOUT_TLS = """
import sys
from app.adapters.libraries.tls import leave_out_tls

leave_out_tls()
from app.adapters.linux.library import IPRoute
from app.adapters.redis.library import Redis
assert not {"ssl", "_ssl", "_hashlib"} & set(sys.modules)
import asyncio, hashlib, hmac, ssl
from app.domain.rules.wake_rank import blake2b
print(blake2b(b"x", digest_size=4).hexdigest(), hmac.new(b"a", b"b", hashlib.sha256).hexdigest()[:8])
async def asked(reader, writer):
    await reader.readline()
    writer.write(b"+PONG\\r\\n")
async def main():
    server = await asyncio.start_unix_server(asked, sys.argv[1])
    ssl.create_default_context()  # the real one
    async with server, Redis(unix_socket_path=sys.argv[1], protocol=2, driver_info=None) as redis:
        print(await redis.ping())
asyncio.run(main())
"""


def test_without_tls_all_else_works(tmp_path: Path) -> None:
    digests = f"{blake2b(b'x', digest_size=4).hexdigest()} {hmac.new(b'a', b'b', 'sha256').hexdigest()[:8]}"
    assert ran("-c", WITHOUT_TLS, str(tmp_path / "socket")) == f"{digests}\nTrue"


@pytest.fixture
def parcel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A library ``parcel`` with the parts ``parcel.large`` and ``parcel.small``, and nothing in its own file yet."""
    package = tmp_path / "parcel"
    package.mkdir()
    (package / "large.py").write_text("LIMIT = 3\nclass Large: pass\n")
    (package / "small.py").write_text("from parcel.large import Large\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield package / "__init__.py"
    for name in [name for name in sys.modules if name.partition(".")[0] == "parcel"]:
        del sys.modules[name]


def imported(without: StandIns) -> object:
    with left_out("parcel", without):
        return import_module("parcel.small").Large


def test_a_class_of_a_part_that_is_left_out_can_t_be_made(parcel: Path) -> None:
    parcel.write_text("from parcel.small import Large\nclass Larger(Large): pass\n")
    large = imported(unused("parcel.large"))
    assert isinstance(large, type)
    assert issubclass(large, Unused)
    with pytest.raises(NotImplementedError, match=r"without parcel\.large"):
        large(1, two=2)


def test_a_part_that_is_absent_is_as_if_it_were_not_installed(parcel: Path) -> None:
    parcel.write_text("try: import parcel.large\nexcept ImportError: has_large = False\n")
    with left_out("parcel", {"parcel.large": ABSENT}):
        assert not import_module("parcel").has_large
    assert import_module("parcel.large").LIMIT == 3


def test_a_part_that_is_loaded_already_stays(parcel: Path) -> None:
    parcel.write_text("")
    whole = import_module("parcel.large").Large
    assert imported(unused("parcel.large")) is whole


@pytest.mark.parametrize("without", [unused("parcel.large"), {"parcel.large": ABSENT}])
def test_a_library_that_can_t_do_without_a_part_is_imported_whole(parcel: Path, without: StandIns) -> None:
    parcel.write_text("from parcel.small import Large\nfrom parcel.large import LIMIT\nTWICE = 2 * LIMIT\n")
    assert imported(without) is import_module("parcel.large").Large
    assert import_module("parcel").TWICE == 6


def test_a_part_that_one_library_does_without_is_there_for_another_that_a_thread_imports(parcel: Path) -> None:
    parcel.write_text("")
    begins = Event()

    def with_large() -> object:
        begins.set()
        return imported({})

    with ThreadPoolExecutor(1) as pool:
        with left_out("parcel", {"parcel.large": ABSENT}):
            other = pool.submit(with_large)
            assert begins.wait(patient(10))
        assert isinstance(other.result(patient(10)), type)


def test_a_library_that_is_not_installed_is_missed_where_it_is_imported() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_library"), left_out("no_such_library", unused("any.part")):
        import_module("no_such_library")
