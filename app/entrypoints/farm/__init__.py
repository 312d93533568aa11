"""The farmer's commands, ``powerd farm …``: show the farm's nodes, and set their power targets."""
