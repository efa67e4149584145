import errno
import hashlib
import os
import signal
import subprocess
import sys

import pytest

from polyethos.errors import ResourceError
from polyethos.files import file_hash, remove_partial_files, whole_file, write_json, write_text


def write_then_fail(path, error):
    path.write_text("new")
    raise error


def test_a_file_is_there_only_after_it_is_whole(tmp_path):
    path = tmp_path / "table.csv"
    with whole_file(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
    assert path.read_text() == "half"


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(ValueError, match="interrupted"), whole_file(path) as temporary:
        write_then_fail(temporary, ValueError("interrupted"))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_temporary_file_keeps_the_suffix_by_which_writers_choose_a_format(tmp_path):
    with whole_file(tmp_path / "figure.svg") as temporary:
        assert temporary.suffix == ".svg"
        temporary.touch()


def test_a_full_disk_is_an_error_that_names_the_file_and_the_remedy(tmp_path):
    full = OSError(errno.ENOSPC, "No space left on device")
    message = r"results\.nc: the disk is full; free some space"
    with pytest.raises(ResourceError, match=message), whole_file(tmp_path / "results.nc") as temporary:
        write_then_fail(temporary, full)


def test_a_folder_that_is_a_file_is_an_error_that_says_so(tmp_path):
    (tmp_path / "taken").touch()
    with pytest.raises(ResourceError, match="choose another folder"):
        write_text(tmp_path / "taken" / "x.txt", "content")


def test_a_killed_writer_leaves_a_leftover_that_is_removed_by_name(tmp_path):
    script = (
        "import sys, time; from pathlib import Path; from polyethos.files import whole_file\n"
        f"with whole_file(Path({str(tmp_path)!r}) / 'x.txt') as t:\n"
        "    t.write_text('half'); print(flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "x.txt").exists()
    assert len(list(tmp_path.iterdir())) == 1
    remove_partial_files(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_results_are_readable_by_others_as_the_umask_allows(tmp_path):
    old = os.umask(0o022)
    try:
        write_json(tmp_path / "study.json", {"name": "été"})
    finally:
        os.umask(old)
    assert (tmp_path / "study.json").stat().st_mode & 0o777 == 0o644
    assert "été" in (tmp_path / "study.json").read_text(encoding="utf-8")


def test_the_hash_is_that_of_the_bytes(tmp_path):
    content = os.urandom(3_000_000)
    (tmp_path / "x").write_bytes(content)
    assert file_hash(tmp_path / "x") == hashlib.sha256(content).hexdigest()
