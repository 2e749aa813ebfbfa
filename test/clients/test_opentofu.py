"""OpenTofu with the vSphere provider, unmodified: a library and an item planned, made, changed and destroyed.

Neither comes with the other clients; TF_PROVIDER_VSPHERE names the provider's program, TOFU the one of OpenTofu."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ova_package import write_random
from rest_client import LegacyRest, Transfers, download_item

PROVIDER = os.environ.get("TF_PROVIDER_VSPHERE")
TOFU = os.environ.get("TOFU") or shutil.which("tofu")
TIMEOUT = 300

pytestmark = [
    pytest.mark.all_clients,
    pytest.mark.skipif(not PROVIDER, reason="TF_PROVIDER_VSPHERE names no terraform-provider-vsphere"),
]

CONFIGURATION = """
terraform {
  required_providers { vsphere = { source = "vmware/vsphere" } }
}
provider "vsphere" {}
data "vsphere_datacenter" "all" { name = "DC0" }
data "vsphere_datastore" "first" {
  name          = "LocalDS_0"
  datacenter_id = data.vsphere_datacenter.all.id
}
resource "vsphere_content_library" "images" {
  name            = "made by OpenTofu"
  description     = "%(description)s"
  storage_backing = [data.vsphere_datastore.first.id]
}
resource "vsphere_content_library_item" "boot" {
  name       = "boot"
  type       = "iso"
  file_url   = "%(file)s"
  library_id = vsphere_content_library.images.id
}
"""


class Tofu:
    def __init__(self, server, folder):
        assert TOFU, "there is no tofu on the path; set TOFU"
        self.folder = folder
        folder.mkdir()
        (folder / "tofu.rc").write_text(
            'provider_installation {\n  dev_overrides { "vmware/vsphere" = %s }\n  direct {}\n}\n'
            % json.dumps(str(Path(PROVIDER).resolve().parent))
        )
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TF_CLI_CONFIG_FILE": str(folder / "tofu.rc"),
            "TF_IN_AUTOMATION": "1",
            "VSPHERE_SERVER": server.authority,
            "VSPHERE_USER": server.user,
            "VSPHERE_PASSWORD": server.password,
            "SSL_CERT_FILE": str(server.ca_file),
        }

    def write(self, **values):
        (self.folder / "main.tf").write_text(CONFIGURATION % values)

    def run(self, *arguments, codes=(0,)):
        done = subprocess.run(
            [TOFU, *arguments, "-no-color", "-input=false"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode in codes, f"tofu {arguments}\n{done.stdout}{done.stderr}"
        return done.returncode


def test_a_library_and_an_item(server, tmp_path):
    iso = write_random(tmp_path / "boot.iso", 700_001, seed="opentofu")
    tofu = Tofu(server, tmp_path / "tofu")
    rest = LegacyRest(server).log_in()
    tofu.write(description="first words", file=iso)
    tofu.run("apply", "-auto-approve")
    (library,) = rest.ok("library.find", spec={"name": "made by OpenTofu"})
    (item,) = rest.ok("item.list", library_id=library)
    assert list(download_item(rest, Transfers(server), item).values()) == [iso.read_bytes()]
    assert tofu.run("plan", "-detailed-exitcode", codes=(0, 2)) == 0, "what was made is what was asked for"
    tofu.write(description="second words", file=iso)
    tofu.run("apply", "-auto-approve")
    assert rest.ok("library.get", library_id=library)["description"] == "second words"
    tofu.run("destroy", "-auto-approve")
    assert rest.ok("library.list") == []
