"""`adwright sandbox`: the simulated ad platforms alone, for whoever develops against them."""

from argparse import Namespace

from server.process.environment import data_directory
from server.process.files import make_directory
from server.sandbox.process import serve


def run(arguments: Namespace) -> int:
    directory = data_directory(arguments.data)
    make_directory(directory)
    serve(arguments.host, arguments.port, directory, seconds_without_owner=0)
    return 0
