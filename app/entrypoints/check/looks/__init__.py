"""The checks, by the part of the node that they look at."""
