"""Files of accepted events: a record in one is as it was written, or it is not there."""

import contextlib
import fcntl
import os
import secrets
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from server.process.files import OWNER_ONLY

SUFFIX = ".spool"
BEGINNING = b"adwright ingest 1\n"
_HEAD = struct.Struct("<II")  # length and CRC-32 of the record
_READ_AT_ONCE = 1 << 20


def framed(record: bytes) -> bytes:
    return _HEAD.pack(len(record), zlib.crc32(record)) + record


def whole(data: bytes, start: int = 0) -> Iterator[tuple[bytes, int]]:
    """Each record from `start` on with where it ends, up to the first that is torn or not what was written."""
    while start + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, start)
        begin, end = start + _HEAD.size, start + _HEAD.size + length
        record = data[begin:end]
        if len(record) < length or zlib.crc32(record) != checksum:
            return
        yield record, end
        start = end


class Segment:
    """Locked as long as the process lives that writes or reads it; the kernel frees it when the process ends."""

    def __init__(self, path: Path, descriptor: int, durable: int) -> None:
        self.path = path
        self.durable = durable  # what is on disk ends here, and is read up to here
        self.taken = len(BEGINNING)  # what the store has ends here
        self._descriptor = descriptor

    @classmethod
    def create(cls, directory: Path) -> Self:
        """Its name is on disk too when this returns. Raises OSError."""
        while True:
            path = directory / f"{time.time_ns():020d}-{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
            try:
                if not _locked(descriptor):  # adopted by another process between its first two moments
                    os.close(descriptor)
                    continue
                _write_all(descriptor, BEGINNING)
                _sync_directory(directory)
            except OSError:
                path.unlink(missing_ok=True)
                os.close(descriptor)
                raise
            return cls(path, descriptor, len(BEGINNING))

    @classmethod
    def adopt(cls, path: Path) -> Self | None:
        """What a process that is no more left behind; None where somebody else has it. Its torn tail is left out."""
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return None
        if not _locked(descriptor) or not os.fstat(descriptor).st_nlink:
            os.close(descriptor)
            return None
        data = path.read_bytes()
        durable = len(BEGINNING)
        if data.startswith(BEGINNING):
            durable = max((end for _, end in whole(data, durable)), default=durable)
        os.ftruncate(descriptor, min(durable, len(data)))
        return cls(path, descriptor, durable)

    @property
    def waiting(self) -> int:
        return self.durable - self.taken

    def write(self, data: bytes) -> None:
        """On disk when it returns; where it raises OSError, none of it is left behind if that can be helped."""
        try:
            os.lseek(self._descriptor, self.durable, os.SEEK_SET)
            _write_all(self._descriptor, data)
            os.fdatasync(self._descriptor) if hasattr(os, "fdatasync") else os.fsync(self._descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self.durable)
            raise

    def read(self, start: int) -> list[tuple[bytes, int]]:
        """Records from `start` on with their ends: a megabyte of them, and one at least where there is one."""
        most = min(_READ_AT_ONCE, self.durable - start)
        found = list(whole(os.pread(self._descriptor, most, start)))
        if not found and self.durable > start:
            found = list(whole(os.pread(self._descriptor, self.durable - start, start)))
        return [(record, start + end) for record, end in found]

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        os.close(self._descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
