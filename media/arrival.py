"""Read what an inspection worker sends, as somebody who does not trust it.

By then the worker has read a stranger's bytes: every value is validated and
every text is cleaned again. Only the parent needs this, so that a worker starts
without the validator, which would take it as long as all its decoders.
"""

from dataclasses import replace

from pydantic import TypeAdapter

from media.inspection import Inspection, printable

_INSPECTION = TypeAdapter(Inspection)


def from_json(text: bytes) -> Inspection:
    """The inspection that `inspection.to_json` wrote.

    Raises:
        ValueError: It did not.
    """
    found = _INSPECTION.validate_json(text)
    return replace(
        found,
        container=printable(found.container),
        streams=tuple(replace(stream, codec=printable(stream.codec)) for stream in found.streams),
        started_at_text=None if found.started_at_text is None else printable(found.started_at_text),
        warnings=tuple(printable(warning) for warning in found.warnings),
    )
