"""Giving a recording to somebody who is not the person: on what basis, to whom, on record; and its stop."""
