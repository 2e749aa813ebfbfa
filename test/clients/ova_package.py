"""Makes OVF packages: a disk from qemu-img, a descriptor, a manifest, and an OVA of them.

The same arguments give the same bytes, so a failure can be repeated from its seed.
"""

import hashlib
import io
import os
import random
import re
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20

DESCRIPTOR = """<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
          xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
          xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData">
  <References>
{references}
  </References>
  <DiskSection>
    <Info>Virtual disks</Info>
{disks}
  </DiskSection>
  <VirtualSystem ovf:id="{name}">
    <Info>A machine that exists for tests</Info>
    <Name>{name}</Name>
    <OperatingSystemSection ovf:id="101">
      <Info>Guest operating system</Info>
    </OperatingSystemSection>
    <VirtualHardwareSection>
      <Info>Virtual hardware</Info>
      <System>
        <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemIdentifier>{name}</vssd:VirtualSystemIdentifier>
        <vssd:VirtualSystemType>vmx-13</vssd:VirtualSystemType>
      </System>
      <Item>
        <rasd:ElementName>1 virtual CPU</rasd:ElementName>
        <rasd:InstanceID>1</rasd:InstanceID>
        <rasd:ResourceType>3</rasd:ResourceType>
        <rasd:VirtualQuantity>1</rasd:VirtualQuantity>
      </Item>
      <Item>
        <rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits>
        <rasd:ElementName>64 MB of memory</rasd:ElementName>
        <rasd:InstanceID>2</rasd:InstanceID>
        <rasd:ResourceType>4</rasd:ResourceType>
        <rasd:VirtualQuantity>64</rasd:VirtualQuantity>
      </Item>
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>
"""


def digest(path, algorithm="sha256"):
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def write_random(path, size, seed):
    """A file of `size` bytes that do not compress, the same for the same seed."""
    source = random.Random(seed)
    with open(path, "wb") as out:
        while size > 0:
            step = min(size, MIB)
            out.write(source.randbytes(step))
            size -= step
    return Path(path)


def make_disk(path, size, seed, subformat="streamOptimized", guest_bytes=0):
    """A VMDK that begins with `size` bytes which do not compress; its guest sees at least `guest_bytes`.

    Returns its files: `path`, and what `path` refers to when the disk is split or flat.
    """
    path = Path(path)
    raw = write_random(path.with_suffix(".raw"), size, seed)
    os.truncate(raw, (max(size, guest_bytes) + 511) // 512 * 512)
    subprocess.run(
        ["qemu-img", "convert", "-q", "-f", "raw", "-O", "vmdk", "-o", f"subformat={subformat}", str(raw), str(path)],
        check=True,
        timeout=600,
    )
    raw.unlink()
    _fix_content_id(path, seed)
    return [path, *sorted(path.parent.glob(f"{path.stem}-[fs]*.vmdk"))]


def _fix_content_id(path, seed):
    """qemu-img draws the content id in the disk's description; put one there that follows from the seed."""
    with open(path, "r+b") as disk:
        head = disk.read(64 * 1024)
        found = re.search(rb"^CID=[0-9a-f]{1,8}$", head, re.MULTILINE)
        assert found, f"{path} has no content id in its description"
        # An embedded description is followed by zeros up to the next sector, so there is room for all eight digits.
        end = head.find(b"\0", found.end())
        disk.seek(found.start())
        disk.write(b"CID=%08x" % random.Random(f"cid {seed}").randrange(1, 1 << 32))
        disk.write(head[found.end() : end if end >= 0 else len(head)])


@dataclass
class OvfPackage:
    folder: Path
    name: str
    descriptor: Path
    disks: list  # all files of all disks
    manifest: Path | None
    certificate: Path | None = None

    def content_files(self):
        """What an item holds after import: manifest and certificate are checked, not kept."""
        return [self.descriptor, *self.disks]

    def metadata_files(self):
        """What must be added before the descriptor."""
        return [file for file in (self.manifest, self.certificate) if file]

    def all_files(self):
        return [self.descriptor, *self.metadata_files(), *self.disks]

    def write_manifest(self, algorithm="SHA256"):
        self.manifest = self.folder / f"{self.name}.mf"
        self.manifest.write_text(
            "".join(f"{algorithm}({path.name})= {digest(path, algorithm.lower())}\n" for path in self.content_files())
        )

    def damage_manifest(self):
        """Makes the digest of the first disk wrong."""
        lines = self.manifest.read_text().splitlines()
        for index, line in enumerate(lines):
            if f"({self.disks[0].name})" in line:
                last = "0" if line[-1] != "0" else "1"
                lines[index] = line[:-1] + last
        self.manifest.write_text("\n".join(lines) + "\n")

    def sign(self, signer, chain=(), algorithm="SHA256"):
        """Writes the certificate file: the signature over the manifest, the signer's certificate, then `chain`."""
        signature = subprocess.run(
            ["openssl", "dgst", f"-{algorithm.lower()}", "-sign", str(signer.path), str(self.manifest)],
            check=True,
            capture_output=True,
            timeout=60,
        ).stdout
        self.certificate = self.folder / f"{self.name}.cert"
        self.certificate.write_text(
            f"{algorithm}({self.manifest.name})= {signature.hex()}\n"
            + "".join(certificate.pem for certificate in (signer, *chain))
        )

    def pack(self, path=None, members=None):
        """Packs an OVA: descriptor first, manifest right after it, then the disks."""
        path = Path(path or self.folder / f"{self.name}.ova")
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
            for member in members or self.all_files():
                entry = tarfile.TarInfo(member.name)
                entry.size = member.stat().st_size
                entry.mode = 0o644
                with open(member, "rb") as content:
                    archive.addfile(entry, content)
        return path


def make_package(
    folder, name="tiny", disk_bytes=(MIB,), seed=1, manifest="SHA256", subformat="streamOptimized", guest_bytes=0
):
    """Descriptor, disks and manifest (an algorithm, or None for no manifest) in `folder`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    disks = [
        make_disk(folder / f"{name}-disk{number}.vmdk", size, f"{seed} {number}", subformat, guest_bytes)
        for number, size in enumerate(disk_bytes, 1)
    ]
    files = [file for disk in disks for file in disk]
    references = [
        f'    <File ovf:id="{file.stem}" ovf:href="{file.name}" ovf:size="{file.stat().st_size}"/>' for file in files
    ]
    sections = [
        f'    <Disk ovf:diskId="vmdisk{number}" ovf:fileRef="{disk[0].stem}" ovf:capacity="{max(size, guest_bytes)}"'
        f' ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#{subformat}"/>'
        for number, (size, disk) in enumerate(zip(disk_bytes, disks, strict=True), 1)
    ]
    descriptor = folder / f"{name}.ovf"
    descriptor.write_text(DESCRIPTOR.format(name=name, references="\n".join(references), disks="\n".join(sections)))
    package = OvfPackage(folder, name, descriptor, files, None)
    if manifest:
        package.write_manifest(manifest)
    return package


def archive_of(members):
    """An OVA as bytes, from (name, content) pairs; for packages that are wrong on purpose."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()
