"""The child process that speaks: espeak-ng through ctypes, one utterance after the other.

A process of its own, because the library keeps its voice, its random numbers
and its clock in global state: only a fresh process says the same thing twice in
the same way. It is also GPL-3, and this keeps it at arm's length.

Standard input is JSON: a list of [voice, words per minute, pitch, text]. The
argument is a folder, in which `N.pcm` is the N-th utterance: signed 16-bit,
little-endian, mono, at `SAMPLE_RATE`.
"""

import ctypes
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import espeakng_loader

SAMPLE_RATE = 22_050
# From espeak-ng's speak_lib.h, whose interface has been stable since 2006.
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_POS_CHARACTER = 1
_CHARS_UTF8 = 1
_RATE, _PITCH = 1, 3
_SEED = 1
_Heard = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int16), ctypes.c_int, ctypes.c_void_p)


def main() -> None:
    """Say everything that standard input asks for."""
    folder = Path(sys.argv[1])
    for number, pcm in enumerate(_say(json.load(sys.stdin))):
        (folder / f"{number}.pcm").write_bytes(pcm)


def _say(utterances: Sequence[tuple[str, int, int, str]]) -> Iterable[bytes]:
    engine = ctypes.CDLL(espeakng_loader.get_library_path())
    data = espeakng_loader.get_data_path().encode()
    if engine.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data, _INITIALIZE_DONT_EXIT) != SAMPLE_RATE:
        raise SystemExit("espeak-ng does not start, or speaks at another rate")
    heard = bytearray()

    def hear(samples: "ctypes._Pointer[ctypes.c_int16]", count: int, _events: int) -> int:
        if samples and count > 0:
            heard.extend(ctypes.string_at(samples, 2 * count))
        return 0

    callback = _Heard(hear)  # kept alive as long as the engine may call it
    engine.espeak_SetSynthCallback(callback)
    engine.espeak_ng_SetRandSeed(ctypes.c_long(_SEED))
    for voice, words_per_minute, pitch, text in utterances:
        if engine.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SystemExit(f"espeak-ng has no voice {voice}")
        engine.espeak_SetParameter(_RATE, words_per_minute, 0)
        engine.espeak_SetParameter(_PITCH, pitch, 0)
        encoded = text.encode()
        size = ctypes.c_size_t(len(encoded) + 1)
        engine.espeak_Synth(encoded, size, 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None)
        engine.espeak_Synchronize()
        yield bytes(heard)
        heard.clear()


if __name__ == "__main__":
    main()
