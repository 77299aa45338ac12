"""A plain client of the simulated Graph, signing every call as the platform demands."""

import json
from hashlib import sha256
from hmac import new as hmac
from typing import Any

import httpx2

VERSION = "v26.0"


class GraphClient:
    def __init__(self, http: httpx2.Client) -> None:
        self.http = http
        meta = http.get("/").json()["meta"]
        self.app_id: str = meta["app_id"]
        self.app_secret: str = meta["app_secret"]
        self.token: str = meta["access_token"]
        self.us, self.eu, self.jp = (account["id"] for account in meta["accounts"])

    def proof(self, token: str) -> str:
        return hmac(self.app_secret.encode(), token.encode(), sha256).hexdigest()

    def send(self, method: str, path: str, **parameters: Any) -> httpx2.Response:
        """Send parameters as the platform's clients do: encoded as JSON where they are not plain values."""
        signed = {"access_token": self.token, "appsecret_proof": self.proof(self.token)}
        encoded = signed | {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()
        }
        where = f"/meta/{VERSION}/{path}"
        if method == "POST":
            return self.http.post(where, data=encoded)
        return self.http.request(method, where, params=encoded)

    def get(self, path: str, **parameters: Any) -> Any:
        return self._accepted(self.send("GET", path, **parameters))

    def post(self, path: str, **parameters: Any) -> Any:
        return self._accepted(self.send("POST", path, **parameters))

    def delete(self, path: str) -> Any:
        return self._accepted(self.send("DELETE", path))

    def error(self, method: str, path: str, **parameters: Any) -> dict[str, Any]:
        answer = self.send(method, path, **parameters)
        assert answer.status_code == 400, answer.text
        error: dict[str, Any] = answer.json()["error"]
        return error

    def fault(self, **wanted: Any) -> None:
        assert self.http.post("/faults", json=wanted).status_code == 201

    def writes(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.http.get("/log").json()
        return found

    def campaign_named(self, account: str, name: str) -> str:
        every = ["ACTIVE", "PAUSED", "ARCHIVED", "DELETED"]
        listed = self.get(f"{account}/campaigns", fields="name", effective_status=every, limit="100")["data"]
        return next(str(each["id"]) for each in listed if name in each["name"])

    def create(self, account: str, **parameters: Any) -> str:
        wanted = {
            "name": "Spring",
            "objective": "OUTCOME_SALES",
            "status": "PAUSED",
            "special_ad_categories": [],
            "daily_budget": "5000",
        }
        return str(self.post(f"{account}/campaigns", **wanted | parameters)["id"])

    @staticmethod
    def _accepted(answer: httpx2.Response) -> Any:
        assert answer.status_code == 200, answer.text
        return answer.json()
