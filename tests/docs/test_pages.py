"""What stands in the pages can be read by the programs it is written for, and every link leads somewhere."""

import csv
import io
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from retention.ingest.manifest import parse_manifest
from retention.settings import Settings
from tests.docs.pages import ROOT, Block, all_blocks, blocks, pages, text_of, without_blocks

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
IMAGE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)
#: Hosts of this kind stand in a page only where they cannot lead anywhere (RFC 2606, RFC 6761).
EXAMPLE_HOST = re.compile(r"(^|\.)(example|test|invalid|localhost)(\.|$)|^127\.")


def _id(block: Block) -> str:
    return block.place


@pytest.mark.parametrize("block", all_blocks("json"), ids=_id)
def test_every_json_block_loads(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", all_blocks("yaml"), ids=_id)
def test_every_yaml_block_loads(block: Block) -> None:
    assert yaml.safe_load(block.text) is not None


@pytest.mark.parametrize("block", all_blocks("toml"), ids=_id)
def test_every_toml_block_holds_settings_that_exist(block: Block) -> None:
    Settings.model_validate(tomllib.loads(block.text))


@pytest.mark.parametrize("block", all_blocks("csv"), ids=_id)
def test_every_csv_block_has_as_many_fields_in_each_line(block: Block) -> None:
    rows = list(csv.reader(io.StringIO(block.text), strict=True))
    assert len({len(row) for row in rows}) == 1


def test_the_readmes_manifests_are_taken_as_they_stand() -> None:
    """The JSON and the CSV example say the same about the same file."""
    manifests = [block for block in blocks("README.md", "json", "csv") if "native_id" in block.text]
    assert [block.language for block in manifests] == ["json", "csv"]
    (as_json,), (as_csv,) = (
        parse_manifest(block.text.encode(), f"manifest.{block.language}", is_csv=block.language == "csv")
        for block in manifests
    )
    assert as_csv.participants == as_json.participants
    for name in ("file", "native_id", "started_at", "purposes", "tags"):
        assert getattr(as_csv, name) == getattr(as_json, name), name


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the forges make them."""
    titles = HEADING.findall(without_blocks((ROOT / page).read_text(encoding="utf-8")))
    plain = (re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", title) for title in titles)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in plain}


@pytest.mark.parametrize("page", pages(), ids=str)
def test_every_internal_link_leads_somewhere(page: Path) -> None:
    prose = without_blocks(text_of(page))
    for target in (*LINK.findall(prose), *IMAGE.findall(prose)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        found = ((ROOT / page).parent / file).resolve() if file else ROOT / page
        assert found.exists(), f"{page} links to {target}, which does not exist"
        if anchor:
            assert anchor in _anchors(found), f"{page} links to {target}, which has no such heading"


@pytest.mark.parametrize("page", pages(), ids=str)
def test_an_example_never_names_a_host_that_somebody_may_own(page: Path) -> None:
    for block in blocks(page):
        for host in re.findall(r"[a-z0-9+]+://(?:[^@/\s]+@)?([A-Za-z0-9.-]+)", block.text):
            assert EXAMPLE_HOST.search(host) or "." not in host, f"{block.place} names {host}"


@pytest.mark.parametrize("page", pages(), ids=str)
def test_a_page_has_one_title(page: Path) -> None:
    titles = re.findall(r"^# .+$", without_blocks(text_of(page)), re.MULTILINE)
    assert len(titles) == 1
