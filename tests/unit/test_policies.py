"""What an operator sets reaches the services: every setting of a pace changes the policies."""

from __future__ import annotations

import msgspec
import pytest

from app.entrypoints.settings.schema import Settings
from app.entrypoints.wiring.policies import policies

PACES = ("power_management", "boot_loop", "wake", "shutdown", "uptime")
OTHERS = (
    ("chain", "best_head_age_s_max"),
    ("chain", "finalized_head_age_s_max"),
    ("chain", "timeout_s"),
    ("chain", "inclusion_timeout_s"),
    ("events", "stale_after_s"),
    ("rtc_alarm", "ahead_s"),
)
DEFAULTS = Settings(profile="systemd")


def keys() -> list[tuple[str, str]]:
    return [(section, key) for section in PACES for key in type(getattr(DEFAULTS, section)).__struct_fields__]


@pytest.mark.parametrize(("section", "key"), [*keys(), *OTHERS])
def test_a_setting_that_is_changed_changes_the_policies(section: str, key: str) -> None:
    before = getattr(DEFAULTS, section)
    value = getattr(before, key)
    # By so much that a policy which takes the larger of two has to follow.
    changed = msgspec.structs.replace(before, **{key: not value if isinstance(value, bool) else value * 100 or 100})
    assert policies(msgspec.structs.replace(DEFAULTS, **{section: changed})) != policies(DEFAULTS)


@pytest.mark.parametrize("key", ["gateway_timeout_s", "gateway_farm_interval_s", "gateway_follow_up_s"])
def test_behind_a_gateway_its_pace_counts(key: str) -> None:
    zos = Settings(profile="zos")
    changed = msgspec.structs.replace(zos.zbus, **{key: 100 * getattr(zos.zbus, key)})
    assert policies(msgspec.structs.replace(zos, zbus=changed)) != policies(zos)
    assert policies(msgspec.structs.replace(DEFAULTS, zbus=changed)) == policies(DEFAULTS)
