"""`python -m media propose`: search footage and write the document in which a person decides."""

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from media.files import write_whole
from media.review.document import ReviewDocument, to_json
from media.review.likeness import Likeness
from media.video.detect import choose
from media.video.extent import Extent
from media.video.propose import Means, Wish, propose
from media.video.views import Mount
from media.video.watch import Progress, Watch


def add_propose(commands: Any) -> None:
    """Add the command."""
    search = commands.add_parser("propose", help="find faces, people and movement, for a person to decide")
    search.add_argument("footage", type=Path)
    search.add_argument("document", type=Path, help="where the review document goes (JSON)")
    search.add_argument(
        "--mount", type=Mount, choices=list(Mount), default=Mount.UNKNOWN, help="how the camera hangs"
    )
    search.add_argument(
        "--any-angle", action="store_true", help="search every angle: the same as --mount any"
    )
    much = search.add_mutually_exclusive_group()
    for flag, extent, words in (
        ("--heads", Extent.HEAD, "heads, also from behind, not only faces"),
        ("--persons", Extent.PERSON, "whole persons, not only faces"),
    ):
        much.add_argument(
            flag, dest="extent", action="store_const", const=extent, default=Extent.FACE, help=words
        )
    search.add_argument(
        "--keep-face", type=Path, metavar="PHOTO", help="put tracks most like this face first"
    )
    search.add_argument("--detector", default="", metavar="NAME", help=choose.HELP)
    search.add_argument("--sha256", default="", metavar="HEX", help="of the detector's file")
    search.add_argument("--workers", type=int, default=0, metavar="N", help="threads (default: one a core)")
    search.add_argument(
        "--work",
        type=Path,
        metavar="DIR",
        help="keep what is found, so that running it again goes on (default: beside the document until it is written)",
    )
    search.add_argument(
        "--progress",
        action="store_true",
        help="print a line of JSON twice a second, for a program that waits",
    )
    search.set_defaults(command=_propose)


def _propose(options: argparse.Namespace) -> int:
    mount = Mount.ANY if options.any_angle else options.mount
    work = options.work or options.document.with_name(f".{options.document.name}.work")
    watch = Watch(on_progress=_print if options.progress else _show if sys.stderr.isatty() else _ignore)
    face = choose.face_detector(options.detector, options.sha256)
    means = Means(face=face, workers=options.workers, work=work)
    likeness = None if options.keep_face is None else Likeness(options.keep_face)
    document = propose(options.footage, Wish(mount, options.extent), means, watch)
    if likeness is not None:
        document = likeness.order(document)
    write_whole(options.document, to_json(document).encode())
    if options.work is None:
        shutil.rmtree(work)
    print(_as_text(document))
    return 0


def _ignore(_: Progress) -> None:
    """Nobody watches."""


def _print(progress: Progress) -> None:
    state = {"frames": progress.frames, "total": progress.total, "left_seconds": progress.left_seconds}
    print(json.dumps(state), flush=True)


def _show(progress: Progress) -> None:
    left = "" if progress.left_seconds is None else f", {progress.left_seconds:.0f} s left"
    of = "" if progress.total is None else f" of {progress.total}"
    print(f"\r{progress.frames}{of} frames{left}   ", end="", file=sys.stderr, flush=True)


def _as_text(document: ReviewDocument) -> str:
    lines = [
        f"track {track.id}: {track.reason}, frames {track.first} to {track.last}"
        + (f", confidence {track.confidence:.2f}" if track.confidence else "")
        + (f", distance to the photo {track.likeness:.2f}" if track.likeness is not None else "")
        for track in document.tracks
    ]
    lines += [f"gap {gap.id}: {gap.reason}, frames {gap.first} to {gap.last}" for gap in document.gaps]
    search = document.search
    if search is not None:
        fixed = "stands still" if search.is_camera_fixed else "moves"
        lines.append(f"heads: {', '.join(f'{angle}°' for angle in search.angles_deg)} ({search.angles_why})")
        lines.append(f"the camera {fixed} ({search.camera_why})")
    return "\n".join(lines)
