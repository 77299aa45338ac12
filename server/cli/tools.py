"""`adwright tools …` and `adwright openapi`: the registry from a terminal, over the same REST API everyone has."""

import json
import sys
import time
import urllib.parse
from argparse import Namespace
from collections.abc import Collection, Mapping
from typing import Any

from server.cli.api import Api, api
from server.cli.output import CONFIRM, Answered, say, show
from server.process.browser import can_open, open_page
from tools.approval import ApprovalStatus, refusal
from tools.errors import InvalidArguments, InvalidRequest, NotFound

DOCUMENT = "/api/v1/openapi.json"
METHODS = ("get", "post", "patch", "put", "delete")
WAIT_SECONDS = 15 * 60
_LOOK_EVERY = 1.0


def openapi(arguments: Namespace) -> int:
    with api(arguments) as server:
        _show_json(server.request("GET", DOCUMENT)[1], arguments)
    return 0


def export(arguments: Namespace) -> int:
    with api(arguments) as server:
        if arguments.format == "openapi":
            found = server.request("GET", DOCUMENT)[1]
        elif server.local:
            found = server.request("GET", f"/local/export/{arguments.format}")[1]
        else:
            raise InvalidRequest("A remote server exports OpenAPI only.", fix="Use --format openapi, or --data DIR.")
    _show_json(found, arguments)
    return 0


def listing(arguments: Namespace) -> int:
    with api(arguments) as server:
        document = server.request("GET", DOCUMENT)[1]
    found = [
        {"name": operation["operationId"], "call": f"{method.upper()} {path}", "title": operation.get("summary", "")}
        for path, method, operation in _operations(document)
    ]
    show(found, as_json=arguments.json)
    return 0


def call(arguments: Namespace) -> int:
    with api(arguments) as server:
        document = server.request("GET", DOCUMENT)[1]
        path, method, operation = _operation(document, arguments.name)
        given = _arguments(arguments, _body_schema(document, operation))
        parameters = _parameters(document, operation)
        known = {p["name"] for p in parameters if p["in"] == "query"}
        _require({p["name"] for p in parameters if p["in"] == "path"} - given.keys(), arguments.name)
        for name in [name for name in given if f"{{{name}}}" in path]:
            path = path.replace(f"{{{name}}}", urllib.parse.quote(str(given.pop(name)), safe=""))
        takes_body = method not in ("get", "delete")
        asked = {name: _text(given.pop(name)) for name in sorted(given) if name in known or not takes_body}
        key = _printable(arguments.idempotency_key)
        status, answer = server.request(method.upper(), path, given if takes_body else None, asked, key=key)
        if status == 202 and answer.get("code") == "confirm_required":
            return _confirm(server, answer, arguments)
        show(_result(answer), as_json=arguments.json)
    return 0


def _require(missing: Collection[str], capability: str) -> None:
    """Without what its path names it cannot even be asked for."""
    if missing:
        raise InvalidArguments(
            f"{capability} needs {', '.join(sorted(missing))}.",
            fix="Add " + " ".join(f"{name}=…" for name in sorted(missing)),
            problems=[{"field": name, "problem": "is required"} for name in sorted(missing)],
        )


def _operations(document: Mapping[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item and "operationId" in item[method]
    ]


def _operation(document: Mapping[str, Any], name: str) -> tuple[str, str, dict[str, Any]]:
    for path, method, operation in _operations(document):
        if operation["operationId"] == name:
            prefix = urllib.parse.urlsplit(document["servers"][0]["url"]).path if document.get("servers") else ""
            return (path if path.startswith("/api/") else prefix.rstrip("/") + path), method, operation
    raise NotFound(f"There is no capability {name}.", fix="adwright tools list shows them all.")


def _resolved(document: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in part:
        found: Any = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def _parameters(document: Mapping[str, Any], operation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [_resolved(document, parameter) for parameter in operation.get("parameters", ())]


def _body_schema(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Mapping[str, Any]:
    content = _resolved(document, operation.get("requestBody", {})).get("content", {})
    return _resolved(document, content.get("application/json", {}).get("schema", {}))


def _arguments(arguments: Namespace, body: Mapping[str, Any]) -> dict[str, Any]:
    given = _json_object(arguments.args) if arguments.args else {}
    words: dict[str, list[Any]] = {}
    for each in arguments.arguments:
        name, equals, text = each.partition("=")
        if not equals:
            raise InvalidRequest(f"{each} is not key=value.", fix="Write name=value, or use --args with a JSON object.")
        kind = body.get("properties", {}).get(name, {}).get("type", "string")
        words.setdefault(name, []).append(text if kind == "string" else _typed(name, text, kind))
    return given | {name: values[0] if len(values) == 1 else values for name, values in words.items()}


def _json_object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InvalidRequest(f"--args is not JSON: {error}.", fix="Pass one JSON object in single quotes.") from None
    if not isinstance(found, dict):
        raise InvalidRequest("--args is not a JSON object.", fix="""Pass one, such as '{"status": "ACTIVE"}'.""")
    return found


def _printable(key: str | None) -> str | None:
    if key is not None and not key.isprintable():
        raise InvalidRequest("An idempotency key has visible characters only.", fix="Pass a UUID.")
    return key


def _typed(name: str, text: str, kind: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise InvalidArguments(
            f"{name} takes a JSON {kind}.", fix="Correct it.", problems=[{"field": name, "problem": f"not a {kind}"}]
        ) from None


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(each) for each in value]
    return value if isinstance(value, str) else json.dumps(value)


def _result(answer: Mapping[str, Any]) -> Any:
    data = answer.get("data")
    if not isinstance(data, list):
        return data
    return {"items": data} | {name: value for name, value in answer.get("meta", {}).items() if name != "request_id"}


def _confirm(server: Api, answer: Mapping[str, Any], arguments: Namespace) -> int:
    """At a terminal a person is taken to the page and waited for; a program gets the proposal and exit code 3."""
    approval = answer["approval"]
    if ApprovalStatus(approval["status"]).settled:  # asked for again under its key
        return _wait(server, approval["id"], arguments)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        show(answer, as_json=True)
        return CONFIRM
    say(f"A person must confirm: {approval['plan']['summary']}")
    page = approval["url"]
    if server.local:
        link = {"next": f"/approvals/{approval['id']}"}
        page = server.data("POST", "/local/login-links", link)["url"]
    if arguments.no_open or not can_open() or not open_page(page):
        say(f"Open {approval['url']} and decide there.")
    return _wait(server, approval["id"], arguments)


def _wait(server: Api, approval_id: str, arguments: Namespace) -> int:
    give_up, status = time.monotonic() + WAIT_SECONDS, ""
    while time.monotonic() < give_up:
        approval = server.data("GET", f"/api/v1/approvals/{approval_id}")
        if approval["status"] != status:
            status = approval["status"]
            say(f"{approval_id}: {status}")
        if status == "done":
            show(approval.get("result"), as_json=arguments.json)
            return 0
        if status not in ("pending", "executing"):
            error = approval.get("error", {})
            raise Answered(error) if "code" in error else refusal(approval)
        time.sleep(_LOOK_EVERY)
    show(approval, as_json=True)
    return CONFIRM


def _show_json(data: Any, arguments: Namespace) -> None:
    show(data, as_json=arguments.json, text=json.dumps(data, ensure_ascii=False, indent=2))
