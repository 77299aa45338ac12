"""What Google's answers to writes say was done: for one request that is all or nothing, and for one that is not."""

from collections.abc import Mapping, Sequence

from server.platforms.exchange import Effect, Outcome
from server.platforms.google.answers import resource_id
from server.platforms.google.codes import AdsError, errors_of
from server.platforms.google.errors import failure
from server.platforms.google.wire import GOOGLE, Row
from tools.errors import PlatformFailure
from tools.plan import Operation
from tools.ports import Applied

_OK = 200


def written(operation: Operation, sent: Sequence[Row], answer: Row) -> str:
    """The campaign's id, from the answer to googleAds:mutate."""
    found = answer.get("mutateOperationResponses")
    results = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    changed = [_changed(result) for result in results]
    if len(changed) != len(sent) or not all(changed):
        raise unsaid()
    return operation.campaign_id or changed[-1]


def _changed(result: Row) -> str:
    """{"campaignResult": {"resourceName": "customers/1/campaigns/111"}} is 111."""
    (said,) = result.values() if len(result) == 1 else ({},)
    return resource_id(said.get("resourceName")) if isinstance(said, dict) else ""


def receipts(operations: Sequence[Operation], answer: Row, connection_id: str) -> list[Applied]:
    """One an operation, from the answer to campaigns:mutate with partialFailure: a failed one has an empty object."""
    partial = answer.get("partialFailureError")
    errors = errors_of(partial, _OK) if isinstance(partial, dict) else []
    by_index: Mapping[int | None, AdsError] = {error.index: error for error in reversed(errors)}
    results = answer.get("results")
    results = results if isinstance(results, list) and len(results) == len(operations) else [{}] * len(operations)
    found = []
    for index, (operation, result) in enumerate(zip(operations, results, strict=True)):
        error = by_index.get(index)
        if error:
            found.append(Applied(operation.campaign_id, failure(error, Effect.WRITE, connection_id)))
        elif isinstance(result, dict) and resource_id(result.get("resourceName")):
            found.append(Applied(operation.campaign_id))
        else:
            found.append(Applied(operation.campaign_id, unsaid()))
    return found


def unsaid() -> PlatformFailure:
    return PlatformFailure(
        "Google's answer does not say that the change was made.",
        fix="Read the campaign back before doing it again.",
        platform=GOOGLE,
        outcome=Outcome.UNKNOWN.value,
    )
