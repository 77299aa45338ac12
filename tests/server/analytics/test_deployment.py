"""A project in an engine: deployed, changed, written to, asked."""

from server.analytics.deployment import Deployed


async def test_our_own_project_deploys_and_every_pipe_says_what_it_takes(deployed: Deployed) -> None:
    pipes = {pipe.name: {parameter.name for parameter in pipe.parameters} for pipe in deployed.pipes()}

    assert "workspace_id" in pipes["p_top_pages"]
