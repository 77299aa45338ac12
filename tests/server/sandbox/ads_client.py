"""A plain client of the simulated Google Ads API, with a token of its own."""

from typing import Any

import httpx2

VERSION = "v26"
MANAGER, APAC, US, EU, JP, OUTLET = (
    "4210007001", "4210007002", "4210007011", "4210007012", "4210007013", "4210007021",
)  # fmt: skip
NOT_POLITICAL = "DOES_NOT_CONTAIN_EU_POLITICAL_ADVERTISING"
Json = dict[str, Any]


class AdsClient:
    def __init__(self, http: httpx2.Client) -> None:
        self.http = http
        self.index: Json = http.get("/").json()["google"]
        self.token = ""

    def grant(self, **changed: str) -> httpx2.Response:
        form = {
            "grant_type": "refresh_token",
            "client_id": self.index["client_id"],
            "client_secret": self.index["client_secret"],
            "refresh_token": self.index["refresh_token"],
        }
        return self.http.post("/google/token", data=form | changed)

    def sign_in(self) -> None:
        self.token = self.grant().json()["access_token"]

    def send(
        self, path: str, body: Json | None = None, *, login: str | None = MANAGER, version: str = VERSION
    ) -> httpx2.Response:
        """GET without a body, POST with one; `login` is the manager through which the customer is reached."""
        if not self.token:
            self.sign_in()
        headers = {"authorization": f"Bearer {self.token}"} | ({"login-customer-id": login} if login else {})
        url = f"/google/{version}/{path}"
        if body is None:
            return self.http.get(url, headers=headers)
        return self.http.post(url, json=body, headers=headers)

    def call(self, path: str, body: Json | None = None) -> Any:
        """Send through the manager, or directly where the outlet is concerned; the answer must be a success."""
        answer = self.send(path, body, login=None if OUTLET in path else MANAGER)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def page(self, customer: str, query: str, **more: Any) -> Json:
        page: Json = self.call(f"customers/{customer}/googleAds:search", {"query": query} | more)
        return page

    def rows(self, customer: str, query: str) -> list[Json]:
        found: list[Json] = self.page(customer, query).get("results", [])
        return found

    def select(self, customer: str, fields: str, resource: str, where: str) -> list[Json]:
        return self.rows(customer, f"SELECT {fields} FROM {resource} WHERE {where}")  # noqa: S608  # GAQL of a test

    def refused(self, path: str, body: Json | None = None) -> list[str]:
        """The codes of a refusal, such as `queryError.BAD_VALUE`."""
        answer = self.send(path, body, login=None if OUTLET in path else MANAGER)
        assert answer.status_code >= 400, answer.text
        return codes(answer)

    def query_refused(self, query: str, customer: str = US) -> list[str]:
        return self.refused(f"customers/{customer}/googleAds:search", {"query": query})

    def mutate(self, customer: str, service: str, *operations: Json, **more: Any) -> Json:
        done: Json = self.call(
            f"customers/{customer}/{service}:mutate", {_operations(service): list(operations)} | more
        )
        return done

    def mutate_refused(self, customer: str, service: str, *operations: Json, **more: Any) -> list[str]:
        return self.refused(f"customers/{customer}/{service}:mutate", {_operations(service): list(operations)} | more)

    def create(self, customer: str = US, **campaign: Any) -> str:
        """A paused campaign with a budget of its own, and its resource name."""
        answers = self.mutate(customer, "googleAds", *new_campaign(customer, **campaign))["mutateOperationResponses"]
        return str(answers[1]["campaignResult"]["resourceName"])

    def read(self, campaign: str, *fields: str) -> Json:
        """One campaign's row, with the fields asked for."""
        customer = campaign.split("/")[1]
        (row,) = self.select(customer, ", ".join(fields), "campaign", f"campaign.resource_name = '{campaign}'")
        return row

    def named(self, name: str, customer: str = US) -> str:
        found = self.select(customer, "campaign.name", "campaign", f"campaign.name LIKE '%{name}%'")
        return str(found[0]["campaign"]["resourceName"])

    def budget_of(self, campaign: str) -> str:
        return str(self.read(campaign, "campaign.campaign_budget")["campaign"]["campaignBudget"])

    def fault(self, **wanted: Any) -> None:
        queued = self.http.post("/faults", json=wanted)
        assert queued.status_code == 201, queued.text

    def writes(self) -> list[Json]:
        found: list[Json] = self.http.get("/log").json()
        return found


def codes(answer: httpx2.Response) -> list[str]:
    body = answer.json()
    error = (body[0] if isinstance(body, list) else body)["error"]
    assert error["code"] == answer.status_code
    return [f"{kind}.{name}" for each in error["details"][0]["errors"] for kind, name in each["errorCode"].items()]


def new_campaign(customer: str = US, *, micros: str = "50000000", **campaign: Any) -> tuple[Json, Json]:
    """The two operations of an atomic create; a field set to None is left out."""
    budget = f"customers/{customer}/campaignBudgets/-1"
    wanted = {
        "resourceName": f"customers/{customer}/campaigns/-2",
        "name": "Spring",
        "status": "PAUSED",
        "advertisingChannelType": "SEARCH",
        "campaignBudget": budget,
        "manualCpc": {},
        "containsEuPoliticalAdvertising": NOT_POLITICAL,
    } | campaign
    return (
        {"campaignBudgetOperation": {"create": new_budget(resourceName=budget, amountMicros=micros)}},
        {"campaignOperation": {"create": {name: value for name, value in wanted.items() if value is not None}}},
    )


def new_budget(**fields: Any) -> Json:
    wanted = {"name": "Spring budget", "amountMicros": "50000000", "explicitlyShared": False} | fields
    return {name: value for name, value in wanted.items() if value is not None}


def _operations(service: str) -> str:
    return "mutateOperations" if service == "googleAds" else "operations"
