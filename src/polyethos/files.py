"""Files that appear whole or not at all, and their hashes."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from polyethos.errors import ResourceError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` to write to; rename it to `path` once the block ends without error.

    A killed process leaves `path` as it was. The suffix is kept, since writers choose a format by it.

    Raises:
        ResourceError: the disk is full or the folder is not writable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=f".partial{path.suffix}")
        os.close(handle)
    except OSError as error:
        raise _explained(error, path) from error
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        # mkstemp makes files private; a result is as readable as any other file of this user.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except OSError as error:
        raise _explained(error, path) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:  # noqa: ANN401
    """Write `content` to `path` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def file_hash(path: Path) -> str:
    """SHA-256 of the bytes of `path`, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def remove_partial_files(folder: Path) -> None:
    """Remove what a killed process left half-written by `whole_file` directly in `folder`."""
    for leftover in folder.glob(".*.partial*"):
        leftover.unlink(missing_ok=True)


def _explained(error: OSError, path: Path) -> OSError | ResourceError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ResourceError(f"{path}: the disk is full; free some space and run the same command again")
    if error.errno == errno.EFBIG:
        return ResourceError(f"{path}: larger than a file may be here; raise the limit (ulimit -f) and run it again")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
        return ResourceError(f"{path}: cannot be written ({error.strerror}); choose another folder")
    return error
