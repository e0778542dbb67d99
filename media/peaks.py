"""Waveform peaks: the smallest and largest sample of each short stretch, per channel.

The form is the binary "data" format, version 2, of the BBC's audiowaveform
(its doc/DataFormat.md), which peaks.js and wavesurfer's tools read:

    int32 version = 2 · uint32 flags = 1 (8 bits) · int32 sample rate
    int32 samples per bucket · uint32 buckets · int32 channels
    then for each bucket, for each channel: int8 smallest, int8 largest

all little-endian. A bucket is a twentieth of a second; a recording of more than
`MAX_BUCKETS` buckets has its neighbours merged until it fits, so memory is
constant however long it lasts and whatever its header claims.
"""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BUCKETS_PER_SECOND = 20
MAX_BUCKETS = 20_000  #: even, so that merging pairs leaves none over
MAX_CHANNELS = 32
_HEADER = struct.Struct("<iIiiIi")
_VERSION = 2
_EIGHT_BIT = 1
_BATCH_SAMPLES = 65_536  #: numpy's overhead per call vanishes; 0.5 MiB for a stereo float

Samples = NDArray[Any]  #: (channels, samples): uint8, int16, int32 or a float of nominal range -1 to 1


class PeaksBuilder:
    """Collects peaks from blocks of samples. All blocks have the first one's type and channels."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._sample_rate = sample_rate
        self._samples_per_bucket = max(1, sample_rate // BUCKETS_PER_SECOND)
        self._buckets = np.zeros((MAX_BUCKETS, channels, 2), np.int8)
        self._count = 0
        self._waiting: list[Samples] = []
        self._waiting_samples = 0

    def add(self, block: Samples) -> None:
        """Take in the next samples."""
        self._waiting.append(block)
        self._waiting_samples += block.shape[1]
        if self._waiting_samples >= max(_BATCH_SAMPLES, self._samples_per_bucket):
            self._reduce()

    def finish(self) -> bytes:
        """The peaks of all that was added; the last bucket may be a short one."""
        if self._waiting:
            self._reduce()
        if self._waiting_samples:
            self._store(self._waiting[0], 1)
        channels = self._buckets.shape[1]
        header = _HEADER.pack(
            _VERSION, _EIGHT_BIT, self._sample_rate, self._samples_per_bucket, self._count, channels
        )
        return header + self._buckets[: self._count].tobytes()

    def _reduce(self) -> None:
        # Decoders interleave channels; numpy finds extremes forty times as fast where a channel lies in one piece.
        rest = np.ascontiguousarray(np.concatenate(self._waiting, axis=1))
        while full := min(rest.shape[1] // self._samples_per_bucket, MAX_BUCKETS - self._count):
            taken = full * self._samples_per_bucket
            self._store(rest[:, :taken], full)
            rest = rest[:, taken:]
            if self._count == MAX_BUCKETS:
                self._merge_neighbours()
        self._waiting = [rest.copy()]
        self._waiting_samples = rest.shape[1]

    def _store(self, samples: Samples, buckets: int) -> None:
        split = samples.reshape(samples.shape[0], buckets, -1)
        place = self._buckets[self._count : self._count + buckets]
        place[:, :, 0] = _to_int8(split.min(axis=2)).T
        place[:, :, 1] = _to_int8(split.max(axis=2)).T
        self._count += buckets

    def _merge_neighbours(self) -> None:
        pairs = self._buckets.reshape(MAX_BUCKETS // 2, 2, -1, 2)
        merged = np.stack([pairs[..., 0].min(axis=1), pairs[..., 1].max(axis=1)], axis=-1)
        self._count = MAX_BUCKETS // 2
        self._buckets[: self._count] = merged
        self._samples_per_bucket *= 2


def _to_int8(values: Samples) -> NDArray[np.int8]:
    if values.dtype == np.uint8:
        return (values.astype(np.int16) - 128).astype(np.int8)
    if values.dtype.kind == "i":
        return (values >> (8 * values.dtype.itemsize - 8)).astype(np.int8)
    within = np.clip(np.nan_to_num(values, nan=0.0), -1, 1)
    return np.asarray(np.minimum(np.floor(within * 128), 127), np.int8)


@dataclass(frozen=True, slots=True)
class Peaks:
    """Peaks as read back from their binary form."""

    sample_rate: int
    samples_per_bucket: int
    values: NDArray[np.int8]  #: (buckets, channels, 2): smallest, largest


def read_peaks(data: bytes) -> Peaks:
    """Read the binary form.

    Raises:
        ValueError: It is not this form, or not whole.
    """
    if len(data) < _HEADER.size:
        raise ValueError("peaks are shorter than their header")
    version, flags, sample_rate, samples_per_bucket, count, channels = _HEADER.unpack_from(data)
    if (version, flags) != (_VERSION, _EIGHT_BIT) or not 1 <= channels <= MAX_CHANNELS:
        raise ValueError("not 8-bit peaks of version 2")
    if len(data) != _HEADER.size + 2 * count * channels:
        raise ValueError("peaks are not whole")
    values = np.frombuffer(data, np.int8, offset=_HEADER.size).reshape(count, channels, 2)
    return Peaks(sample_rate, samples_per_bucket, values)
