"""The neighbours that powerd calls, with the types of arguments and results.

Names and types are those of the Go stubs (github.com/threefoldtech/zosbase, package stubs).
"""

from __future__ import annotations

from app.adapters.codecs.go_types import BOOL, HASH, INT64, STRING, TIME, UINT32, UINT64, GoType, Slice, Struct
from app.adapters.codecs.zbus_frames import ObjectId
from app.domain.values import value

POWER = Struct("Power", (("IsUp", BOOL), ("IsDown", BOOL)))
POWER_STATE = Struct("PowerState", (("IsUp", BOOL), ("IsDown", BOOL), ("AsDownBlockNumber", UINT32)))
NODE_POWER = Struct("NodePower", (("State", POWER_STATE), ("Target", POWER)))
INTERFACE = Struct("Interface", (("Name", STRING), ("Mac", STRING), ("IPs", Slice(STRING))))
NODE = Struct(
    "Node",
    (("ID", UINT32), ("FarmID", UINT32), ("TwinID", UINT32), ("Interfaces", Slice(INTERFACE))),
)
"""The four of a node's fifteen fields that powerd reads."""


@value
class Remote:
    """A neighbour's object, whose queue is ``module.name@version``."""

    module: str
    object: ObjectId

    @property
    def queue(self) -> str:
        return f"{self.module}.{self.object}"


@value
class RemoteMethod:
    """A method of a neighbour. ``result`` is None where it returns only an error."""

    remote: Remote
    name: str
    inputs: tuple[GoType, ...]
    result: GoType | None

    def __str__(self) -> str:
        return f"{self.remote.module}.{self.name}"


REGISTRAR = Remote("registrar", ObjectId("registrar", "0.0.1"))
IDENTITYD = Remote("identityd", ObjectId("manager", "0.0.1"))
GATEWAY = Remote("api-gateway", ObjectId("api-gateway", "0.0.1"))
ZUI = Remote("zui", ObjectId("zui", "0.0.1"))

NODE_ID = RemoteMethod(REGISTRAR, "NodeID", (), UINT32)
TWIN_ID = RemoteMethod(REGISTRAR, "TwinID", (), UINT32)
FARM_ID = RemoteMethod(IDENTITYD, "FarmID", (), UINT32)
GET_POWER_TARGET = RemoteMethod(GATEWAY, "GetPowerTarget", (UINT32,), NODE_POWER)
GET_NODE = RemoteMethod(GATEWAY, "GetNode", (UINT32,), NODE)
GET_NODES = RemoteMethod(GATEWAY, "GetNodes", (UINT32,), Slice(UINT32))
GET_TIME = RemoteMethod(GATEWAY, "GetTime", (), TIME)
SET_NODE_POWER_STATE = RemoteMethod(GATEWAY, "SetNodePowerState", (BOOL,), HASH)
UPDATE_NODE_UPTIME = RemoteMethod(GATEWAY, "UpdateNodeUptimeV2", (UINT64, UINT64), HASH)
UPDATE_NODE_UPTIME_4 = RemoteMethod(GATEWAY, "UpdateNodeUptimeV2", (UINT64, INT64), None)
"""Zero-OS 4's method. A registrar gets the report, and calls a node offline after 40 minutes without one."""
PUSH_ERRORS = RemoteMethod(ZUI, "PushErrors", (STRING, Slice(STRING)), None)

CALLED = (
    NODE_ID,
    TWIN_ID,
    FARM_ID,
    GET_POWER_TARGET,
    GET_NODE,
    GET_NODES,
    GET_TIME,
    SET_NODE_POWER_STATE,
    UPDATE_NODE_UPTIME,
    PUSH_ERRORS,
)
"""All methods that powerd calls."""
