"""A daemon imports the adapters of its own profile, and nothing that only others need."""

from __future__ import annotations

import subprocess
import sys

LOOK = """
import sys
from app.entrypoints.powerd import daemon
from app.entrypoints.settings.loading import load_settings
from app.entrypoints.wiring.container import Container
from app.entrypoints.wiring.injection import providers

def imported():
    return {name for name in FOREIGN if name in sys.modules}

FOREIGN = {
    "app.adapters.prometheus.server", "app.adapters.simulated.ledger", "app.adapters.substrate.client",
    "app.adapters.zbus.server", "prometheus_client", "pydantic", "substrateinterface", "yaml",
}
assert not imported(), imported()
container = Container(settings=providers.Object(load_settings(None, {}, {"profile": "simulated"})))
assert type(container.chain()).__name__ == "SimulatedChain"
assert imported() == {"app.adapters.simulated.ledger"}, imported()
# Others get the real ones.
import pydantic, yaml
assert yaml.safe_load("a: 1") == {"a": 1}
assert pydantic.TypeAdapter(int).validate_python("1") == 1
"""


def test_a_start_imports_no_other_profiles_adapters_and_what_was_kept_out_stays_importable() -> None:
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
