"""Every benchmark runs, at a size that measures nothing, so that none of them rots."""

from pathlib import Path

import pytest

from tests.benchmarks.__main__ import NAMES, main
from tests.benchmarks.measure import FOLDER_VARIABLE


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_prints_its_table_with_method_and_machine(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    if name in ("redaction", "case"):
        for needed in ("shared_data", "models"):
            request.getfixturevalue(needed)
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    assert main([name, "--tiny", "--folder", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "Machine: " in printed
    assert "┃" in printed


def test_an_unknown_benchmark_is_refused_with_the_names_of_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["speed"]) == 2
    assert set(NAMES) <= set(capsys.readouterr().err.split())
