"""The vendors behind the ports. Only bootstrap picks one."""
