"""How a recording comes in, or is quarantined with a reason a person understands."""
