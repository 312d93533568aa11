"""What each check does, by the part of the node that it looks at."""
