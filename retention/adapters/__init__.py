"""The vendors behind the ports. Only `bootstrap` and `wiring` choose among them."""
