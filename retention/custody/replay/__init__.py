"""Bring a loaded backup up to date with what the journal knows happened since.

    journal     read the journal through, then entry by entry
    context     what every replayed entry may look at and add to
    holds       holds placed and lifted
    disposals   runs: cohorts that expired, recordings that were certified as gone
    requests    requests filed or closed since
    corrections particulars that were corrected
    deliveries  answers that arrived
    provisions  what was handed over to others, stops of provision, entrustees
    catalogue   schedules, sources, the do-not-record list, recordings that changed cohort
    spans       spans that were destroyed in an original

The journal is read from its beginning, and what the backup knows already is
passed over, so replaying twice changes nothing. Only rows change here: keys
that must stay dead are named in the outcome, and bytes of what was disposed of
are found by its rows; both are the caller's to destroy.

A restored store may know one hold too many, never one too few: a hold whose
placing was told and perhaps never committed is placed.
"""
