"""``powerd farm minting``: what the grid credits a farm's nodes, and why."""
