#include "formats/ovf_descriptor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/mutation.h"
#include "support/seed.h"

namespace quire::formats {

void PrintTo(const OvfReference& reference, std::ostream* out) {
  *out << reference.href << " size " << testing::PrintToString(reference.size) << " compression "
       << testing::PrintToString(reference.compression) << " chunks of "
       << testing::PrintToString(reference.chunk_size);
}

void PrintTo(const ExpectedFile& file, std::ostream* out) {
  *out << file.name << " " << testing::PrintToString(file.size);
}

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using std::string_literals::operator""s;

base::Result<OvfDescriptor> parse(std::string_view text) {
  return parse_ovf_descriptor(std::as_bytes(std::span(text)));
}

std::string envelope(std::string_view inside, std::string_view prolog = {}) {
  return std::string(prolog) +
         "<Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\" "
         "xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\">\n" +
         std::string(inside) + "</Envelope>\n";
}

std::string files(std::string_view elements) {
  return envelope("<References>\n" + std::string(elements) + "\n</References>\n");
}

std::string file_named(std::string_view href) {
  return files("<File ovf:id=\"f\" ovf:href=\"" + std::string(href) + "\"/>");
}

std::string repeat(std::string_view part, std::size_t times) {
  std::string all;
  all.reserve(part.size() * times);
  for (std::size_t i = 0; i < times; ++i) all += part;
  return all;
}

/// The text as UTF-16 with a byte order mark; ASCII only.
std::string utf16(std::string_view text, bool big_endian) {
  std::string wide = big_endian ? "\xFE\xFF" : "\xFF\xFE";
  for (const char c : text) {
    wide += big_endian ? '\0' : c;
    wide += big_endian ? c : '\0';
  }
  return wide;
}

const auto exported_descriptor = R"(<?xml version="1.0" encoding="UTF-8"?>
<!-- made by a hypervisor -->
<Envelope vmw:buildId="build-1" xmlns="http://schemas.dmtf.org/ovf/envelope/1"
    xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:vmw="http://www.vmware.com/schema/ovf"
    xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData">
  <References>
    <File ovf:href="vm-disk1.vmdk" ovf:id="file1" ovf:size="1234"/>
    <vmw:File ovf:href="not-ours"/>
    <File ovf:href="vm (2)/disk &amp; more.vmdk" ovf:id="file2" ovf:compression="gzip" ovf:size=" 99 "/>
    <File ovf:href="big.img" ovf:id="file3" ovf:size="25" ovf:chunkSize="10"/>
    <File ovf:href="vm.nvram" ovf:id="file4"/>
  </References>
  <DiskSection><Info>Disks</Info><File ovf:href="no reference"/></DiskSection>
  <VirtualSystem ovf:id="appliance">
    <Info>A VM</Info><Name>appliance one</Name>
    <References><File ovf:href="nested, no reference"/></References>
  </VirtualSystem>
</Envelope>
)"s;

TEST(OvfDescriptor, ReadsReferencesInTheirOrder) {
  const auto descriptor = parse(exported_descriptor);
  ASSERT_TRUE(descriptor) << descriptor.error().text();
  EXPECT_EQ(descriptor->package_name, "appliance");
  EXPECT_THAT(descriptor->references, ElementsAre(OvfReference{"vm-disk1.vmdk", 1234, std::nullopt, std::nullopt},
                                                  OvfReference{"vm (2)/disk & more.vmdk", 99, "gzip", std::nullopt},
                                                  OvfReference{"big.img", 25, std::nullopt, 10},
                                                  OvfReference{"vm.nvram", std::nullopt, std::nullopt, std::nullopt}));
}

TEST(OvfDescriptor, ExpectsFilesAndChunks) {
  const auto descriptor = parse(exported_descriptor);
  ASSERT_TRUE(descriptor);
  EXPECT_THAT(expected_files(*descriptor),
              ElementsAre(ExpectedFile{"vm-disk1.vmdk", 1234}, ExpectedFile{"vm (2)/disk & more.vmdk", 99},
                          ExpectedFile{"big.img.000000000", 10}, ExpectedFile{"big.img.000000001", 10},
                          ExpectedFile{"big.img.000000002", 5}, ExpectedFile{"vm.nvram", std::nullopt}));
}

