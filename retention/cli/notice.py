"""retention notice: the public page about what is in force."""

from pathlib import Path
from typing import Annotated

import typer

from retention.cli.shared import EPILOG, amount, say, show, store, table, whole_file
from retention.kernel.errors import InvalidInput

app = typer.Typer(help="The public notice, from what is in force.", no_args_is_help=True)
READABLE = 0o644  #: everybody may read what is published, such as the web server


def add_to(root: typer.Typer) -> None:
    """Hang the noun into the tree."""
    root.add_typer(app, name="notice", epilog=EPILOG)


@app.callback()
def _notice() -> None:
    pass


@app.command("render", epilog=EPILOG)
def render_(
    out: Annotated[Path, typer.Option(help="The folder for the pages; made where it is missing.")],
    language: Annotated[
        list[str] | None, typer.Option(help="Of the pages; repeatable. All of the policy's by default.")
    ] = None,
    words: Annotated[
        Path | None, typer.Option(help="Words of your own, in the form of policies/notices.")
    ] = None,
) -> None:
    """Write the public notice: a page for each language, and one for each earlier version."""
    from retention.notice.gather import gather  # noqa: PLC0415 - other commands load no templates
    from retention.notice.packs import read_words  # noqa: PLC0415 - as above
    from retention.notice.render import render  # noqa: PLC0415 - as above

    own = read_words(words) if words else None
    with store() as opened, opened.database.read() as session:
        state = gather(session)
    pages = list(render(state, language or (), own))
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"{out} cannot be made: {error.strerror}") from error
    for page in reversed(pages):  # the page in force comes last: what it links to is there
        with whole_file(out / page.name) as file:
            file.write(page.content)
        (out / page.name).chmod(READABLE)
    show(
        [{"file": page.name, "language": page.language, "version": page.version} for page in pages],
        table("", ["file", "language", ">version"], [(p.name, p.language, str(p.version)) for p in pages]),
    )
    say(f"{amount(len(pages), 'page')} in {out}. They load nothing; any web server can show them.")
