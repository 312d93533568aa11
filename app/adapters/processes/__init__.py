"""Commands of the host, for whichever adapter needs to run one."""
