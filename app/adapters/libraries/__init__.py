"""Libraries, imported without the parts that powerd never uses; and a time limit that works on every Python."""
