"""Commands of the host, and calls that may hang, for every adapter that makes one."""
