"""How a caller says what a headerless telephone recording is.

Such a file holds samples and nothing else, so its format cannot be recognised:
somebody who knows the recorder has to say it, as "gsm" or "mulaw 8000 1ch".
"""

import re

RAW_FORMATS = ("gsm", "g722", "g729", "mulaw", "alaw", "s16le")  #: also FFmpeg's names
RAW_FORMAT_HELP = 'one of gsm, g722, g729, or mulaw, alaw, s16le with rate and channels: "mulaw 8000 1ch"'
_FREE_RATE = frozenset({"mulaw", "alaw", "s16le"})
#: How files begin that are no bare samples: no sound forms these by chance.
_CERTAIN_HEADERS = (
    *((0, b"RIFF"), (0, b"RF64"), (0, b"OggS"), (0, b"fLaC")),
    *((4, b"ftyp"), (0, b"\x1a\x45\xdf\xa3")),
)
HEADER_BYTES = 16  #: of a file, to know whether it has one
_HINT = re.compile(r"(?P<name>\w+)( (?P<rate>\d{4,6}))?( (?P<channels>[1-8])ch)?")


def parse_raw_format(text: str) -> tuple[str, dict[str, str]]:
    """FFmpeg's demuxer and its options. Rate and channels are 8000 and 1 where the hint does not say.

    Raises:
        ValueError: The hint is none that is known.
    """
    found = _HINT.fullmatch(" ".join(text.lower().split()))
    if found is None or found["name"] not in RAW_FORMATS:
        raise ValueError(f"unknown raw format {text!r}: say {RAW_FORMAT_HELP}")
    if found["name"] in _FREE_RATE:
        channels = int(found["channels"] or 1)
        layout = {1: "mono", 2: "stereo"}.get(channels, f"{channels}c")
        return found["name"], {"sample_rate": found["rate"] or "8000", "ch_layout": layout}
    if found["rate"] or found["channels"]:
        raise ValueError(f"{found['name']} has a fixed rate and one channel: leave them out of {text!r}")
    return found["name"], {}


def has_certain_header(start: bytes) -> bool:
    """Whether a file that begins so has a header of its own, whatever a hint says."""
    return any(start.startswith(magic, at) for at, magic in _CERTAIN_HEADERS)
