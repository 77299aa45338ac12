"""A directory of datafiles becomes a project: classic layouts, forward ones and flat ones alike."""

from pathlib import Path
from typing import TypeVar

from server.analytics.datafiles.datasource import read_datasource
from server.analytics.datafiles.model import DatafileError, Datasource, PipeFile, Project
from server.analytics.datafiles.pipe import read_pipes

OURS = Path(__file__).parents[1] / "project"
Resource = TypeVar("Resource", Datasource, PipeFile)
_SKIPPED = {"vendor", "fixtures", "tests", "node_modules"}  # of others, or no resources


def load(directory: Path) -> Project:
    """Raises DatafileError where a file cannot be read as one, or two declare the same name."""
    datasources: dict[str, Datasource] = {}
    pipes: dict[str, PipeFile] = {}
    for path in sorted(directory.rglob("*")):
        within = path.relative_to(directory).parts[:-1]
        if path.suffix not in {".datasource", ".pipe"} or any(p.startswith(".") or p in _SKIPPED for p in within):
            continue
        text = _text(path)
        if path.suffix == ".datasource":
            datasource = read_datasource(path, text)
            _declare(datasources, datasource.name, datasource)
        else:
            for pipe in read_pipes(path, text):
                _declare(pipes, pipe.name, pipe)
    for name in sorted(datasources.keys() & pipes.keys()):
        raise DatafileError(pipes[name].path, 0, f"{name} is the name of a datasource, too: {datasources[name].path}.")
    return Project(datasources, pipes)


def _declare(known: dict[str, Resource], name: str, resource: Resource) -> None:
    if other := known.get(name):
        raise DatafileError(resource.path, 0, f"{name} is declared in {other.path}, too.")
    known[name] = resource


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DatafileError(path, 0, "It is not UTF-8.") from None
