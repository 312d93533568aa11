"""``powerd check``: what a node needs, tried for real before it is trusted with its own power switch."""
