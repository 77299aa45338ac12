"""The mask for text that may carry a credential, in the standard library alone: what must start fast uses it too."""

import re

MASK = "***"

# What every shape below contains. Nearly all text is clean, and this finds that out at a fifth of the cost.
_HINT = re.compile(
    "EAA|ya29|1//|GOCSPX|/login|_(?:live_|local_|share_|test_|token|proof|secret|key|verifier)|whsec|sk-ant|eyJ|://|earer|EARER|Basic|password"
)
_SHAPES = re.compile(
    r"""
      EAA[A-Za-z0-9]{16,}                                             # Meta
    | ya29\.[\w-]{8,} | 1//[\w-]{16,} | GOCSPX-[\w-]{8,}              # Google: access, refresh, client secret
    | sk_live_\w+ | sk_test_\w+ | rk_live_\w+ | whsec_[\w+/=-]+       # Stripe
    | sk-ant-[\w-]+                                                   # Anthropic
    | adw_(?:live|local|share)_[\w-]+ | /login\?token=[\w-]+                # ours
    | eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*                                 # JWT
    | :// (?P<user>[^\s/:@]*) : [^\s/@]+ (?=@)                        # a password in a URL
    | (?P<scheme> Bearer\s+ | bearer\s+ | BEARER\s+ | Basic\s+ ) [\w.~+/=-]{8,}
    | (?P<name>
        (?: access_token | appsecret_proof | app_secret | api_key | admin_token | client_secret | code_verifier
          | developer_token | fb_exchange_token | id_token | input_token | password | refresh_token )
        [\\"']* \s* [=:] \s* [\\"']*
      ) [^\s&"'\\,;}\])]+
    """,
    re.VERBOSE,
)


def redact(text: str) -> str:
    """The text with everything that looks like a credential masked; names (`access_token=`) stay."""
    return _SHAPES.sub(_masked, text) if _HINT.search(text) else text


def _masked(found: re.Match[str]) -> str:
    if (user := found["user"]) is not None:
        return f"://{user}:{MASK}"
    return f"{found['scheme'] or found['name'] or ''}{MASK}"
