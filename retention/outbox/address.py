"""Where the public app listens, and what the public calls it. Pure but for a look whether files are there."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from retention.kernel.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen, and what the public calls it."""

    host: str
    port: int
    base_url: str = ""  #: as it stands in links, such as https://answers.example.jp
    certificate: Path | None = None
    private_key: Path | None = None

    @property
    def hosts(self) -> list[str]:
        """The host names that are answered to."""
        named = urlsplit(self.base_url).hostname if self.base_url else None
        return [named] if named else ["localhost", "127.0.0.1", "[::1]"]

    @property
    def is_secure(self) -> bool:
        """Whether the public comes over TLS."""
        return self.certificate is not None or self.base_url.startswith("https:")


def check_base_url(url: str) -> str:
    """An address that links may begin with, without a slash at its end.

    Raises:
        InvalidInput: It is none, or the public would come without TLS.
    """
    parts = urlsplit(url)
    local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise InvalidInput(
            f"{url!r} is no address that links may begin with", hint="Give https://HOST[:PORT]."
        )
    if parts.scheme == "http" and not local:
        raise InvalidInput("links to the public need https", hint="Give https://HOST[:PORT].")
    return url.rstrip("/")


def check(address: Address) -> None:
    """Refuse to listen where everybody could read along.

    Raises:
        InvalidInput: The host is a public one and there is no certificate, or a file is missing.
    """
    if address.base_url:
        check_base_url(address.base_url)
    if (address.certificate is None) is not (address.private_key is None):
        raise InvalidInput("a certificate and its private key come together", hint="Give both, or neither.")
    for file in (address.certificate, address.private_key):
        if file is not None and not file.is_file():
            raise InvalidInput(f"{file} is not there", hint="Name a file in PEM.")
    if address.certificate is None and not _is_loopback(address.host):
        raise InvalidInput(
            f"without TLS only this machine is listened to, not {address.host}",
            hint="Give --certificate and --private-key, or listen on 127.0.0.1 behind a proxy that speaks TLS.",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
