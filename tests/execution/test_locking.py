import os
import subprocess
import sys

import pytest

from polyethos.errors import ResourceError, RunError
from polyethos.execution.locking import exclusive

HOLD = (
    "import sys; from pathlib import Path; from polyethos.execution.locking import exclusive\n"
    "with exclusive(Path(sys.argv[1])):\n    print(flush=True); sys.stdin.read()"
)


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()


def test_a_folder_in_use_is_refused_with_the_process_that_holds_it(tmp_path, holder):
    with pytest.raises(RunError, match=rf"in use by process {holder.pid}"), exclusive(tmp_path):
        pass


def test_a_killed_process_lets_go(tmp_path, holder):
    holder.kill()
    holder.wait()
    with exclusive(tmp_path):
        assert (tmp_path / ".lock").read_text() == str(os.getpid())


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ResourceError, match="choose another folder"), exclusive(tmp_path / "file" / "run"):
        pass
