"""What the code can say of itself stands in the pages, as the code says it now."""

from pathlib import Path

import pytest

from tests.docs.generate import GENERATED, help_of, marked_blocks, rewritten
from tests.docs.pages import pages, text_of

REMEDY = "run `python -m tests.docs.generate`"


@pytest.mark.parametrize("page", pages(), ids=str)
def test_no_marked_block_is_out_of_date(page: Path) -> None:
    text = text_of(page)
    assert text == rewritten(text), f"{page} is out of date: {REMEDY}"


def test_everything_that_is_generated_stands_on_some_page() -> None:
    placed = {name for page in pages() for name in marked_blocks(text_of(page))}
    assert placed == set(GENERATED)


def test_every_mark_is_closed() -> None:
    for page in pages():
        text = text_of(page)
        assert text.count("<!-- generated: ") == len(marked_blocks(text)) == text.count("<!-- end: "), page


def test_a_page_that_says_something_else_is_rewritten() -> None:
    page = "before\n<!-- generated: settings -->\nsomething else\n<!-- end: settings -->\nafter\n"
    assert (
        rewritten(page)
        == f"before\n<!-- generated: settings -->\n\n{GENERATED['settings']()}\n<!-- end: settings -->\nafter\n"
    )


def test_a_command_is_described_in_the_words_of_its_help() -> None:
    said = help_of("retention disposal reset")
    assert "Two different people must." in said
    assert "--help" not in said
