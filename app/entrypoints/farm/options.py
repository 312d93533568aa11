"""The options that all of ``powerd farm`` has: which chain, whose key, which farm. They win over the settings.

They can come before or after the command's name; the latter win.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from app.entrypoints.terminal.ranges import WholeRange

if TYPE_CHECKING:
    from app.entrypoints.wiring.container import Container

ID = WholeRange(1, 2**32 - 1)
"""The chain counts farms and nodes from 1, in 32 bits."""

Command = TypeVar("Command", bound=Callable[..., Any])

GIVEN = "app.entrypoints.farm.given"
SETTINGS: Mapping[str, str] = {"chain": "chain.urls", "farm_id": "identity.farm_id", "key_type": "farmer.key_type"}


def _remember(ctx: click.Context, option: click.Parameter, value: Any) -> None:
    if value:
        ctx.meta.setdefault(GIVEN, {})[option.name] = list(value) if isinstance(value, tuple) else value


def _option(*names: str, **about: Any) -> Callable[[Command], Command]:
    return click.option(*names, expose_value=False, callback=_remember, **about)


chain_option = _option(
    "--chain", multiple=True, metavar="URL", help="WebSocket endpoint of the chain; may be repeated."
)
farm_option = _option("--farm", "farm_id", type=ID, metavar="ID", help="The farm. Without it: that of the key.")
key_option = _option(
    "--key",
    metavar="FILE|-|KEY",
    help="The farmer's key: a file of mode 600 that holds a hex seed, a mnemonic or a derivation path; - asks for it.",
)
key_type_option = _option("--key-type", type=click.Choice(["sr25519", "ed25519"]), help="Its kind.  [default: sr25519]")


def farmer_options(command: Command) -> Command:
    for option in (key_type_option, key_option, farm_option, chain_option):
        command = option(command)
    return command


def given(ctx: click.Context) -> Mapping[str, Any]:
    """The given values, by the names of the options."""
    said: Mapping[str, Any] = ctx.meta.get(GIVEN, {})
    return said


def farmer_container(ctx: click.Context, more: Mapping[str, object] | None = None) -> Container:
    """The composition root for what was said on the command line; ``more`` is settings by their keys."""
    said = given(ctx)
    settings = {key: said[name] for name, key in SETTINGS.items() if name in said}
    if "key" not in said:
        return _container(ctx, {**settings, **(more or {})})
    from app.entrypoints.farm.key_option import key_file_of, secret_of_given
    from app.entrypoints.wiring.injection import providers

    file = key_file_of(said["key"])
    if file is not None:
        settings["farmer.key_file"] = str(file)
    container = _container(ctx, {**settings, **(more or {})})
    if file is None:
        secret = secret_of_given(said["key"], container.settings().farmer.key_type)
        container.farmer_key.override(providers.Object(secret))
    return container


def _container(ctx: click.Context, settings: Mapping[str, object]) -> Container:
    from app.entrypoints.wiring.quiet import quiet_endpoints

    container: Container = ctx.obj.container(settings)
    quiet_endpoints(container.settings())
    return container
