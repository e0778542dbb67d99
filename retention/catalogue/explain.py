"""Why a recording is kept, until when, and what stands in the way: the chain of rules in words."""

from datetime import datetime

from retention.catalogue.find import Recording
from retention.kernel.clock import local_date
from retention.schedule.evaluate import Decision, Membership, evaluate
from retention.schedule.model import Schedule


def explain(schedule: Schedule, recording: Recording, now: datetime) -> Decision:
    """The schedule's decision about a recording that is kept, with its reasons in order."""
    memberships = [
        Membership(reason.purpose, reason.class_name, reason.zone, reason.trigger_on)
        for reason in recording.reasons
    ]
    assert recording.place is not None
    return evaluate(
        schedule,
        memberships,
        recording.hold_ids,
        now,
        local_date(recording.ended_at, recording.place.zone),
        recording.place,
    )
