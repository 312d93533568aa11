"""Settings of what is reached by the network, and how: the broker, the chain, the event stream, and sleeping peers."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from app.entrypoints.settings.base import Id, Port, PositiveSeconds, Seconds, Section


class Broker(Section, frozen=True):
    """The node's Redis."""

    url: Annotated[
        str,
        Meta(
            description="`unix:///path`, `tcp://host:port`, `redis://host:port` or, over TLS, `rediss://host:port`; user, "
            "password, database and certificates: docs/redis.md. Empty: `redis://127.0.0.1:6379`, and in the profile `zos` "
            "`unix:///var/run/redis.sock`."
        ),
    ] = ""


class Chain(Section, frozen=True):
    """The chain, and how old its heads can be."""

    kind: Annotated[
        Literal["auto", "substrate", "gateway", "simulated"],
        Meta(description="Which adapter; `auto`: the profile's. `gateway`: Zero-OS' api-gateway, over zbus."),
    ] = "auto"
    urls: Annotated[
        tuple[str, ...],
        Meta(min_length=1, description="WebSocket endpoints of the chain, tried in this order."),
    ] = ("ws://127.0.0.1:9944",)
    timeout_s: Annotated[
        PositiveSeconds, Meta(description="Seconds that one answer may take. Then the next endpoint is asked.")
    ] = 20.0
    inclusion_timeout_s: Annotated[
        PositiveSeconds, Meta(description="Seconds within which an extrinsic must be in a block.")
    ] = 60.0
    era_blocks: Annotated[
        int,
        Meta(
            ge=4,
            le=4096,
            description="Blocks for which a signed extrinsic stays valid, a power of two. With 8 blocks of 6 s the last block that can "
            "hold an uptime report comes 42 s after the head it was signed at: the chain refuses a report 60 s after its sample.",
        ),
    ] = 8
    genesis_hash: Annotated[
        str,
        Meta(
            pattern="^(0x[0-9a-f]{64})?$",
            description="Hash of the chain's block 0 (`0x…`), if only this chain will do. Empty: that of the first "
            "endpoint that answers.",
        ),
    ] = ""
    best_head_age_s_max: Annotated[
        Seconds,
        Meta(description="Seconds; with an older best head the node does not power off. 0: not checked."),
    ] = 60.0
    finalized_head_age_s_max: Annotated[
        Seconds,
        Meta(description="The same for the finalized head. 0 suits a chain that makes blocks on demand."),
    ] = 120.0


class Identity(Section, frozen=True):
    """The ids and the key of this node."""

    kind: Annotated[
        Literal["auto", "key", "configured", "registrar", "simulated"],
        Meta(
            description="`key`: powerd looks up the ids from the key; `configured`: powerd checks the id in `node_id`; "
            "`registrar`: powerd asks Zero-OS' registrar, over zbus."
        ),
    ] = "auto"
    node_id: Annotated[Id, Meta(description="The node's id on chain. 0: powerd looks it up from the key.")] = 0
    farm_id: Annotated[
        Id, Meta(description="The farm's id. 0: powerd takes it from the node's record, or asks identityd.")
    ] = 0
    key_file: Annotated[
        str,
        Meta(
            description="File with the node's private key (hex seed, Go's 64 bytes, or a mnemonic), readable by its owner only. "
            "Empty: the systemd credential `node-key`."
        ),
    ] = ""
    key_type: Annotated[Literal["ed25519", "sr25519"], Meta(description="Zero-OS nodes have ed25519 keys.")] = "ed25519"


class Events(Section, frozen=True):
    """The stream of power-target events in Redis. The names are those of the Go programs."""

    kind: Annotated[
        Literal["auto", "redis", "simulated"], Meta(description="Which adapter; `auto`: the profile's.")
    ] = "auto"
    stream: Annotated[str, Meta(min_length=1, description="Key of the stream.")] = "stream:power-target"
    group: Annotated[
        str,
        Meta(
            min_length=1,
            description="Consumer group. The Go consumer uses this name for every stream; under another name the "
            "stream would deliver its whole history again.",
        ),
    ] = "group:stream:public-config:power"
    consumer: Annotated[str, Meta(min_length=1, description="Name of the consumer in the group.")] = "power"
    dead_letter_stream: Annotated[
        str, Meta(min_length=1, description="The stream for entries that are no events, with the reason.")
    ] = "stream:power-target:dead-letter"
    batch: Annotated[int, Meta(ge=1, le=1024, description="Entries read at once.")] = 512
    stale_after_s: Annotated[
        PositiveSeconds, Meta(description="Seconds. An older entry only makes the node look at the chain.")
    ] = 600.0


class MagicPackets(Section, frozen=True):
    """How powerd calls sleeping peers."""

    kind: Annotated[
        Literal["auto", "raw", "udp", "simulated"],
        Meta(description="`raw`: Ethernet frames 0x0842 (needs CAP_NET_RAW); `udp`: broadcast datagrams."),
    ] = "auto"
    interface: Annotated[
        Annotated[str, Meta(max_length=15)]
        | Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=15)], ...], Meta(min_length=1)],
        Meta(
            description='The interface to send on, or a list (`["br0", "br1"]`) if peers are in several networks: each packet is sent on every one. For `udp`, empty: as routed. Names are not longer than 15.'
        ),
    ] = "zos"
    host: Annotated[str, Meta(min_length=1, description="For `udp`: the destination address.")] = "255.255.255.255"
    port: Annotated[Port, Meta(description="For `udp`: the destination port.")] = 9

    @property
    def interfaces(self) -> tuple[str, ...]:
        return (self.interface,) if isinstance(self.interface, str) else tuple(dict.fromkeys(self.interface))
