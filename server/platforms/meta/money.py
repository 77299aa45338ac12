"""Meta counts budgets in minor units of its own table's size; above this module money is in major units."""

from decimal import Decimal, InvalidOperation

from tools.errors import InvalidArguments, PlatformFailure
from tools.fields import Platform

_WHOLE = "CLP COP CRC HUF IDR ISK JPY KRW PYG TWD VND"
_HUNDREDTHS = (
    "AED ARS AUD BDT BGN BHD BOB BRL CAD CHF CNY CZK DKK DZD EGP EUR FBZ GBP GTQ HKD HNL HRK ILS INR JOD KES LKR LTL "
    "LVL MOP MXN MYR NGN NIO NOK NZD PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD SKK THB TRY UAH USD UYU VEF VES ZAR"
)

OFFSETS = dict.fromkeys(_WHOLE.split(), 1) | dict.fromkeys(_HUNDREDTHS.split(), 100)
"""Minor units in one major unit, for every currency an ad account can have (Marketing API, Currency codes).

Not ISO 4217: HUF, IDR and TWD have no minor unit here, BHD and JOD have hundredths.
"""


def offset(currency: str) -> int:
    """Raises PlatformFailure for a currency that is not in the table: guessing would be wrong by a factor of 100."""
    try:
        return OFFSETS[currency]
    except KeyError:
        raise PlatformFailure(
            f"The account's currency {currency!r} is not in Meta's table, so its amounts cannot be read safely.",
            fix="Use an account in a listed currency, or report the currency so that it is added.",
            platform=Platform.META.value,
        ) from None


def to_minor(amount: Decimal, currency: str, *, field: str) -> int:
    """Exact. An amount that is not positive, or finer than the minor unit, raises InvalidArguments naming `field`."""
    scale = offset(currency)
    problem = None
    if not amount.is_finite() or amount <= 0:
        problem = "must be a positive amount"
    elif amount * scale != (amount * scale).to_integral_value():
        decimals = "no decimals" if scale == 1 else "at most 2 decimals"
        problem = f"{amount} {currency} is finer than Meta accepts: {currency} amounts have {decimals}"
    if problem:
        raise InvalidArguments(
            f"{field}: {problem}.",
            fix=f"Send {field} in whole minor units of {currency}.",
            problems=[{"field": field, "problem": problem}],
        )
    return int(amount * scale)


def to_major(minor: object, currency: str) -> Decimal:
    """Exact, with the currency's decimals: "5000" of USD is 50.00, of JPY 5000."""
    scale = offset(currency)
    try:
        return (Decimal(str(minor)) / scale).quantize(Decimal(1) / scale)
    except InvalidOperation:
        raise PlatformFailure(
            f"Meta sent an amount that is not a number: {str(minor)[:40]!r}.",
            fix="Try again; if it stays, report it with the campaign's id.",
            platform=Platform.META.value,
        ) from None
