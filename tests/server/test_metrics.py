"""What /metrics tells of answers, as the client library itself would count them."""

from prometheus_client import CollectorRegistry, Histogram, generate_latest

from server.metrics import BUCKETS, Metrics


def test_answers_are_counted_as_the_librarys_histogram_counts_them() -> None:
    answers = [("mcp", 401, 0.2), ("rest", 200, 0.0), ("rest", 200, 0.001), ("rest", 200, 0.0011), ("rest", 200, 40.0)]
    metrics, registry = Metrics(), CollectorRegistry()
    theirs = Histogram(
        "adwright_request_seconds", "Time to answer.", ["face", "status"], buckets=BUCKETS, registry=registry
    )

    for face, status, seconds in answers:
        metrics.answered(face, status, seconds)
        theirs.labels(face, str(status)).observe(seconds)

    assert _lines(metrics.text()) == _lines(generate_latest(registry))


def _lines(text: bytes) -> list[str]:
    """Without the time at which the library began to count, which nobody asks for."""
    return [line for line in text.decode().splitlines() if "request_seconds" in line and "_created" not in line]
