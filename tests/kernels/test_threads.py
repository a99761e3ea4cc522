import numba
import pytest
import torch

from relwise.kernels.threads import available_cores, settle_threads


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "50000 100000"}, 1),  # half a core still needs one thread
        ({"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
    ],
)
def test_a_control_groups_quota_is_respected(tmp_path, files, cores):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert available_cores(tmp_path) == cores


@pytest.mark.parametrize(
    "files", [{}, {"cpu.max": "max 100000"}, {"cpu.max": "strange"}, {"cpu/cpu.cfs_quota_us": "-1"}]
)
def test_without_a_quota_the_affinity_counts(tmp_path, files):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "cpu").mkdir(exist_ok=True)
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000")
    import os

    assert available_cores(tmp_path) == len(os.sched_getaffinity(0))


def test_both_pools_get_the_same_number():
    torchs, numbas = torch.get_num_threads(), numba.get_num_threads()
    try:
        assert settle_threads(1) == 1 == torch.get_num_threads() == numba.get_num_threads()
    finally:
        torch.set_num_threads(torchs)
        numba.set_num_threads(numbas)
