"""The command line: ``powerd`` is the daemon; its subcommands are tools around it."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TextIO

import click

from app.entrypoints.powerd.command_group import CommandGroup
from app.entrypoints.powerd.options import Options, container_for
from app.entrypoints.terminal.lazy_commands import LazyCommand
from app.entrypoints.terminal.ranges import WholeRange


def _given_broker(_: click.Context, option: click.Parameter, url: str | None) -> str | None:
    """Refuse an empty value: it would silently mean the default when a script's variable is not set."""
    if url is not None and not url.strip():
        raise click.BadParameter(
            "it is empty; give a URL such as redis://127.0.0.1:6379, or leave it out", param=option
        )
    return url


def _redis_url(ctx: click.Context, option: click.Parameter, url: str | None) -> str | None:
    """As `_given_broker`, and checks the URL's form."""
    from app.adapters.redis.broker_url import BrokerUrlError, parse_broker_url

    try:
        if (given := _given_broker(ctx, option, url)) is not None:
            parse_broker_url(given)
    except BrokerUrlError as error:
        raise click.BadParameter(str(error), param=option) from None
    return given


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from app.entrypoints.terminal.version import version_text

        click.echo(f"powerd {version_text()}")
        ctx.exit()


@click.group(cls=CommandGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--broker",
    metavar="URL",
    callback=_given_broker,
    help="Redis of this node: unix:///PATH, tcp://HOST:PORT, redis://… or rediss://…",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="POWERD_CONFIG",
    help="Settings file (TOML); every key can also be set by environment.",
)
@click.option(
    "--profile",
    type=click.Choice(["auto", "systemd", "zos", "simulated"]),
    help="Set of adapters; auto: zos where zinit's socket exists, else systemd.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show it and exit."
)
@click.pass_context
def main(ctx: click.Context, broker: str | None, config: Path | None, profile: str | None) -> None:
    """Keep this machine's power state in step with its target on the chain.

    Without a command this is the daemon: it reports the node's uptime, powers the machine off when
    its target is Down, and wakes the farm's sleeping nodes when theirs is Up.
    """
    given = {"broker.url": broker, "profile": profile}
    ctx.obj = Options(config, {key: value for key, value in given.items() if value is not None})
    if ctx.invoked_subcommand is None:
        gc.disable()  # the collector takes a tenth of the start, and finds nothing then
        _run_daemon(ctx.obj)


def _run_daemon(options: Options) -> None:
    options.is_daemon = True
    from app.adapters.libraries.plain_msgspec import leave_out_kinds

    leave_out_kinds()  # before the first import of msgspec
    from app.adapters.libraries.tls import leave_out_tls
    from app.entrypoints.settings.profiles import may_speak_tls

    settings = options.settings()
    if not may_speak_tls(settings):
        leave_out_tls()  # before the first import of asyncio
    from app.entrypoints.powerd.daemon import run_daemon

    run_daemon(container_for(settings))


@main.command(short_help="Feed the event stream from the chain.")
@click.pass_obj
def events(options: Options) -> None:
    """Follow the chain and publish the farm's power-target events to Redis."""
    from app.entrypoints.powerd.daemon import run_follower

    options.is_daemon = True
    run_follower(options.container())


@main.command(short_help="Show the running daemon's state.")
@click.option("--json", "as_json", is_flag=True, help="Everything, as one JSON object.")
@click.option("--watch", is_flag=True, help="Go on showing it, each second; in a pipe, a line for each change.")
@click.option("--check", is_flag=True, help="For scripts: a line a fault; exit 0: none, 1: a fault, 2: no answer.")
@click.pass_obj
def status(options: Options, *, as_json: bool, watch: bool, check: bool) -> None:
    """Show what this node's daemon knows and does now, what it waits for and why, and what is wrong.

    Faults come first, each with its start and its remedy. The command asks the daemon on this host through
    its socket (status.socket); it needs neither Redis nor the chain. Exits with 2 when no daemon answers.
    """
    if as_json + watch + check > 1:
        raise click.UsageError("--json, --watch and --check are three ways of showing it; give one of them")
    if watch:
        from app.entrypoints.powerd.status.watching import watch_status

        watch_status(options.settings(), sys.stdout)
        return
    from app.entrypoints.powerd.status.command import check_status, show_status

    if check:
        sys.exit(check_status(options.settings(), sys.stdout))
    show_status(options.settings(), sys.stdout, as_json=as_json)


