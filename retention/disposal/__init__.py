"""How a recording goes: planned, guarded, journalled, proved."""
