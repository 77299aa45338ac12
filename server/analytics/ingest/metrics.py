"""How ingest has been doing, for /metrics: no label is anybody's website."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.analytics.ingest.arrivals import SpooledArrivals
from server.analytics.ingest.drops import Drops
from server.analytics.ingest.flusher import Flusher
from server.analytics.ingest.quarantine import Quarantine
from server.analytics.ingest.spool import Spool


class IngestMetrics(Collector):
    def __init__(
        self, arrivals: SpooledArrivals, spool: Spool, flusher: Flusher, quarantine: Quarantine, drops: Drops
    ) -> None:
        self._arrivals, self._spool, self._flusher = arrivals, spool, flusher
        self._quarantine, self._drops = quarantine, drops

    def collect(self) -> Iterator[Metric]:
        spool, flusher = self._spool, self._flusher
        yield GaugeMetricFamily(
            "adwright_ingest_waiting_bytes", "Events on disk that the store has not got yet.", value=spool.waiting
        )
        yield GaugeMetricFamily(
            "adwright_ingest_store_healthy", "1 while the store takes events.", value=int(flusher.healthy)
        )
        for name, told, count in (
            ("events", "Events accepted.", self._arrivals.events),
            ("syncs", "Group commits of accepted events.", spool.commits),
            ("sync_failures", "Group commits that the disk refused.", spool.failures),
            ("refused", "Requests answered 503.", spool.refused),
            ("retries", "Batches that the store did not take at once.", flusher.retries),
            ("quarantined", "Rows that the store refuses for what they are.", self._quarantine.rows),
        ):
            yield CounterMetricFamily(f"adwright_ingest_{name}", told, value=count)
        flushed = CounterMetricFamily("adwright_ingest_rows", "Rows the store has.", labels=["datasource"])
        for datasource, count in sorted(flusher.flushed.items()):
            flushed.add_metric([datasource], count)
        yield flushed
        dropped = CounterMetricFamily("adwright_ingest_dropped", "Events dropped, by reason.", labels=["reason"])
        for reason, count in sorted(self._drops.by_reason.items()):
            dropped.add_metric([reason.value], count)
        yield dropped
