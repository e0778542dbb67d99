"""How an inspection worker answers its parent.

    uint8 outcome · uint32 size of text · uint32 of thumbnail · uint32 of peaks
    then the three, in this order

all big-endian. The parent bounds every size before it reads: by then the
worker has read a stranger's bytes and may no longer be itself.
"""

import struct
from enum import IntEnum

HEAD = struct.Struct(">BIII")
MAX_SIZES = (256 * 1024, 2 * 1024**2, 2 * 1024**2)  #: of text, thumbnail and peaks, in bytes


class Outcome(IntEnum):
    """What an answer means."""

    READY = 1  #: sent once, when everything is imported
    INSPECTED = 2  #: the text is the inspection as JSON
    UNREADABLE = 3  #: the text is the reason
    UNSUPPORTED = 4  #: the text is the reason; the codec is unknown here
    OUT_OF_MEMORY = 5


def pack_answer(
    outcome: Outcome, text: bytes = b"", thumbnail: bytes | None = None, peaks: bytes | None = None
) -> bytes:
    """One whole answer."""
    parts = text, thumbnail or b"", peaks or b""
    return HEAD.pack(outcome, *(len(part) for part in parts)) + b"".join(parts)
