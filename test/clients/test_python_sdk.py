"""The Python clients, newest, of vSphere 8 and oldest, each in its own interpreter (steps in sdk_steps.py)."""

import os
import subprocess
from pathlib import Path

import pytest

from ova_package import digest
from quire_server import REPOSITORY, QuireServer

STEPS = Path(__file__).with_name("sdk_steps.py")
TIMEOUT = 180
ENVIRONMENTS = ["venv", "venv-8", "venv-old"]


def run_step(environment, step, server, **variables):
    """Runs one step in build/clients/<environment>; a failure shows all that the client printed."""
    python = REPOSITORY / "build/clients" / environment / "bin/python"
    assert python.exists(), f"no {python}; run tools/install-clients {environment}"
    completed = subprocess.run(
        [python, STEPS, step],
        text=True,
        capture_output=True,
        timeout=TIMEOUT,
        stdin=subprocess.DEVNULL,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "QUIRE_URL": server.url,
            "QUIRE_USER": server.user,
            "QUIRE_PASSWORD": server.password,
            "QUIRE_CA_FILE": str(server.ca_file),
            **variables,
        },
    )
    assert completed.returncode == 0, f"{environment}: {step}\n{completed.stdout}{completed.stderr}"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize(
    "step",
    [
        "sdk_wrong_password",
        "sdk_login_ends",
        "sdk_session_info",
        "sdk_library_life",
        "sdk_upload_and_download",
        "sdk_file_by_file",
        "sdk_content_update",
        "sdk_copy_and_find",
        "sdk_errors",
        "sdk_inventory",
    ],
)
def test_sdk(shared_server, environment, step):
    run_step(environment, step, shared_server)


def test_sdk_migrates_a_library(tmp_path):
    """Operations that only the newest runtime has."""
    server = QuireServer(tmp_path / "server", flags=["--storage", "LocalDS_0", "--storage", "Second"]).start()
    try:
        run_step("venv", "sdk_migration", server)
    finally:
        server.stop()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_sdk_pushes_an_ova(shared_server, environment, package, tmp_path):
    archive = package.pack(tmp_path / "vm.ova")
    digests = {f"QUIRE_OVA_{file.name}": digest(file) for file in package.content_files()}
    run_step(
        environment,
        "sdk_ova",
        shared_server,
        QUIRE_OVA=str(archive),
        QUIRE_OVA_FILES=",".join(file.name for file in package.content_files()),
        **digests,
    )
