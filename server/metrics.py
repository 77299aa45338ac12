"""What /metrics tells: bounded labels only, never a workspace, a user or an id."""

import logging
import math
from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Iterator
from itertools import accumulate

import sentry_sdk
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from tools.secret import redact

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_UPPER = (*BUCKETS, math.inf)
logger = logging.getLogger(__name__)


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._answers = _Answers()
        self.registry.register(self._answers)
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
        self._answers.add(face, status, seconds)

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


class _Answers(Collector):
    """A histogram that the loop's thread alone fills: the library's has a lock for each of its numbers."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int], list[int]] = {}
        self._seconds: dict[tuple[str, int], float] = {}

    def add(self, face: str, status: int, seconds: float) -> None:
        series = face, status
        if series not in self._counts:
            self._counts[series], self._seconds[series] = [0] * len(_UPPER), 0.0
        self._counts[series][bisect_left(_UPPER, seconds)] += 1
        self._seconds[series] += seconds

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily("adwright_request_seconds", "Time to answer.", labels=["face", "status"])
        for (face, status), counts in sorted(self._counts.items()):
            buckets = list(zip(map(floatToGoString, _UPPER), accumulate(counts), strict=True))
            family.add_metric([face, str(status)], buckets, self._seconds[face, status])
        yield family


class _Refusals(Collector):
    """The resolver counts 401s itself; this reads them."""

    def __init__(self, refusals: "Tally[str]") -> None:
        self._refusals = refusals

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily("adwright_refused_credentials", "Requests turned away, by code.", labels=["code"])
        for code, count in sorted(self._refusals.items()):
            family.add_metric([code], count)
        yield family
