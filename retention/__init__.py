"""Keep recordings of people exactly as long as promised; let them go provably.

The rooms, in the order in which a recording passes through them:

    kernel      the words every room uses: errors, clock, identifiers, canonical JSON
    settings    one frozen Settings from defaults, file and environment
    database    one engine, one way to hold a transaction, append-only triggers
    audit       what was done, by whom, chained; the trail may never be lost
    schedule    pure: what a retention policy says about a recording and a cohort
    catalogue   what we hold, why, and in which state
    vault       sealed bytes and their keys
    holds       what suspends disposal
    ingest      how a recording comes in, or is quarantined with a reason
    disposal    how it goes, with proof
    custody     the unbroken record: check, reconcile, back up, restore
    adapters    the vendors behind the ports; chosen in bootstrap alone
"""

__version__ = "0.1.0"
