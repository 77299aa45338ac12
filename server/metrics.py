"""What /metrics tells: bounded labels only, never a workspace, a user or an id."""

import logging
from collections import Counter as Tally
from collections.abc import Iterator

import sentry_sdk
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from tools.secret import redact

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
logger = logging.getLogger(__name__)


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.seconds = Histogram(
            "adwright_request_seconds", "Time to answer.", ["face", "status"], registry=self.registry, buckets=BUCKETS
        )
        self._series: dict[tuple[str, int], Histogram] = {}
        self._guards = Counter(
            "adwright_guard_decisions", "Calls let through or refused while a guard was down.", ["decision", "guard"],
            registry=self.registry,
        )  # fmt: skip
        self._errors = Counter(
            "adwright_unexpected_errors", "Errors that a handler let escape.", registry=self.registry
        )
        self.audit_healthy = Gauge(
            "adwright_audit_healthy", "1 while the audit log can be written.", registry=self.registry
        )
        self.audit_dropped = Gauge(
            "adwright_audit_dropped_rows", "Audit rows lost since the start.", registry=self.registry
        )

    def answered(self, face: str, status: int, seconds: float) -> None:
        series = self._series.get((face, status))
        if series is None:  # looking labels up costs more than the observation
            series = self._series[face, status] = self.seconds.labels(face, str(status))
        series.observe(seconds)

    def guard(self, decision: str, guard: str) -> None:
        self._guards.labels(decision, guard).inc()

    def report(self, request_id: str, error: BaseException) -> None:
        """What escaped a handler: logged, sent to Sentry where set up, shown to nobody else."""
        self._errors.inc()
        logger.error("unexpected %s in %s: %s", type(error).__name__, request_id, redact(str(error)), exc_info=error)
        sentry_sdk.capture_exception(error)

    def expose_refusals(self, refusals: "Tally[str]") -> None:
        self.registry.register(_Refusals(refusals))

    def text(self) -> bytes:
        return generate_latest(self.registry)


class _Refusals(Collector):
    """The resolver counts 401s itself; this reads them."""

    def __init__(self, refusals: "Tally[str]") -> None:
        self._refusals = refusals

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily("adwright_refused_credentials", "Requests turned away, by code.", labels=["code"])
        for code, count in sorted(self._refusals.items()):
            family.add_metric([code], count)
        yield family
