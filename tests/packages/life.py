"""The life of the package on one host, a step after the other; each raises `NotSo`, or says what it saw."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from release.checkout import Checkout
from tests.machines.next_version import COMMIT
from tests.packages.host import Host, NotSo
from tests.rigs.chain.as_process import dev_chain

SETTINGS = "/etc/powerd/powerd.toml"
KEY = "/etc/powerd/node.key"
EX_CONFIG = 78


def installed(host: Host) -> str:
    """Users, directories, units and the program are there; nothing is wrong with a file."""
    host.sh("dpkg --install /powerd.deb")
    host.demand(
        "stat -c %U:%G:%a /var/lib/powerd /var/lib/powerd-events", "powerd:powerd:755\npowerd-events:powerd-events:755"
    )
    host.demand("systemctl is-enabled powerd.service powerd-events.service", "enabled\nenabled")
    host.demand("powerd --version", f"powerd {Checkout().version} (commit {Checkout().commit})")
    host.demand("dpkg --verify powerd", "")
    _no_module_is_compiled_later(host)
    kib = int(host.sh("du -sk /usr/lib/powerd | cut -f1"))
    return f"{kib / 1024:.0f} MiB on disk with its compiled modules"


def works(host: Host) -> str:
    """Its commands, as a plain user where they allow it, and against a real chain: keys, signatures, metadata."""
    host.demand("cd /tmp && runuser -u powerd -- powerd simulate --nodes 4 --hours 1 >/dev/null && echo held", "held")
    for user in ("powerd", "powerd-events"):
        # Without a key it is the settings that are wrong, and systemd does not start it again.
        words = "powerd events" if user == "powerd-events" else "powerd"
        code = host.code(f"cd / && runuser -u {user} -- {words}")
        if code != EX_CONFIG:
            raise NotSo(f"without a key {words} ends with {code}, and not {EX_CONFIG}")
    with dev_chain(nodes=2) as chain:
        about = chain.about
        host.put("/tmp/farmer.key", Path(str(about["farmer"]["key_file"])).read_text())
        host.sh("chmod 600 /tmp/farmer.key")
        # What a user's commands remember is the user's, and no package's.
        farm = f"HOME=/tmp POWERD_CHAIN_URLS={about['url']} POWERD_FARMER_KEY_FILE=/tmp/farmer.key powerd farm"
        host.sh(f"{farm} down 2 --yes --force")
        listed = json.loads(host.sh(f"{farm} list --json"))
        host.sh("rm /tmp/farmer.key")
    targets = {node["node"]: node["target"] for node in listed["nodes"]}
    if targets[2] != "Down":
        raise NotSo(f"the chain did not get the target: {listed}")
    return "simulate, farm down and farm list on a chain"


def upgraded(host: Host) -> str:
    """The settings, the key and the administrator's choice of units stay; no module of the old version is left."""
    host.sh(f"sed -i 's/^enabled = false/enabled = true/' {SETTINGS}")
    host.sh(f"(umask 077; echo 00 >{KEY}); systemctl disable powerd-events.service 2>/dev/null")
    settings = host.sh(f"cat {SETTINGS}")
    host.sh("dpkg --install /powerd-next.deb </dev/null")
    host.demand("powerd --version", f"powerd {Checkout().version} (commit {COMMIT})")
    host.demand(f"cat {SETTINGS}", settings)
    host.demand(f"stat -c %a {KEY}", "600")
    host.demand("systemctl is-enabled powerd.service", "enabled")
    host.demand("systemctl is-enabled powerd-events.service || true", "disabled")
    _no_module_is_compiled_later(host)
    return "settings, key and a disabled unit kept"


def rolled_back(host: Host) -> str:
    """To the version before."""
    host.sh("dpkg --install /powerd.deb </dev/null")
    host.demand("powerd --version", f"powerd {Checkout().version} (commit {Checkout().commit})")
    host.demand(f"grep -c '^enabled = true' {SETTINGS}", "1")
    return "the version before, with the same settings"


def removed(host: Host) -> str:
    """The program goes, settings and key stay."""
    host.sh("dpkg --remove powerd")
    host.demand(f"ls {SETTINGS} {KEY}", f"{KEY}\n{SETTINGS}")
    host.demand("ls -d /usr/lib/powerd /usr/bin/powerd 2>/dev/null || echo gone", "gone")
    host.sh("dpkg --install /powerd.deb </dev/null")
    host.demand(f"grep -c '^enabled = true' {SETTINGS}", "1")
    return "settings and key stay, and come into force again"


def purged(host: Host, before: Mapping[str, str]) -> str:
    """Nothing is left of it: no file, user, link or changed file of another."""
    host.sh("dpkg --purge powerd")
    left = host.changed_since(dict(before))
    if left:
        raise NotSo(f"left behind or changed: {' '.join(left)}")
    return "no file, link or user left"


def _no_module_is_compiled_later(host: Host) -> None:
    """Services can't write there: a module without its compiled form would be compiled at each start."""
    sources = host.sh("find /usr/lib/powerd/lib -name '*.py' | wc -l")
    host.demand("find /usr/lib/powerd/lib -name '*.pyc' | wc -l", sources)
    host.demand(
        "find /usr/lib/powerd/lib -name '*.pyc' | sed 's#__pycache__/##; s#[.]cpython-311[.]pyc$#.py#'"
        ' | while read -r source; do [ -e "$source" ] || echo "$source"; done',
        "",
    )


STEPS: Mapping[str, Callable[[Host], str]] = {
    "install": installed,
    "work": works,
    "upgrade": upgraded,
    "roll back": rolled_back,
    "remove": removed,
}
"""In this order; then `purged`."""
