"""Files of records, cut anywhere and held by one."""

from pathlib import Path

import pytest

from server.analytics.ingest.segments import BEGINNING, Segment, framed, whole

RECORDS = [b"first", b"", b"\x00\xff" * 50, "Größe 🎉".encode()]


def filled(directory: Path) -> Segment:
    segment = Segment.create(directory)
    data = b"".join(map(framed, RECORDS))
    segment.write(data)
    segment.durable += len(data)
    return segment


def test_what_is_written_is_read_again_in_order(tmp_path: Path) -> None:
    segment = filled(tmp_path)

    assert [record for record, _ in segment.read(segment.taken)] == RECORDS
    segment.close()


def test_wherever_a_kill_cuts_the_file_the_records_before_are_whole(tmp_path: Path) -> None:
    segment = filled(tmp_path)
    segment.close()
    data = segment.path.read_bytes()
    ends = [len(BEGINNING), *(end for _, end in whole(data, len(BEGINNING)))]

    for length in range(len(data)):
        segment.path.write_bytes(data[:length])
        left = Segment.adopt(segment.path)
        assert left is not None
        assert [record for record, _ in left.read(left.taken)] == RECORDS[
            : max(0, sum(end <= length for end in ends) - 1)
        ]
        left.close()


@pytest.mark.parametrize("byte", range(len(BEGINNING), len(BEGINNING) + 12))
def test_a_record_that_is_not_what_was_written_is_none(tmp_path: Path, byte: int) -> None:
    segment = filled(tmp_path)
    segment.close()
    data = bytearray(segment.path.read_bytes())
    data[byte] ^= 1
    segment.path.write_bytes(data)

    left = Segment.adopt(segment.path)

    assert left is not None
    assert left.read(left.taken) == []
    left.close()


def test_a_segment_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    segment = filled(tmp_path)

    assert Segment.adopt(segment.path) is None

    segment.close()
    left = Segment.adopt(segment.path)
    assert left is not None
    assert Segment.adopt(segment.path) is None  # the first who comes has it
    left.remove()
    assert Segment.adopt(segment.path) is None  # and it is gone with him


def test_a_long_record_is_read_whole(tmp_path: Path) -> None:
    segment = Segment.create(tmp_path)
    long = b"x" * (3 << 20)
    data = framed(b"short") + framed(long)
    segment.write(data)
    segment.durable += len(data)

    first = segment.read(segment.taken)
    second = segment.read(first[-1][1])

    assert [record for record, _ in first + second] == [b"short", long]
    segment.close()
