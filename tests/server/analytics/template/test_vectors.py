"""Thousands of renders as the vendor's own renderer made them; `ours` and `why` stand where we differ on purpose."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from server.analytics.template.compiled import Template
from server.analytics.template.errors import TemplateError, TemplateRefusal
from server.analytics.template.functions import FUNCTIONS, SCOPED

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("vectors.json").read_text(encoding="utf-8")
)
SECRET = "kept out of the SQL"


def outcome(vector: dict[str, Any]) -> dict[str, Any]:
    try:
        rendered = Template(vector["template"]).render(
            vector.get("values", {}), secrets=dict.fromkeys(vector.get("secrets", ()), SECRET)
        )
    except TemplateRefusal as refusal:
        return {"refusal": refusal.body, "status": refusal.status}
    except TemplateError as error:
        return {"error": error.message}
    settings = {name: ",".join(sorted(value.split(","))) for name, value in rendered.settings.items()}
    return {"sql": rendered.sql} | ({"settings": settings} if settings else {})


def is_expected(made: dict[str, Any], vector: dict[str, Any]) -> bool:
    expected = vector.get("ours") or {
        key: vector[key] for key in ("sql", "settings", "refusal", "status", "error") if key in vector
    }
    if "error" in expected:  # its first sentence; what follows is explained in our words
        return "error" in made and made["error"].startswith(expected["error"])
    return made == expected


@pytest.mark.parametrize("group", VECTORS)
def test_templates_render_as_with_the_vendor(group: str) -> None:
    wrong = [(v, made) for v in VECTORS[group] if not is_expected(made := outcome(v), v)]
    assert wrong[:5] == []


def test_where_we_differ_the_reason_stands_beside_it() -> None:
    differing = [v for vectors in VECTORS.values() for v in vectors if "ours" in v or "why" in v]
    assert [v for v in differing if not v.get("ours") or not v.get("why")] == []
    assert len(differing) < sum(map(len, VECTORS.values())) / 10


def test_every_function_of_the_language_is_held_against_the_vendor_s() -> None:
    templates = " ".join(v["template"] for vectors in VECTORS.values() for v in vectors)
    called = set(re.findall(r"(\w+)\(", templates))
    assert {*FUNCTIONS, *SCOPED} - called == set()
