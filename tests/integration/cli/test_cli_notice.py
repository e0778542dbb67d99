"""`retention notice render`: the pages it writes, and what it refuses."""

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Shell


def test_the_pages_of_a_store_are_written_for_everybody_to_read(shell: Shell, tmp_path: Path) -> None:
    out = tmp_path / "public" / "notice"
    answer = shell.json("notice", "render", "--out", str(out))
    assert answer.code == 0
    assert answer.value == [
        {"file": "notice.ja.html", "language": "ja", "version": 1},
        {"file": "notice.en.html", "language": "en", "version": 1},
    ]
    assert sorted(each.name for each in out.iterdir()) == ["notice.en.html", "notice.ja.html"]
    for file in out.iterdir():
        assert file.stat().st_mode & 0o777 == 0o644
    assert "音声アナウンス（ivr-3）" in (out / "notice.ja.html").read_text(encoding="utf-8")


def test_rendering_twice_gives_the_same_bytes(shell: Shell, tmp_path: Path) -> None:
    assert shell("notice", "render", "--out", str(tmp_path)).code == 0
    first = (tmp_path / "notice.ja.html").read_bytes()
    assert shell("notice", "render", "--out", str(tmp_path)).code == 0
    assert (tmp_path / "notice.ja.html").read_bytes() == first


def test_one_language_is_one_page(shell: Shell, tmp_path: Path) -> None:
    assert shell("notice", "render", "--out", str(tmp_path), "--language", "en").code == 0
    assert [each.name for each in tmp_path.glob("*.html")] == ["notice.en.html"]
    assert "notice.ja.html" not in (tmp_path / "notice.en.html").read_text(encoding="utf-8")


def test_words_of_ones_own_are_read_from_a_file(shell: Shell, tmp_path: Path) -> None:
    shipped = Path("policies/notices/appi.yaml").read_text(encoding="utf-8")
    own = tmp_path / "own.yaml"
    own.write_text(shipped.replace("Earlier versions", "Former versions"), encoding="utf-8")
    line = ("notice", "render", "--out", str(tmp_path), "--language", "en", "--words", str(own))
    assert shell(*line).code == 0
    assert "Former versions" in (tmp_path / "notice.en.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--language", "fr"), "there is no page in `fr`"),
        (("--words", "missing.yaml"), "cannot be read"),
        (("--words", "pyproject.toml"), "Nothing was written"),
    ],
)
def test_a_refusal_writes_nothing(shell: Shell, tmp_path: Path, more: tuple[str, ...], message: str) -> None:
    out = tmp_path / "out"
    answer = shell("notice", "render", "--out", str(out), *more)
    assert answer.code
    assert message in answer.err
    assert not out.exists()


def test_a_folder_that_cannot_be_made_is_named(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    answer = shell("notice", "render", "--out", str(tmp_path / "file" / "out"))
    assert "cannot be made" in answer.err
