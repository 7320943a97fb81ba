"""The embedded PostgreSQL takes of a machine what it has."""

import pytest

from config.launcher.postgres import shared_buffers

GB = 2**30


@pytest.mark.parametrize(
    ("memory", "megabytes"), [(GB // 4, 128), (GB // 2, 128), (GB, 256), (2 * GB, 512), (64 * GB, 1024)]
)
def test_shared_buffers__are_a_quarter_of_the_memory_within_bounds(memory: int, megabytes: int) -> None:
    assert shared_buffers(memory) == megabytes
