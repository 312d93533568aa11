"""Libraries, imported without the parts that powerd never uses."""
