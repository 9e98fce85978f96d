"""Sparse files as GNU tar archives them."""

import random
from pathlib import Path

import pytest

from lambda_matchbox.oci.image.tar_stream import EntryType
from tests.support.images.layers import Entry
from tests.support.images.sparse import gnu_tar
from tests.unit.oci.image.layer_reading import read

pytestmark = pytest.mark.real

RANDOM = random.Random(1)
BLOCK = RANDOM.randbytes(4096)
HOLE = bytes(1 << 16)
FILES = [
    Entry("begins", HOLE + BLOCK),
    Entry("ends", BLOCK + HOLE),
    Entry("between", BLOCK + HOLE + BLOCK + HOLE + BLOCK[:100]),
    Entry("nothing", HOLE),
    Entry("empty"),
    Entry("dense", BLOCK * 3),
    Entry(f"{'directory/' * 20}long", (BLOCK + HOLE) * 50),
]


@pytest.mark.parametrize(
    "options",
    [
        ["--format=posix"],
        ["--format=posix", "--sparse-version=0.0"],
        ["--format=posix", "--sparse-version=0.1"],
        ["--format=gnu"],
    ],
    ids=["1.0", "0.0", "0.1", "gnu"],
)
def test_sparse_files_are_the_files_that_were_archived(options: list[str], tmp_path: Path) -> None:
    archive = gnu_tar(tmp_path, FILES, *options)
    assert len(archive) < sum(len(file.body) for file in FILES) / 4
    assert [(file.name, EntryType.FILE, file.body) for file in FILES] == read(archive)
