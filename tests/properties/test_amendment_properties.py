"""A change of the schedule, compared with a brute-force oracle that looks at every recording.

The preview must agree exactly; and when the change has been applied, so must
the catalogue: every membership, every count, every wrap.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from retention.amendment.apply import foretold
from retention.amendment.plan import assess, propose
from retention.amendment.routes import Routes
from tests.builders.archive import Archive
from tests.builders.chance import changed_policy, fill, random_policy
from tests.builders.oracle import Known, change, check_catalogue, expected, known_recordings, told
from tests.builders.schedules import FILE, Policy

SEEDS = st.integers(0, 2**32)


@contextmanager
def an_archive(chance: Random, policy: Policy) -> Iterator[Archive]:
    """A random archive under a policy; some of its purposes may have ended already."""
    with TemporaryDirectory() as folder:
        archive = Archive(Path(folder), policy)
        fill(chance, archive, policy, recordings=chance.randint(1, 30))
        if chance.random() < 1 / 2:
            archive.expire(archive.clock.now().date() - timedelta(days=chance.randint(0, 30)))
        yield archive
        archive.close()


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_preview_and_application_agree_with_a_brute_force_oracle(seed: int) -> None:
    """Due now, per class, site and day; held, moved, unclassified; then every membership, count and wrap."""
    chance = Random(seed)
    policy = random_policy(chance)
    with an_archive(chance, policy) as archive:
        before: dict[str, Known] = {}
        for _ in range(2):
            old, policy = policy.schedule, changed_policy(chance, policy)
            new, now = policy.schedule, archive.clock.now()
            known = known_recordings(archive, old, before)
            keys_before = set(archive.keys.keys)
            impact, rewrapped = change(archive, policy)
            assert told(impact) == expected(known, old, new, now)
            assert rewrapped == impact["rewraps"]
            assert keys_before <= set(archive.keys.keys), "a change destroys no key"
            check_catalogue(archive, known, new)
            for one in known.values():
                one.reasons = one.after(new)
            before = known


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(0, 400))
def test_a_plan_foretells_what_would_be_due_on_any_later_day(seed: int, days: int) -> None:
    """The number that a stale plan is measured by is exact, as long as nothing comes in and nothing goes."""
    chance = Random(seed)
    policy = random_policy(chance)
    other = changed_policy(chance, policy)
    with an_archive(chance, policy) as archive, archive.database.read() as session:
        impact = propose(session, other.text, FILE, archive.clock.now()).impact
        archive.clock.move(days=days)
        later, _ = assess(session, Routes(policy.schedule, other.schedule), archive.clock.now())
        assert foretold(impact, archive.clock.now()) == later.due_now.recordings
