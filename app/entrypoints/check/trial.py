"""``powerd check --trial``: lets this node sleep once before a wake was proved, so that one can be proved."""

from __future__ import annotations

from typing import TextIO

from app.domain.errors import PermanentError
from app.domain.rules.proved_wake import Trial
from app.entrypoints.settings.profiles import kind_of
from app.entrypoints.settings.schema import Settings
from app.entrypoints.wiring import host
from app.entrypoints.wiring.files import trial_file, trial_memory

TRIAL_S = 3600.0


class NoTrial(PermanentError):
    """No trial can be allowed."""

    exit_code = 2


async def allow(settings: Settings, out: TextIO) -> None:
    """The trial lasts for an hour of this boot; setting the clock can't extend it."""
    if not settings.power_management.require_proved_wake:
        raise NoTrial("power_management.require_proved_wake is false: no trial is needed, the node sleeps without")
    if kind_of(settings, "boot_memory") != "files":
        raise NoTrial("simulated memories live in the daemon (boot_memory.kind, profile); there is no file to write")
    facts = host.linux_host_facts(settings)
    await trial_memory(settings).save(Trial(facts.boot_id(), facts.uptime_s() + TRIAL_S))
    trial_file(settings).chmod(0o644)  # whatever the umask of the operator's shell: the daemon must read it
    print(
        "for an hour, and in this boot only, this node may power off though no wake of it was proved. Stay near its "
        "power button. Now let the farmer set its target to Down, wait until it is dark, and set it to Up again: "
        "`powerd check` then says whether the wake was seen",
        file=out,
    )
