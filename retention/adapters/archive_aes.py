"""Write a package into a ZIP archive that a passphrase opens: AES-256 as WinZip has it (AE-2), known to every common unzip.

Names of files stand in it in the clear, and say nothing about anybody. The key
is made by PBKDF2 with 1,000 rounds, as the format wants it: only a long random passphrase protects.
"""

import hashlib
from shutil import copyfileobj
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

import pyzipper
from pyzipper.zipfile_aes import WZ_AES_V2

from retention.kernel.errors import FixityMismatch

READ_BYTES = 1 << 20
#: Written in place of the time.
NO_TIME = (1980, 1, 1, 0, 0, 0)


def encrypt_archive(package: BinaryIO, file: BinaryIO, passphrase: str) -> None:
    """Write the files of `package` into `file`, encrypted, and read them back.

    Raises:
        FixityMismatch: What was written is not what was read.
    """
    with ZipFile(package) as plain:
        with pyzipper.AESZipFile(file, "w") as sealed:
            sealed.setpassword(passphrase.encode())
            sealed.setencryption(pyzipper.WZ_AES, nbits=256, force_wz_aes_version=WZ_AES_V2)
            for each in plain.infolist():
                # A time of now would tell when it was made; what is recorded is compressed already.
                info = sealed.zipinfo_cls(each.filename, NO_TIME)
                info.compress_type, info.file_size = pyzipper.ZIP_STORED, each.file_size
                with plain.open(each) as source, sealed.open(info, "w") as target:
                    copyfileobj(source, target, READ_BYTES)
        _check(plain, file, passphrase)


def _check(plain: ZipFile, file: BinaryIO, passphrase: str) -> None:
    file.seek(0)
    try:
        with pyzipper.AESZipFile(file) as sealed:
            sealed.setpassword(passphrase.encode())
            is_whole = all(
                _digest(plain, each) == _digest(sealed, each.filename) for each in plain.infolist()
            )
    except (BadZipFile, pyzipper.BadZipFile) as error:
        raise FixityMismatch(f"the archive could not be read back: {error}") from error
    if not is_whole:
        raise FixityMismatch("the archive that was read back is not the package that was put into it")


def _digest(archive: ZipFile, name: str | ZipInfo) -> bytes:
    found = hashlib.sha256()
    with archive.open(name) as file:
        while chunk := file.read(READ_BYTES):
            found.update(chunk)
    return found.digest()
