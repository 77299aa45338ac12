"""Asynchronous reports have to be polled, and then agree with the direct answer."""

from tests.server.sandbox.graph_client import GraphClient


def test_a_report_needs_polls_and_then_agrees_with_the_direct_answer(graph: GraphClient) -> None:
    asked = {"fields": ["campaign_id", "spend"], "level": "campaign", "date_preset": "last_7d"}
    run = graph.post(f"{graph.us}/insights", **asked)["report_run_id"]

    early = graph.error("GET", f"{run}/insights")
    polls = [graph.get(run) for _ in range(4)]

    assert (early["code"], early["is_transient"]) == (2601, True)
    assert [poll["async_status"] for poll in polls] == [
        "Job Not Started",
        "Job Running",
        "Job Completed",
        "Job Completed",
    ]
    assert [poll["async_percent_completion"] for poll in polls] == [0, 40, 100, 100]
    assert graph.get(f"{run}/insights")["data"] == graph.get(f"{graph.us}/insights", **asked)["data"]
    assert graph.writes() == []


def test_results_are_paged(graph: GraphClient) -> None:
    run = graph.post(f"{graph.us}/insights", fields=["spend"], time_increment="1")["report_run_id"]
    for _ in range(3):
        graph.get(run)

    first = graph.get(f"{run}/insights", limit="20")
    second = graph.get(f"{run}/insights", limit="20", after=first["paging"]["cursors"]["after"])

    assert len(first["data"] + second["data"]) == 30
    assert "next" not in second["paging"]


def test_a_bad_question_is_refused_at_once(graph: GraphClient) -> None:
    assert graph.error("POST", f"{graph.us}/insights", level="ad")["code"] == 100
