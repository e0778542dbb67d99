"""The known answers of packages and links: written down apart from the code, and kept for good."""

import base64
import hashlib
import io
import json
import tempfile
from functools import partial
from typing import Any

import pytest

from retention.disclosure.archive import archive, part_of, text_part
from retention.disclosure.manifest import redaction, signed
from retention.disposal import verifier
from retention.outbox.link import id_of, open_content, read_head, token_of
from retention.outbox.passphrase import as_meant
from tests.builders.packages import signer
from tests.docs.pages import ROOT

KNOWN = json.loads((ROOT / "tests/vectors/package.json").read_text(encoding="utf-8"))
LINK = KNOWN["link"]
PUBLIC_KEY = bytes.fromhex(KNOWN["public_key"])
ZIP = base64.b64decode(KNOWN["zip"])


def test_the_known_package_holds() -> None:
    found, key = verifier._check_archive(io.BytesIO(ZIP), PUBLIC_KEY)
    assert found == json.loads(KNOWN["manifest"])
    assert key == PUBLIC_KEY
    assert hashlib.sha256(ZIP).hexdigest() == KNOWN["sha256"]


@pytest.mark.parametrize("broken", KNOWN["refused"], ids=lambda each: each["why"])
def test_a_package_that_was_tampered_with_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(verifier.NotAuthentic):
        verifier._check_archive(io.BytesIO(base64.b64decode(broken["zip"])), PUBLIC_KEY)


def test_a_package_is_written_as_the_format_says() -> None:
    said = json.loads(KNOWN["manifest"])
    parts = []
    for listed in said["files"]:
        name, media_type, content = (
            listed["name"],
            listed["media_type"],
            KNOWN["contents"][listed["name"]].encode(),
        )
        about = {each: listed[each] for each in ("kind", "started_at", "ended_at", "zone") if each in listed}
        if "redaction" in listed:
            about["redaction"] = redaction(listed["redaction"], listed["redaction"]["why"])
            parts.append(part_of(name, media_type, partial(iter, (content,)), about=about))
        else:
            parts.append(text_part(name, media_type, content))
    leading = signed(signer(bytes.fromhex(KNOWN["seed"])), said, parts)
    assert b"".join(leading[0].chunks()).decode() == KNOWN["manifest"] + "\n"
    assert b"".join(leading[1].chunks()).decode() == KNOWN["signature"] + "\n"
    assert b"".join(archive([*leading, *parts])) == ZIP


def test_the_known_link_opens() -> None:
    """Its content was sealed by the `tink` package."""
    token = token_of(LINK["token"])
    assert token
    assert id_of(token) == LINK["id"]
    assert as_meant(LINK["passphrase"]) == "k7mq2xwdp9fs"
    with tempfile.TemporaryFile() as file:
        file.write(base64.b64decode(LINK["file"]))
        waiting = read_head(file)
        assert waiting.head.id == LINK["id"]
        assert open_content(file, waiting, token, LINK["passphrase"]).read().decode() == LINK["content"]
