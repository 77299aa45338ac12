"""A question to a server that the doctor asks, and what it makes of the answer."""

import http.client
import json
import urllib.parse
from typing import Any

TIMEOUT = 5.0


class Problem(Exception):
    """What is wrong, and the fix."""

    def __init__(self, told: str, fix: str) -> None:
        super().__init__(told)
        self.told, self.fix = told, fix


class Warned(Problem):
    """It works, and yet something should be done."""


def asked_of(base: str, path: str, headers: dict[str, str], fix: str) -> tuple[int, dict[str, Any]]:
    """Its status, and the JSON it answered a 200 with."""
    parts = urllib.parse.urlsplit(base)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        connection.request("GET", parts.path + path, headers=headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()) if answer.status == http.HTTPStatus.OK else {}
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Problem(f"{base} does not answer: {error}", fix) from error
    finally:
        connection.close()