TEST(OvfDescriptor, CountsChunksAtTheEdges) {
  const auto expected = [](std::string_view sizes) {
    const auto descriptor = parse(files("<File ovf:href=\"d\" " + std::string(sizes) + "/>"));
    EXPECT_TRUE(descriptor) << sizes;
    return expected_files(*descriptor);
  };
  EXPECT_THAT(expected(R"(ovf:size="20" ovf:chunkSize="10")"),
              ElementsAre(ExpectedFile{"d.000000000", 10}, ExpectedFile{"d.000000001", 10}));
  EXPECT_THAT(expected(R"(ovf:size="10" ovf:chunkSize="10")"), ElementsAre(ExpectedFile{"d.000000000", 10}));
  EXPECT_THAT(expected(R"(ovf:size="0" ovf:chunkSize="10")"), ElementsAre(ExpectedFile{"d.000000000", 0}));
  EXPECT_THAT(expected(R"(ovf:chunkSize="10")"), ElementsAre(ExpectedFile{"d.000000000", std::nullopt}));
  EXPECT_EQ(expected(R"(ovf:size="10000" ovf:chunkSize="1")").size(), max_ovf_files);
  EXPECT_EQ(expected(R"(ovf:size="9223372036854775807" ovf:chunkSize="9223372036854775807")").size(), 1U);
}

TEST(OvfDescriptor, GoesByNamespaceAndNotByPrefix) {
  const auto second = parse(R"(<o:Envelope xmlns:o="http://schemas.dmtf.org/ovf/envelope/2"><o:References>)"
                            R"(<o:File o:href="a"/><o:File href="b"/></o:References></o:Envelope>)");
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_EQ(second->references.size(), 2U);
  // oVirt and virt-v2v end the namespace in a slash.
  for (const std::string version : {"1/", "2/"}) {
    const auto slashed = parse("<ovf:Envelope xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/" + version +
                               "\"><References><File ovf:href=\"no\"/></References><ovf:References>"
                               "<ovf:File ovf:href=\"a\" ovf:size=\"5\"/></ovf:References></ovf:Envelope>");
    ASSERT_TRUE(slashed) << slashed.error().text();
    EXPECT_THAT(slashed->references, ElementsAre(OvfReference{"a", 5, {}, {}}));
  }
  EXPECT_TRUE(parse(envelope(""))->references.empty());
  EXPECT_EQ(parse(envelope("<VirtualSystemCollection ovf:id=\"vapp\"/>"))->package_name, "vapp");
}

TEST(OvfDescriptor, ReadsItsDeclaredEncoding) {
  const auto latin = parse(envelope("<References><File ovf:href=\"caf\xE9\"/></References>",
                                    "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>"));
  ASSERT_TRUE(latin) << latin.error().text();
  EXPECT_EQ(latin->references.front().href, "caf\xC3\xA9");
  const auto utf8 = parse("\xEF\xBB\xBF" + file_named("caf\xC3\xA9"));
  ASSERT_TRUE(utf8) << utf8.error().text();
  EXPECT_EQ(utf8->references.front().href, "caf\xC3\xA9");
  for (const bool big_endian : {false, true}) {
    const auto wide = parse(utf16("<?xml version=\"1.0\" encoding=\"UTF-16\"?>" + file_named("caf&#xE9;"), big_endian));
    ASSERT_TRUE(wide) << wide.error().text();
    EXPECT_EQ(wide->references.front().href, "caf\xC3\xA9");
  }
}

