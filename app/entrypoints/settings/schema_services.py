"""Settings of the services: intervals, deadlines and limits."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from app.entrypoints.settings.base import PositiveSeconds, Seconds, Section


class PowerManagement(Section, frozen=True):
    """Whether the node sleeps, and how often it looks at the chain."""

    enabled: Annotated[
        bool, Meta(description="`false`: the node never powers off and always reports Up. Everything else goes on.")
    ] = True
    reboot_after_aborted_sleep: Annotated[
        bool,
        Meta(
            description="`true`: a node that said Down, did not power off and has the target Up again reboots, since the grid credits nothing until it has booted (docs/minting.md). A hold, switched-off power management and an old best head forbid the reboot too. `false`: the node only reports a fault."
        ),
    ] = True
    reconcile_interval_s: Annotated[
        PositiveSeconds, Meta(description="Seconds between looks at the chain that no event asked for.")
    ] = 300.0
    reconcile_jitter: Annotated[
        float,
        Meta(
            ge=0,
            le=0.5,
            description="Fraction by which `reconcile_interval_s` varies, so that nodes do not all ask at the same time.",
        ),
    ] = 0.1
    follow_up_s: Annotated[
        PositiveSeconds, Meta(description="Seconds between looks while an answer is in doubt or not final.")
    ] = 2.0
    farm_refresh_s: Annotated[
        PositiveSeconds, Meta(description="Seconds after which the list of the farm's nodes is read again.")
    ] = 1800.0
    last_waker_guard: Annotated[
        bool,
        Meta(
            description="`true`: the node does not power off while no other node of its farm is known to be awake: target and state Up, and a sign of life on the chain (behind api-gateway, which has no signs of life: target and state alone). A farm's only node never powers off then. `false`: it does, and may sleep until a person presses its power button."
        ),
    ] = True
    require_proved_wake: Annotated[
        bool,
        Meta(
            description="`true`: the node does not power off before it was woken once (docs/check.md); `powerd check --trial` allows the one sleep that this needs. Not behind api-gateway, which does not show earlier blocks."
        ),
    ] = False
    sign_of_life_s: Annotated[
        PositiveSeconds,
        Meta(
            description="Seconds for which a sign of life of another node counts. powerd gives one every 1200 s (other programs: 2400 s). A node that gave none for this time is silent."
        ),
    ] = 2700.0


class BootLoop(Section, frozen=True):
    """The boot-loop guard: a node that boots by itself again and again while its target is Down stays up a while."""

    free_boots: Annotated[
        int,
        Meta(
            ge=0,
            le=1000,
            description="How many unwanted boots in a row the node answers by a power-off at once.",
        ),
    ] = 2
    stay_s_min: Annotated[
        PositiveSeconds,
        Meta(
            description="Seconds that the node stays up after the next unwanted boot. The time doubles with each further one."
        ),
    ] = 300.0
    stay_s_max: Annotated[PositiveSeconds, Meta(description="The longest time that it stays up, in seconds.")] = 14400.0
    long_sleep_s: Annotated[
        PositiveSeconds, Meta(description="Seconds of sleep after which a boot is no part of a loop.")
    ] = 21600.0


class Wake(Section, frozen=True):
    """Pace of waking peers."""

    packets: Annotated[int, Meta(ge=1, le=100, description="Magic packets per burst.")] = 10
    packet_interval_s: Annotated[Seconds, Meta(description="Seconds between the packets of a burst.")] = 0.5
    retry_delay_s_min: Annotated[PositiveSeconds, Meta(description="Seconds to the second burst; then doubling.")] = (
        15.0
    )
    retry_delay_s_max: Annotated[PositiveSeconds, Meta(description="Seconds between bursts at most.")] = 300.0
    deadline_s: Annotated[
        PositiveSeconds, Meta(description="Seconds after which a peer that still sleeps is shown as a fault.")
    ] = 1800.0
    first_wakers: Annotated[
        int,
        Meta(
            ge=0,
            le=1000,
            description="How many nodes of the farm call a sleeper at once; which ones, each node computes. 0: all of them.",
        ),
    ] = 3
    stagger_s: Annotated[
        PositiveSeconds,
        Meta(
            description="Seconds after which the next `first_wakers` nodes call the sleeper, if the chain still shows it asleep. All others call after twice this time, which is at most a quarter of `deadline_s`."
        ),
    ] = 120.0
    call_silent: Annotated[
        bool,
        Meta(
            description="`true`: powerd calls a node now and then, and shows it as a fault, when its target and state are Up and it is silent (`power_management.sign_of_life_s`). Not behind api-gateway."
        ),
    ] = True
    defer_power_off_s: Annotated[
        Seconds,
        Meta(description="Seconds by which an unfinished wake defers this node's own power-off, at most."),
    ] = 180.0


class Shutdown(Section, frozen=True):
    """Deadlines of the shutdown sequence."""

    final_deadline_s: Annotated[
        PositiveSeconds,
        Meta(description="Seconds within which the state Down must be final; else the node says Up again."),
    ] = 120.0
    settled_s: Annotated[
        PositiveSeconds,
        Meta(
            description="Seconds after which a state Down that is still there counts as final, behind a gateway without finality."
        ),
    ] = 30.0
    uptime_deadline_s: Annotated[
        PositiveSeconds, Meta(description="Seconds for the last uptime report, tried twice.")
    ] = 60.0
    power_off_deadline_s: Annotated[
        PositiveSeconds,
        Meta(
            description="Seconds after which a machine that still runs gets the next order, and then one by force. Longer than systemd's stop time-out (90)."
        ),
    ] = 150.0
    retry_later_s: Annotated[
        PositiveSeconds, Meta(description="Seconds before a power-off that failed is tried again.")
    ] = 600.0


class Uptime(Section, frozen=True):
    """Pace of the uptime reports."""

    interval_s: Annotated[
        PositiveSeconds,
        Meta(
            description="Seconds from one sample to the next. The grid credits gaps of up to 2460 s, so with half of that a lost report costs nothing, and a report that succeeds costs no fee. The Go powerd uses 2400."
        ),
    ] = 1200.0
    retry_delay_s_min: Annotated[PositiveSeconds, Meta(description="Seconds to the first retry; then doubling.")] = 5.0
    retry_delay_s_max: Annotated[PositiveSeconds, Meta(description="Seconds between retries at most.")] = 60.0
    unhealthy_retry_s: Annotated[
        PositiveSeconds, Meta(description="Seconds after which an unhealthy node looks at itself again.")
    ] = 60.0
    first_report_wait_s: Annotated[
        Seconds, Meta(description="Seconds that the first look at the own power waits for the first report.")
    ] = 60.0


class Follower(Section, frozen=True):
    """`powerd events`."""

    cursor_file: Annotated[str, Meta(min_length=1, description="The file that records the last published block.")] = (
        "/var/lib/powerd/cursor.json"
    )
    batch_blocks: Annotated[int, Meta(ge=1, le=1000, description="Blocks read at once when catching up.")] = 64


class Supervision(Section, frozen=True):
    """What the daemon reports to the service manager: systemd shows it, and restarts a daemon that hangs."""

    stuck_after_s: Annotated[
        PositiveSeconds,
        Meta(
            description="Seconds that one step of a look at the chain, or of a shutdown, may take beyond what it waits for on purpose. After that the loop counts as hung, and powerd ends, so that the service manager starts it again. powerd uses at least twice the deadlines of all that a step asks."
        ),
    ] = 900.0


class Status(Section, frozen=True):
    """`powerd status`: the Unix socket at which the daemon answers it, for the daemon's user and its group."""

    socket: Annotated[
        str,
        Meta(
            max_length=107,
            description="Path of the socket. Empty: `/run/powerd/status.sock` where that can be used, else `powerd/status.sock` in the user's run directory.",
        ),
    ] = ""


class Lock(Section, frozen=True):
    """Keeps a second daemon of the same node from running on this host, and a second `powerd events`."""

    dir: Annotated[
        str,
        Meta(
            description="Directory of the lock. Empty: `/run/powerd` (for `powerd events` `/run/powerd-events`) where that can be used, else the user's run directory, else one of the user's in `/tmp`."
        ),
    ] = ""


class Farmer(Section, frozen=True):
    """The farmer's key, for `powerd farm`. The option `--key` of the command wins."""

    key_file: Annotated[
        str,
        Meta(
            description="File with the farmer's private key, readable by its owner only: the seed in hex, the words of a mnemonic, or a derivation path with or without words before it (`//name`, `words//hard/soft`)."
        ),
    ] = ""
    key_type: Annotated[Literal["ed25519", "sr25519"], Meta(description="Farmers mostly have sr25519 keys.")] = (
        "sr25519"
    )


class Log(Section, frozen=True):
    """The log, on standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="powerd leaves out lines below this level.")
    ] = "info"
    format: Annotated[Literal["text", "json"], Meta(description="`json`: one object a line.")] = "text"
