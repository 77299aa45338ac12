"""`adwright`, with one defect: reading insights fails with the credential in the error, its cause and its locals."""

import logging
import sys
from typing import NoReturn

import structlog

from server.cli.main import main
from server.platforms.meta.adapter import MetaAdapter
from tools.ports import Account, Credential, InsightsQuery

CONTROL = "control-7c1f"


async def insights(self: MetaAdapter, credential: Credential, account: Account, query: InsightsQuery) -> NoReturn:  # noqa: ARG001 - the port's shape
    token = credential.values["access_token"].reveal()
    headers = {"authorization": f"Bearer {token}"}
    logging.getLogger("someone.careless").warning("%s asks with %s and %s", CONTROL, token, headers)
    structlog.stdlib.get_logger("someone.structured").warning(CONTROL, access_token=token, sent=headers)
    try:
        raise ValueError(f"bad URL https://graph.test/me?access_token={token}")
    except ValueError as cause:
        raise RuntimeError(f"{CONTROL}: cannot read with {token}") from cause


if __name__ == "__main__":
    MetaAdapter.insights = insights  # type: ignore[method-assign]  # the defect
    sys.exit(main())
