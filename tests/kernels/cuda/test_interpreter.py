import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernels.cuda.device import HAS_TRITON

HERE = Path(__file__).parent
NEGATIVES = HERE.parents[1] / "negatives" / "test_device.py"


@pytest.mark.skipif(not HAS_TRITON, reason="Triton is not installed")
def test_the_kernels_pass_their_tests_in_tritons_interpreter():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(HERE), str(NEGATIVES)],
        cwd=HERE.parents[2],
        env=os.environ | {"TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 30
