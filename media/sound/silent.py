"""Packets that say nothing, as long as the packets they replace.

Opus (RFC 6716): a CELT frame whose silence flag is set, `ff fe`. AAC-LC
(ISO/IEC 14496-3, 4.4.2.1): a raw data block whose channels have no band at
all. Neither depends on what was said before, and both decode to exact zeros as
soon as the decoder's overlap with the packet before has passed.
"""

from collections.abc import Iterable

OPUS_RATE = 48_000
_CELT_FULL_BAND = 28
_CELT_FROM = 16  #: configurations of 16 and more are CELT alone
_CELT_SILENCE = b"\xff\xfe"
_SILK_SAMPLES = (480, 960, 1920, 2880)
_MAX_OPUS_SAMPLES = 5760  #: 120 ms
_AAC_LC = 2
_EXPLICIT_RATE = 15
_SCE, _CPE, _END = 0, 1, 7


def opus_frames(packet: bytes) -> tuple[int, int]:
    """How many frames a packet holds, and the samples of each, at 48 kHz.

    Raises:
        ValueError: It is no Opus packet.
    """
    if not packet:
        raise ValueError("an empty Opus packet")
    config, code = packet[0] >> 3, packet[0] & 3
    if config >= _CELT_FROM:
        samples = 120 << (config & 3)
    elif config >= 12:
        samples = 480 << (config & 1)
    else:
        samples = _SILK_SAMPLES[config & 3]
    if code == 3 and len(packet) < 2:
        raise ValueError("an Opus packet without its frame count")
    frames = (1, 2, 2)[code] if code < 3 else packet[1] & 0x3F
    if not 0 < frames * samples <= _MAX_OPUS_SAMPLES:
        raise ValueError(f"an Opus packet of {frames * samples} samples")
    return frames, samples


def opus_silence(packet: bytes) -> bytes:
    """A silent packet as long as `packet`. CELT keeps its band, so that the decoder changes as little as it can."""
    frames, samples = opus_frames(packet)
    config, stereo = packet[0] >> 3, packet[0] & 4
    if samples > 960:  # CELT frames last 20 ms at most
        frames, samples = frames * samples // 960, 960
    if config < _CELT_FROM:
        config = _CELT_FULL_BAND + {120: 0, 240: 1, 480: 2, 960: 3}[samples]
    head = config << 3 | stereo
    if frames == 1:
        return bytes([head]) + _CELT_SILENCE
    return bytes([head | 3, frames]) + _CELT_SILENCE * frames


def aac_silence(audio_config: bytes) -> bytes | None:
    """A silent raw data block; None where the AudioSpecificConfig is not plain AAC-LC of one or two channels."""
    channels = _aac_channels(audio_config)
    if channels is None:
        return None
    ics = [(0, 1), (0, 2), (0, 1), (0, 6), (0, 1)]  # long window, sine, no band, no prediction
    nothing = [(0, 1), (0, 1), (0, 1)]  # no pulse, no noise shaping, no gain control
    if channels == 1:
        element = [(_SCE, 3), (0, 4), (0, 8), *ics, *nothing]
    else:
        element = [(_CPE, 3), (0, 4), (1, 1), *ics, (0, 2), *((0, 8), *nothing) * 2]
    return _pack([*element, (_END, 3)])


def adts_silence(packet: bytes) -> bytes | None:
    """As `aac_silence`, for a packet that carries an ADTS header; None where there is no plain one."""
    if len(packet) < 7 or packet[0] != 0xFF or packet[1] & 0xF6 != 0xF0 or packet[6] & 3:
        return None
    profile, rate, channels = packet[2] >> 6, packet[2] >> 2 & 15, (packet[2] & 1) << 2 | packet[3] >> 6
    block = aac_silence(_pack((((profile + 1), 5), (rate, 4), (channels, 4), (0, 3))))
    if block is None:
        return None
    length = 7 + len(block)
    fixed = bytes([0xFF, packet[1] | 1, packet[2], (packet[3] & 0xFC) | length >> 11])
    return fixed + bytes([length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC]) + block


def _aac_channels(audio_config: bytes) -> int | None:
    bits = "".join(f"{byte:08b}" for byte in audio_config[:8])
    if len(bits) < 16 or int(bits[:5], 2) != _AAC_LC:
        return None
    at = 9 + (24 if int(bits[5:9], 2) == _EXPLICIT_RATE else 0)
    rest = bits[at : at + 7]
    if len(rest) < 7 or "1" in rest[4:]:  # 960-sample frames, a core coder, an extension
        return None
    channels = int(rest[:4], 2)
    return channels if channels in {1, 2} else None


def _pack(fields: Iterable[tuple[int, int]]) -> bytes:
    """Bytes of (value, bits), padded with zeros."""
    bits = "".join(f"{value:0{width}b}" for value, width in fields)
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
