"""Runs modules of the pinned Ansible collections against a server."""

import json
import os
import subprocess
from pathlib import Path

from quire_server import REPOSITORY

TIMEOUT = 120


class Ansible:
    """`ansible localhost -m <collection>.…` with a home folder of its own and nothing of the caller's environment."""

    def __init__(self, server, home, collection="vmware.vmware"):
        self.collection = collection
        environment = REPOSITORY / "build/clients/ansible"
        self.program = environment / "bin/ansible"
        if not self.program.exists():
            raise FileNotFoundError(f"no {self.program}; run tools/install-clients ansible")
        self.connection = {
            "hostname": server.host,
            "port": server.port,
            "username": server.user,
            "password": server.password,
            "validate_certs": True,
        }
        if collection == "vmware.vmware_rest":  # which takes host and port in one
            self.connection = {
                "vcenter_hostname": server.authority,
                "vcenter_username": server.user,
                "vcenter_password": server.password,
                "vcenter_validate_certs": True,
            }
        home = Path(home)
        home.mkdir(parents=True, exist_ok=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_HOME": str(home / "ansible"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_COLLECTIONS_PATH": str(environment / "collections"),
            "ANSIBLE_PYTHON_INTERPRETER": str(environment / "bin/python"),
            "ANSIBLE_LOAD_CALLBACK_PLUGINS": "false",
            # requests for the vAPI calls and the uploads, OpenSSL for pyVmomi.
            "REQUESTS_CA_BUNDLE": str(server.ca_file),
            "SSL_CERT_FILE": str(server.ca_file),
        }

    def run(self, module, check=False, **arguments):
        """Whether the module failed, and what it returned."""
        command = [str(self.program), "localhost", "-o", "-m", f"{self.collection}.{module}"]
        command += ["-a", json.dumps({**self.connection, **arguments}, default=str)]
        completed = subprocess.run(
            [*command, *(["--check"] if check else [])],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            stdin=subprocess.DEVNULL,
        )
        for line in completed.stdout.splitlines():
            head, separator, result = line.partition(" => ")
            if separator and head.startswith("localhost | "):
                return completed.returncode != 0, json.loads(result)
        raise AssertionError(f"{module} gave no result\n{completed.stdout}{completed.stderr}")

    def ok(self, module, **arguments):
        """Runs it, asserts success and returns its result."""
        failed, result = self.run(module, **arguments)
        assert not failed, result
        return result

    def fails(self, module, **arguments):
        """Runs it, asserts a failure and returns its message."""
        failed, result = self.run(module, **arguments)
        assert failed, result
        assert "Traceback" not in json.dumps(result), result
        return result["msg"]