TEST(OvfDescriptor, LongValuesAndTextsAreFine) {
  const auto text = repeat("licence text ", 50'000);
  const auto descriptor =
      parse(envelope("<X a=\"" + repeat("v", 200'000) + "\">" + text + "<![CDATA[" + text.substr(0, 200'000) +
                     "]]></X>" + "<References><File ovf:href=\"a\"/></References>"));
  ASSERT_TRUE(descriptor) << descriptor.error().text();
  EXPECT_EQ(descriptor->references.size(), 1U);
}

struct Refusal {
  std::string descriptor;
  std::string reason;
};

void expect_refused(const std::vector<Refusal>& refusals) {
  testing::internal::CaptureStderr();
  for (const auto& [text, reason] : refusals) {
    const auto parsed = parse(text);
    ASSERT_FALSE(parsed) << text.substr(0, 500);
    EXPECT_EQ(parsed.error().kind(), base::ErrorKind::invalid_argument);
    EXPECT_EQ(parsed.error().messages().front().id, "quire.ovf.invalid");
    EXPECT_THAT(parsed.error().text(), HasSubstr(reason)) << text.substr(0, 500);
    EXPECT_THAT(parsed.error().text(), HasSubstr("(line ")) << text.substr(0, 500);
    EXPECT_LT(parsed.error().text().size(), 600U);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "libxml2 must not print";
}

TEST(OvfDescriptor, RefusesWhatIsNotWellFormed) {
  const auto good = file_named("a");
  expect_refused({
      {"", "line 1"},
      {" ", "line"},
      {"no xml at all", "line 1"},
      {"\0"s, "line 1"},
      {std::string(4, '\xFF'), "line 1"},
      {good.substr(0, good.size() - 5), "line"},
      {good + "<b/>", "line"},
      {good + "text", "line"},
      {envelope("<a></b>"), "line 2"},
      {envelope("<a x=\"1\" x=\"2\"/>"), "line 2"},
      {envelope("<a x=1/>"), "line 2"},
      {envelope("<a>&nothing;</a>"), "line 2"},
      {envelope("<a x='&nothing;'/>"), "line 2"},
      {envelope("<a>\x01</a>"), "line 2"},
      {envelope("<a>&#0;</a>"), "line 2"},
      {envelope("<a>\xC3</a>"), "line 2"},
      {envelope("<undeclared:a/>"), "undeclared"},
      {envelope("<a undeclared:b='c'/>"), "undeclared"},
      {"<?xml version=\"1.0\" encoding=\"no-such-thing\"?>" + good, "line 1"},
      {"<?xml version=\"1.0\" encoding=\"UTF-16\"?>" + good, "line 1"},
  });
}

TEST(OvfDescriptor, RefusesDoctypes) {
  expect_refused({
      {envelope("", "<!DOCTYPE Envelope>"), "DOCTYPE"},
      {envelope("", "<!DOCTYPE Envelope SYSTEM \"http://127.0.0.1:1/x.dtd\">"), "DOCTYPE"},
      {envelope("<a>&x;</a>", "<!DOCTYPE Envelope [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>"), "DOCTYPE"},
      {envelope("<a>&b;</a>", "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>"), "DOCTYPE"},
      {envelope("", "<!DOCTYPE x [<!ENTITY % p SYSTEM \"http://127.0.0.1:1/\"> %p;]>"), "DOCTYPE"},
  });
}

TEST(OvfDescriptor, SaysWhatCameInItsPlace) {
  expect_refused({
      {"<!DOCTYPE html><html/>", "it looks like an HTML page (line 1)"},
      {"<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\"/>", "HTML page"},
      {"<?xml version=\"1.0\"?>" + std::string(2000, ' ') + "<html xmlns=\"http://www.w3.org/1999/xhtml\"/>",
       "HTML page"},
      {"\x1F\x8B\x08"s + std::string(100, '\0'), "it looks like gzip-compressed data"},
      {"PK\x03\x04"s + std::string(100, '\0'), "it looks like a zip archive"},
      {std::string(257, 'n') + "ustar" + std::string(500, '\0'), "it looks like a tar archive"},
      {"KDMV"s + std::string(100, '\0'), "it looks like a VMDK disk"},
      {"{\"error\":\"denied\"}", "it looks like a JSON document"},
      {"", "it is empty (line 1)"},
  });
}

TEST(OvfDescriptor, RefusesOtherRoots) {
  expect_refused({{"<Envelope/>", "in no namespace"},
                  {"<Envelope xmlns=\"http://www.vmware.com/schema/ovf/1/envelope\"/>", "OVF 0.9"},
                  {"<Envelope xmlns=\"http://schemas.citrix.com/ovf/envelope/1\"/>", "Xen"},
                  {"<Envelope xmlns=\"http://www.citrix.com/xenclient/ovf/1\"/>", "Xen"},
                  {"<Envelope xmlns=\"urn:x\"/>", "the namespace 'urn:x'"},
                  {"<Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1//\"/>", "root"},
                  {"<Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/3/\"/>", "root"},
                  {"<References xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\"/>", "root"}});
}

TEST(OvfDescriptor, KeepsHrefsAsWrittenButForLeadingDots) {
  for (const auto& [written, kept] :
       std::vector<std::pair<std::string, std::string>>{{"The%20Image-disk1.vmdk", "The%20Image-disk1.vmdk"},
                                                        {"50%25.vmdk", "50%25.vmdk"},
                                                        {"100%.vmdk", "100%.vmdk"},
                                                        {"./disk.vmdk", "disk.vmdk"},
                                                        {"././d/disk.vmdk", "d/disk.vmdk"},
                                                        {"VM: 1.vmdk", "VM: 1.vmdk"},
                                                        {"disk.vmdk?sig=1", "disk.vmdk?sig=1"}}) {
    const auto parsed = parse(file_named(written));
    ASSERT_TRUE(parsed) << parsed.error().text();
    EXPECT_EQ(parsed->references.front().href, kept);
  }
}

TEST(OvfDescriptor, RefusesUnusableReferences) {
  const auto sized = [](std::string_view sizes) { return files("<File ovf:href=\"d\" " + std::string(sizes) + "/>"); };
  expect_refused({
      {files("<File ovf:id=\"f\"/>"), "no href"},
      {files("<File href=\"a\" ovf:href=\"a\"/>"), "with and without namespace"},
      {file_named(""), "it is empty"},
      {file_named("/etc/passwd"), "a part between slashes is empty"},
      {file_named("../disk"), "a part is"},
      {file_named("a/../../disk"), "a part is"},
      {file_named("a\\b"), "backslash"},
      {file_named("a&#10;b"), "control character"},
      {file_named("a&#x85;b"), "control character"},
      {file_named("http://host/disk.vmdk"), "is a URL"},
      {file_named("file:///etc/passwd"), "is a URL"},
      {file_named("File:disk.vmdk"), "is a URL"},
      {file_named("//host/disk.vmdk"), "not the name of a file of the package"},
      {file_named("gopher://host/disk.vmdk"), "not the name of a file of the package"},
      {file_named("%2e%2e/disk.vmdk"), "percent-decoded, a part is"},
      {file_named("%2Fetc%2Fpasswd"), "percent-decoded, a part between slashes is empty"},
      {file_named("a%00b"), "control character"},
      {file_named("./../disk"), "a part is"},
      {files("<File ovf:href=\"a\"/>\n<File ovf:href=\"./a\"/>"), "two Files have the href 'a' (line 4)"},
      {files("<File ovf:href=\"a\"/>\n<File ovf:href=\"a\"/>"), "two Files have the href 'a' (line 4)"},
      {files("<File ovf:href=\"a.000000000\"/><File ovf:href=\"a\" ovf:chunkSize=\"5\"/>"), "two Files need"},
      {files("<File ovf:href=\"" + std::string(250, 'x') + "\" ovf:chunkSize=\"5\"/>"), "a chunk cannot be used"},
      {sized("ovf:size=\"\""), "unusable size"},
      {sized("ovf:size=\"-1\""), "unusable size"},
      {sized("ovf:size=\"1.5\""), "unusable size"},
      {sized("ovf:size=\"9223372036854775808\""), "unusable size"},
      {sized("ovf:size=\"1\" size=\"2\""), "unusable size"},
      {sized("ovf:chunkSize=\"0\""), "chunkSize 0"},
      {sized("ovf:chunkSize=\"x\""), "unusable chunkSize"},
      {sized("ovf:size=\"10001\" ovf:chunkSize=\"1\""), "more than 10000 files"},
      {sized("ovf:size=\"9223372036854775807\" ovf:chunkSize=\"1\""), "more than 10000 files"},
  });
}

TEST(OvfDescriptor, HasLimits) {
  std::string many;
  for (std::size_t i = 0; i < max_ovf_files; ++i) many += "<File ovf:href=\"" + std::to_string(i) + "\"/>";
  EXPECT_TRUE(parse(files(many)));
  const auto deep = [](std::size_t depth) { return envelope(repeat("<a>", depth - 1) + repeat("</a>", depth - 1)); };
  EXPECT_TRUE(parse(deep(max_ovf_depth)));
  std::string attributes;
  for (std::size_t i = 0; i < max_ovf_attributes; ++i) attributes += " a" + std::to_string(i) + "='1'";
  EXPECT_TRUE(parse(envelope("<a" + attributes + "/>")));
  std::string namespaces;
  for (std::size_t i = 0; i < max_ovf_namespaces; ++i) namespaces += "<a xmlns:a" + std::to_string(i) + "='urn:1'/>";
  std::string names;
  for (std::size_t i = 0; i < max_ovf_names; ++i) names += "<a" + std::to_string(i) + "/>";
  expect_refused({
      {files(many + "<File ovf:href=\"more\"/>"), "more than 10000 files"},
      {deep(max_ovf_depth + 1), "nested deeper"},
      {envelope(repeat("<a>", 100'000)), "nested deeper"},
      {envelope("<a" + attributes + " more='1'/>"), "attributes"},
      {envelope(namespaces), "namespaces"},
      {envelope(names), "different names"},
      {envelope(repeat("<a/>", max_ovf_nodes)), "nodes"},
      {envelope(repeat("<!--a-->", max_ovf_nodes)), "nodes"},
      {envelope(repeat("<?a?>", max_ovf_nodes)), "nodes"},
      {envelope("<a x='" + std::string(2 * max_ovf_tag_bytes, 'v') + "'/>"), "a tag, comment or CDATA section"},
      {envelope("<!--" + std::string(2 * max_ovf_tag_bytes, 'v') + "-->"), "a tag, comment or CDATA section"},
      {envelope("<" + std::string(2 * max_ovf_tag_bytes, 'v') + "/>"), "line"},
      {std::string(max_ovf_bytes + 1, ' '), "larger than"},
  });
}

// The parser compares every attribute of a tag with every other; a tag of megabytes would keep it busy for minutes.
TEST(OvfDescriptor, ManyAttributesCostLittle) {
  std::string attributes;
  for (std::size_t i = 0; attributes.size() < max_ovf_bytes - 1000; ++i) attributes += " a" + std::to_string(i) + "=''";
  expect_refused({{envelope("<a" + attributes + "/>"), "a tag, comment or CDATA section"}});
  expect_refused(
      {{envelope("<a" + attributes.substr(0, attributes.rfind(' ', max_ovf_tag_bytes - 1000)) + "/>"), "attributes"}});
}

TEST(OvfDescriptor, SurvivesDamage) {
  test_support::Mutator mutator(test_support::test_seed());
  testing::internal::CaptureStderr();
  for (int i = 0; i < 5000; ++i) {
    const auto parsed = parse(mutator.damaged(exported_descriptor));
    EXPECT_TRUE(!parsed || expected_files(*parsed).size() >= parsed->references.size());
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(OvfDescriptorDeployment, IsWhatTheSectionsSay) {
  const auto parsed = parse(
      "<Envelope xmlns='http://schemas.dmtf.org/ovf/envelope/1' xmlns:ovf='http://schemas.dmtf.org/ovf/envelope/1' "
      "xmlns:vmw='http://www.vmware.com/schema/ovf' xmlns:other='urn:other'>"
      "<References/>"
      "<NetworkSection><Info>Networks</Info><Network ovf:name='VM Network'><Description>d</Description></Network>"
      "<Network ovf:name='Storage'/></NetworkSection>"
      "<vmw:StorageGroupSection ovf:required='false' vmw:id='group1' vmw:name='fast'><Info/></vmw:StorageGroupSection>"
      "<VirtualSystem ovf:id='vm'><Info>A machine</Info><Name> tiny &amp; small </Name>"
      "<AnnotationSection><Info/><Annotation>first line\nsecond</Annotation></AnnotationSection>"
      "<EulaSection><Info/><License><![CDATA[Do <no> harm]]></License></EulaSection>"
      "<EulaSection><Info/><License>Really</License></EulaSection>"
      "<other:EulaSection><License>not ours</License></other:EulaSection>"
      "<ProductSection ovf:class='vami' ovf:instance='1'><Info/><Product>P</Product><Category>LAN</Category>"
      "<Property ovf:key='ip' ovf:type='string' ovf:userConfigurable='true' ovf:value='10.0.0.1' "
      "ovf:qualifiers='MinLen(7),MaxLen(15)'><Label>Address</Label><Description>IPv4</Description></Property>"
      "<Property ovf:key='build' ovf:type='string' ovf:value='7'><Label>hidden</Label></Property>"
      "<Property ovf:key='count' ovf:type='uint16' ovf:userConfigurable='true'><Value ovf:value='3'/></Property>"
      "<Category>Access</Category>"
      "<Property ovf:key='pw' ovf:type='string' ovf:password='true' ovf:qualifiers='MinLen(8)' "
      "ovf:userConfigurable='true'/>"
      "<Property ovf:key='size' ovf:type='string' ovf:qualifiers='ValueMap{\"s\",\"l\"}' "
      "ovf:userConfigurable='true'/></ProductSection>"
      "</VirtualSystem></Envelope>");
  ASSERT_TRUE(parsed) << parsed.error().text();
  const auto& deployment = parsed->deployment;
  EXPECT_EQ(deployment.name, "tiny & small");
  EXPECT_EQ(deployment.annotation, "first line\nsecond");
  EXPECT_THAT(deployment.eulas, ElementsAre("Do <no> harm", "Really"));
  EXPECT_THAT(deployment.networks, ElementsAre("VM Network", "Storage"));
  EXPECT_THAT(deployment.storage_groups, ElementsAre("group1"));
  EXPECT_THAT(deployment.properties,
              ElementsAre(OvfProperty{"vami", "ip", "1", "LAN", "Address", "IPv4", "string(7..15)", "10.0.0.1"},
                          OvfProperty{"vami", "count", "1", "LAN", "", "", "int", "3"},
                          OvfProperty{"vami", "pw", "1", "Access", "", "", "password(8..)", ""},
                          OvfProperty{"vami", "size", "1", "Access", "", "", "string[\"s\",\"l\"]", ""}));
}

TEST(OvfDescriptorDeployment, DescribesProductSystemsAndDisks) {
  const auto parsed = parse(
      "<Envelope xmlns='http://schemas.dmtf.org/ovf/envelope/1' xmlns:ovf='http://schemas.dmtf.org/ovf/envelope/1' "
      "xmlns:vmw='http://www.vmware.com/schema/ovf'>"
      "<References><File ovf:id='f1' ovf:href='./a.vmdk'/></References>"
      "<DiskSection><Info/>"
      "<Disk ovf:diskId='d1' ovf:fileRef='f1' ovf:capacity='40' ovf:capacityAllocationUnits='byte * 2^30' "
      "ovf:format='urn:f'/>"
      "<Disk ovf:diskId='d2' ovf:capacity='512'/>"
      "<Disk ovf:diskId='d3' ovf:capacity='3' ovf:capacityAllocationUnits='MegaBytes' ovf:fileRef='gone'/>"
      "<Disk ovf:diskId='d4' ovf:capacity='${size}' ovf:capacityAllocationUnits='byte * 2^20'/>"
      "<Disk ovf:diskId='d5' ovf:capacity='9223372036854775807' ovf:capacityAllocationUnits='byte * 2^30'/>"
      "<Disk ovf:diskId='d6' ovf:capacity='1' ovf:capacityAllocationUnits='furlong'/></DiskSection>"
      "<VirtualSystemCollection ovf:id='c'>"
      "<VirtualSystem ovf:id='1'><OperatingSystemSection ovf:id='96' vmw:osType='debian12_64Guest'><Info/>"
      "<Description>Debian 12</Description></OperatingSystemSection>"
      "<ProductSection><Info/><Product>P</Product><Vendor>V</Vendor><Version>1</Version><FullVersion>1.2 "
      "b3</FullVersion>"
      "<ProductUrl>http://p</ProductUrl></ProductSection>"
      "<ProductSection><Product>another</Product></ProductSection></VirtualSystem>"
      "<VirtualSystem ovf:id='2'><OperatingSystemSection ovf:id='1' vmw:osType='otherGuest'><Description> "
      "</Description>"
      "</OperatingSystemSection></VirtualSystem>"
      "<VirtualSystem ovf:id='3'><OperatingSystemSection ovf:id='101'/></VirtualSystem>"
      "</VirtualSystemCollection></Envelope>");
  ASSERT_TRUE(parsed) << parsed.error().text();
  const auto& deployment = parsed->deployment;
  EXPECT_EQ(deployment.product, "P");
  EXPECT_EQ(deployment.vendor, "V");
  EXPECT_EQ(deployment.product_version, "1.2 b3");
  EXPECT_EQ(deployment.product_url, "http://p");
  EXPECT_THAT(deployment.operating_systems, ElementsAre("Debian 12", "otherGuest", "CIM 101"));
  EXPECT_THAT(deployment.disks,
              ElementsAre(OvfDisk{"d1", std::uint64_t{40} << 30U, "f1", "a.vmdk", "urn:f"},
                          OvfDisk{"d2", 512, "", "", ""}, OvfDisk{"d3", std::uint64_t{3} << 20U, "gone", "", ""},
                          OvfDisk{"d4", {}, "", "", ""}, OvfDisk{"d5", {}, "", "", ""}, OvfDisk{"d6", {}, "", "", ""}));
}

TEST(OvfDescriptorDeployment, IsEmptyWhereNothingIsSaid) {
  const auto parsed = parse(envelope("<VirtualSystem ovf:id='vm'><ProductSection/></VirtualSystem>"));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->deployment.name, "");
  EXPECT_TRUE(parsed->deployment.eulas.empty() && parsed->deployment.properties.empty());
}

}  // namespace
}  // namespace quire::formats
