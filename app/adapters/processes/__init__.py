"""Commands of the host, for every adapter that runs one."""
