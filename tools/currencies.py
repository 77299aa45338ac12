"""The currencies money is paid in and their decimals, so that a mistyped code or amount is refused where it is sent."""

from decimal import Decimal
from types import MappingProxyType

_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_TWO = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC "
    "CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD "
    "KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO "
    "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL "
    "THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
_THREE = "BHD IQD JOD KWD LYD OMR TND"

DECIMALS = MappingProxyType(
    dict.fromkeys(_NONE.split(), 0) | dict.fromkeys(_TWO.split(), 2) | dict.fromkeys(_THREE.split(), 3)
)
"""By code of ISO 4217, in force in 2026, without metals, funds, units of account and the codes for tests and none."""

CODES = frozenset(DECIMALS)


def problem(amount: Decimal, currency: str) -> str | None:
    """What is wrong with an amount of a known currency."""
    if amount == round(amount, DECIMALS[currency]):
        return None
    return f"has more decimals than {currency}, which has {DECIMALS[currency] or 'none'}"
