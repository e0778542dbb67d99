"""The review documents' JSON Schemas: `python -m media.review.schema` writes them anew."""

import json
from pathlib import Path

from pydantic import BaseModel

from media.files import write_whole
from media.review.document import ReviewDocument
from media.review.sound import SoundReview

#: By file beside this one.
DOCUMENTS: dict[Path, type[BaseModel]] = {
    Path(__file__).with_name("schema.json"): ReviewDocument,
    Path(__file__).with_name("sound.schema.json"): SoundReview,
}


def schema_text(document: type[BaseModel]) -> str:
    """The schema as it stands beside this file."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **document.model_json_schema(),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for path, model in DOCUMENTS.items():
        write_whole(path, schema_text(model).encode())
