"""An OVF package that says all that the page shows: product, operating system, disks, networks, properties, licence."""

import re

from ova_package import make_package

SECTIONS = """
  <NetworkSection><Info>Networks</Info><Network ovf:name="VM Network"/><Network ovf:name="Storage"/></NetworkSection>
"""
DESCRIPTION = """
    <ProductSection ovf:class="com.example" ovf:instance="1">
      <Info>Product</Info><Product>Appliance</Product><Vendor>Example</Vendor><FullVersion>4.2.1 build 99</FullVersion>
      <Category>Network</Category>
      <Property ovf:key="hostname" ovf:type="string" ovf:qualifiers="MinLen(1)" ovf:userConfigurable="true" ovf:value="appliance"><Label>Host name</Label><Description>As others call it.</Description></Property>
      <Property ovf:key="secret" ovf:type="string" ovf:password="true" ovf:userConfigurable="true"><Label>Password</Label></Property>
    </ProductSection>
    <AnnotationSection><Info>Note</Info><Annotation>Made for tests.</Annotation></AnnotationSection>
    <EulaSection><Info>Licence</Info><License>You may do with it what you like.</License></EulaSection>
    <OperatingSystemSection ovf:id="96"><Info>Guest</Info><Description>Debian GNU/Linux 12 (64-bit)</Description></OperatingSystemSection>
"""


def make_telling_package(folder, name="appliance", signer=None):
    package = make_package(folder, name, [1 << 20, 1 << 20], seed=name, manifest=None)
    text = package.descriptor.read_text()
    text = text.replace("  <VirtualSystem", SECTIONS + "  <VirtualSystem", 1)
    text = re.sub(r"\s*<OperatingSystemSection.*?</OperatingSystemSection>", lambda _: DESCRIPTION, text, flags=re.DOTALL)
    text = text.replace('ovf:capacity="1048576"', 'ovf:capacity="40" ovf:capacityAllocationUnits="byte * 2^30"')
    package.descriptor.write_text(text)
    package.write_manifest()
    if signer:
        package.sign(signer)
    return package