@main.group(short_help="Keep this node up for a while, and see who does.")
def hold() -> None:
    """Holds keep this node up, whatever its target on the chain says.

    Each person or program that needs the node up has a hold of its own. On systemd, programs that block a
    shutdown (systemd-inhibit) count too. Holds do not survive a reboot: they are files in
    /run (holds.dir), and only root may place or lift them there.
    """


@hold.command("add", short_help="Place a hold, in the place of its earlier one.")
@click.argument("name")
@click.option("--reason", required=True, metavar="TEXT", help="Why; `powerd status` and the log show it.")
@click.option(
    "--for", "duration", metavar="DURATION", help="How long, whatever is done to the clock: 90s, 15m, 2h, 1d, 1h30m."
)
@click.option("--until", metavar="TIME", help="ISO 8601; without an offset, local time.")
@click.pass_obj
def hold_add(options: Options, name: str, reason: str, duration: str | None, until: str | None) -> None:
    """Place the hold of NAME, in the place of its earlier one; without --for or --until it has no end but a reboot.

    It counts at every look at the chain and right before the power-off, not after the order.
    """
    from app.adapters.linux.clock import SystemClock
    from app.entrypoints.powerd.hold import add_hold
    from app.entrypoints.terminal.durations import duration_s, expiry

    expires_at_s = expiry(SystemClock().now(), duration, until)
    lasts_s = None if duration is None else duration_s(duration)
    add_hold(options.settings(), name, reason, expires_at_s, lasts_s, sys.stdout)


@hold.command("list", short_help="Show who holds this node up, why and until when.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.pass_obj
def hold_list(options: Options, *, as_json: bool) -> None:
    """Show who holds this node up, why and until when; holds that expired are shown until lifted or replaced.

    Exits with 1 if any can't be read: then the node stays up as well.
    """
    from app.entrypoints.powerd.hold import list_holds

    list_holds(options.settings(), sys.stdout, as_json=as_json)


@hold.command("lift", short_help="Lift a hold.")
@click.argument("name")
@click.pass_obj
def hold_lift(options: Options, name: str) -> None:
    """Lift the hold of NAME."""
    from app.entrypoints.powerd.hold import lift_hold

    lift_hold(options.settings(), name, sys.stdout)


@main.command(short_help="Print event payloads or zbus frames as JSON.")
@click.option("--zbus", is_flag=True, help="They are requests and responses of zbus.")
@click.argument("source", type=click.File("r", encoding="utf-8-sig", errors="replace"), metavar="FILE")
def decode(source: TextIO, *, zbus: bool) -> None:
    """Print event payloads as JSON; FILE (or -) holds them in hex, one a line.

    One line in, one line out: what can't be read is a line {"error": …}, an empty line too.
    Exits with 1 if there was such a line, and with 2 if the input is empty.
    """
    from app.entrypoints.powerd.decode import decode_lines, event
    from app.entrypoints.powerd.decode_zbus import zbus_frame

    if not decode_lines(source, sys.stdout, zbus_frame if zbus else event):
        sys.exit(1)


@main.command(short_help="Show a whole farm on this machine.")
@click.option(
    "--redis", "redis_url", metavar="URL", callback=_redis_url, help="Use this server instead of starting one."
)
@click.option("--nodes", type=WholeRange(3, 16), default=3, show_default=True, help="Size of the farm.")
@click.option("--keep", is_flag=True, help="Leave everything running afterwards, and say what to try.")
@click.option(
    "--profile",
    type=click.Choice(["systemd", "zos"]),
    default="systemd",
    show_default=True,
    help="What the nodes run; zos: with stand-ins for the daemons around powerd.",
)
def demo(redis_url: str | None, nodes: int, keep: bool, profile: str) -> None:
    """Show a whole farm on this machine: everything is real but the machines."""
    from app.entrypoints.terminal.extras import require_extra

    require_extra("powerd demo", "demo", "websockets")
    from app.entrypoints.demo.show import run_demo

    sys.exit(run_demo(redis_url=redis_url, nodes=nodes, keep=keep, profile=profile))


main.add_command(
    LazyCommand("check", "app.entrypoints.check.cli:check", "Try everything that powerd needs, and change nothing.")
)
main.add_command(
    LazyCommand(
        "simulate", "app.entrypoints.simulator.cli:simulate", "Farms in virtual time, with every kind of fault."
    )
)
main.add_command(
    LazyCommand("farm", "app.entrypoints.farm.cli:farm", "The farmer's side: list nodes, set targets, wake.")
)
