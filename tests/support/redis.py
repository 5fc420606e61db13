"""Small talk with a Redis server that does not depend on the client under test."""

import socket
from pathlib import Path


def flush(path: Path) -> None:
    """Empty the private server that listens at ``path``."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(b"FLUSHALL\r\n")
        answer = connection.recv(64)
    assert answer == b"+OK\r\n", answer
