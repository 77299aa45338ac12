"""Every code that the stand-in may ever say is one of v26's."""

import re
from pathlib import Path

from google.ads.googleads.v26.errors.types import errors as official

from server.sandbox.google import errors

SOURCES = Path(errors.__file__).parent.glob("*.py")
CODES = {field.json_name: field.enum_type for field in official.ErrorCode.pb().DESCRIPTOR.fields}


def spoken() -> set[tuple[str, str]]:
    """The codes in the source, but for those put together from parts, which tests of their own bring about."""
    found = set()
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        found |= set(re.findall(r'"([a-z]\w*Error)\.([A-Z][A-Z_]+)"', text))
        found |= {("queryError", code) for code in re.findall(r'(?:refusal|refuse)\(\s*"([A-Z_]+)"', text)}
    return found


def test_every_code_exists() -> None:
    codes = spoken()

    unknown = {code for code in codes if code[0] not in CODES or code[1] not in CODES[code[0]].values_by_name}
    assert unknown == set()
    assert len(codes) > 80


def test_problems_are_told_together_with_their_places() -> None:
    def fail(field: str) -> None:
        raise errors.required("create", field)

    try:
        errors.together(lambda: fail("name"), lambda: None, lambda: fail("status"))
    except errors.Failure as failure:
        found = [problem.at((("operations", 0),)).to_json()["location"] for problem in failure.problems]

    assert [place["fieldPathElements"][-1] for place in found if isinstance(place, dict)] == [
        {"fieldName": "name"},
        {"fieldName": "status"},
    ]
