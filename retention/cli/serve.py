"""retention serve and bell: run by itself."""

import logging
import signal
from types import FrameType

import typer

from retention.cli.shared import EPILOG, say, store
from retention.workers.bell import night_of
from retention.workers.bell import serve as ring_for_ever


def add_to(root: typer.Typer) -> None:
    """Hang the commands into the tree."""
    root.command("serve", epilog=EPILOG)(serve)


def serve() -> None:
    """Run the store by itself: the nightly disposal, the daily signed root, alarms in the log."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    signal.signal(signal.SIGTERM, _stop)
    with store() as opened:
        night = night_of(opened)
        try:
            ring_for_ever(
                opened,
                lambda: say(
                    f"Serving {opened.home}: a night every day at {night.at:%H:%M} {night.zone}. Stop with Ctrl-C."
                ),
            )
        except (KeyboardInterrupt, SystemExit):
            say("Stopped. A run that was interrupted is finished when it is started again.")


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """What systemd and Docker send means what Ctrl-C means."""
    raise KeyboardInterrupt
