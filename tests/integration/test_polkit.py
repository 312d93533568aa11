"""The rule for polkit, before a real polkitd: what the daemon's user may do without root, and what not."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.rigs.needs import missing
from tests.slowness import patient

RULES = Path(__file__).parents[2] / "packaging" / "polkit" / "50-powerd.rules"
SCRIPT = Path(__file__).with_name("ask_polkit.sh")

APART = ["unshare", "--mount"]

LOGIN = "org.freedesktop.login1"
UNITS = "org.freedesktop.systemd1.manage-units"

ANSWERS: Mapping[str, str] = {
    f"powerd {LOGIN}.power-off": "yes",
    f"powerd {LOGIN}.power-off-multiple-sessions": "yes",
    f"powerd {LOGIN}.reboot": "yes",
    f"powerd {LOGIN}.reboot-multiple-sessions": "yes",
    f"powerd {UNITS} powerd-force-poweroff.service start": "yes",
    f"powerd {UNITS} powerd-force-reboot.service start": "yes",
    # What systemctl asks for where logind does not run.
    f"powerd {UNITS} poweroff.target start": "yes",
    f"powerd {UNITS} reboot.target start": "yes",
    f"powerd {UNITS} halt.target start": "no",
    # An inhibitor is a hold: nothing overrides it.
    f"powerd {LOGIN}.power-off-ignore-inhibit": "no",
    f"powerd {UNITS} powerd-force-poweroff.service stop": "no",
    f"powerd {UNITS} powerd-force-reboot.service stop": "no",
    f"powerd {UNITS} ssh.service start": "no",
    "powerd org.freedesktop.systemd1.manage-unit-files": "no",
    f"powerd-events {LOGIN}.power-off": "no",
    f"powerd-events {UNITS} powerd-force-poweroff.service start": "no",
    f"powerd-events {UNITS} powerd-force-reboot.service start": "no",
}


@pytest.mark.timeout(120)
def test_the_daemons_user_may_power_off_and_reboot_and_nothing_else() -> None:
    programs = ("/usr/lib/polkit-1/polkitd", "pkcheck", "busctl", "dbus-daemon")
    if not all(map(shutil.which, programs)):
        missing("polkitd (Debian: apt-get install polkitd dbus systemd)")
    if subprocess.run([*APART, "true"], capture_output=True, check=False).returncode != 0:
        missing("mount namespaces (run as root, or with CAP_SYS_ADMIN)")
    with tempfile.TemporaryDirectory(prefix="powerd-") as directory:
        asked = subprocess.run(
            [*APART, "sh", SCRIPT, RULES, directory, *ANSWERS],
            capture_output=True,
            text=True,
            timeout=patient(30),
            check=False,
        )
    assert dict(zip(ANSWERS, asked.stdout.split(), strict=False)) == ANSWERS, asked.stderr
