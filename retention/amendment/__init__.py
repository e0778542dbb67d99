"""Changing the schedule in force: plan, approve, wait, apply.

    model     where a reason to keep stands; what a change amounts to; how far a plan is
    routes    where every reason goes under the new schedule (pure)
    impact    what becomes due when, before and after (pure)
    compare   which classes, purposes and notices differ, and what contradicts what (pure)
    archive   lots and cohorts, read for the three above
    plan      make a plan and keep it; approve and cancel it
    apply     put an approved plan in force, refused when it is stale
    move      bring reasons to where they belong now, batch by batch
    alarms    what the schedule in force does not provide for
    packs     the policies that ship with us

A change destroys nothing: no key, no row of a recording, no byte. What it makes
due goes the next night, under the night's guards.
"""
