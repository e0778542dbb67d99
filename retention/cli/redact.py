"""retention redact: a copy of a file in which nobody shows, or is heard, who should not. Needs no store."""

import typer

from retention.cli.redact_picture import picture
from retention.cli.redact_review import review
from retention.cli.redact_sound import audio, suggest
from retention.cli.redact_video import video
from retention.cli.shared import EPILOG

app = typer.Typer(
    help="Redact a copy of a file: faces in footage, words in calls. Needs no store.", no_args_is_help=True
)
for command in (video, review, audio, suggest, picture):
    app.command(epilog=EPILOG)(command)
