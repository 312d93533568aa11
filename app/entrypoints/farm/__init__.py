"""The farmer's commands, ``powerd farm …``: see the farm's nodes, and set their power targets."""
