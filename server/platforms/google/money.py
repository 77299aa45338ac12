"""Google counts money in micros, millionths of the currency's unit; above this module it is in major units."""

from decimal import Decimal

from server.platforms.google.wire import unreadable
from server.platforms.readback import problem

MICROS = 1_000_000
_DECIMALS = 2
"""No currency of Google Ads has finer budgets; which are coarser (JPY), Google knows and its dry run tells."""


def to_micros(amount: Decimal, *, field: str) -> str:
    """As it travels: an integer in a string. What is not positive, or finer than a hundredth, names `field`."""
    if not amount.is_finite() or amount <= 0:
        raise problem(field, "must be a positive amount")
    if amount != round(amount, _DECIMALS):
        raise problem(field, f"{amount} has more than {_DECIMALS} decimals")
    return str(int(amount * MICROS))


def to_major(micros: object) -> Decimal:
    """Exact, and written plainly: "5000000" is 5, "12340000" is 12.34. Google leaves out what is zero."""
    try:
        amount = Decimal(int(str(micros or 0))) / MICROS
    except ValueError:
        raise unreadable(f"Google sent an amount that is not in micros: {str(micros)[:40]!r}") from None
    return amount.quantize(Decimal(1)) if amount == amount.to_integral_value() else amount.normalize()
