"""Why a prompt was not read from the cache: its fingerprint beside that of the request it names."""

from collections import OrderedDict

from server.sandbox.anthropic.prefix import Prefix, Tier

_KEPT = 1000


class Diagnosis:
    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], Prefix] = OrderedDict()

    def keep(self, scope: str, message_id: str, prefix: Prefix) -> None:
        self._seen[scope, message_id] = prefix
        while len(self._seen) > _KEPT:
            self._seen.popitem(last=False)

    def compare(self, scope: str, message_id: str | None, prefix: Prefix) -> dict[str, object] | None:
        """What `diagnostics` says: None where the earlier request is a prefix of this one, or none is named."""
        if message_id is None:
            return None
        before = self._seen.get((scope, message_id))
        if before is None:
            return {"cache_miss_reason": {"type": "previous_message_not_found"}}
        same = _common(before, prefix)
        if same == len(before.pieces):
            return None
        reason = "model_changed" if before.model != prefix.model else f"{_tier_at(before, prefix, same)}_changed"
        missed = before.tokens - (before.sums[same - 1] if same else 0)
        return {"cache_miss_reason": {"type": reason, "cache_missed_input_tokens": missed}}


def _common(before: Prefix, after: Prefix) -> int:
    return next(
        (at for at, (old, new) in enumerate(zip(before.hashes, after.hashes, strict=False)) if old != new),
        min(len(before.hashes), len(after.hashes)),
    )


def _tier_at(before: Prefix, after: Prefix, at: int) -> Tier:
    """Of the first difference; a piece more or less belongs to the earlier tier of the two."""
    tiers = [prefix.pieces[at].tier for prefix in (before, after) if at < len(prefix.pieces)]
    return min(tiers, key=list(Tier).index)
