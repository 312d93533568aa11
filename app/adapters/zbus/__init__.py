"""zbus (RPC over Redis lists): calls to Zero-OS' other daemons, and the server for calls to powerd."""
