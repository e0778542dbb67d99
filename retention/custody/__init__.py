"""The unbroken record of who holds what: check, reconcile, back up, restore."""
