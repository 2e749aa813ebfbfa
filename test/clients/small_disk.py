"""A small file system (tmpfs) that a test fills; it takes root."""

import contextlib
import os
import subprocess

import pytest

SIZE = 48 << 20


class SmallDisk:
    """A file system of few bytes, and a ballast file that takes as many of them as a test says."""

    def __init__(self, folder):
        self.folder = folder
        self.ballast = folder / "ballast"

    def free(self):
        space = os.statvfs(self.folder)
        return space.f_bavail * space.f_frsize

    def leave(self, count):
        """Takes room until at most so many bytes are free (whole pages); the server may be writing meanwhile."""
        self.make_room()
        with open(self.ballast, "wb") as file:
            while (excess := self.free() - count) > 4096:
                with contextlib.suppress(OSError):
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), excess)

    def make_room(self):
        self.ballast.unlink(missing_ok=True)

    def allow_new_files(self, count):
        """There may be bytes left and no room for a further file."""
        space = os.statvfs(self.folder)
        options = f"remount,nr_inodes={space.f_files - space.f_ffree + count}"
        subprocess.run(["mount", "-o", options, str(self.folder)], check=True)


@contextlib.contextmanager
def small_disk(folder, size=SIZE):
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "quire-test", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"no small file system can be mounted here, which takes root: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
