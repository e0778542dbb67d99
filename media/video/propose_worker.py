"""The child process that searches footage. `propose` starts it and talks to it through `media.child`."""

import pickle
from pathlib import Path
from typing import Any

from media.child import OnProgress, answer_parent
from media.container import hush
from media.review.document import to_json
from media.video.extent import Extent
from media.video.proposal import proposal
from media.video.propose import Means, Wish
from media.video.views import Mount
from media.video.watch import Progress, Watch


def propose_job(request: dict[str, Any], bulk: bytes, report: OnProgress) -> dict[str, Any]:
    """The review document of one recording."""
    face, person, other = pickle.loads(bulk)  # noqa: S301 - our own parent made it
    work = None if request["work"] is None else Path(request["work"])
    means = Means(face, person, other, request["workers"], work)

    def on_progress(found: Progress) -> None:
        report(found.frames, found.total or 0)

    wish = Wish(Mount(request["mount"]), Extent(request["extent"]))
    document = proposal(Path(request["path"]), wish, means, Watch(on_progress=on_progress))
    return {"document": to_json(document)}


if __name__ == "__main__":
    hush()
    answer_parent(propose_job)
