"""Stand-ins for the programs that powerd talks to on a Zero-OS node."""
