"""The review document's JSON Schema: `python -m media.review.schema` writes it anew."""

import json
from pathlib import Path

from media.files import write_whole
from media.review.document import ReviewDocument

PATH = Path(__file__).with_name("schema.json")


def schema_text() -> str:
    """The schema as it stands beside this file."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ReviewDocument.model_json_schema(),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    write_whole(PATH, schema_text().encode())
