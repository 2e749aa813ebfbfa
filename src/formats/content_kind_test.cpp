#include "formats/content_kind.h"

#include <gtest/gtest.h>

#include "support/tar_writer.h"

namespace quire::formats {
namespace {

using std::string_literals::operator""s;

std::string kind(std::string_view content) {
  return std::string(content_kind(std::as_bytes(std::span(content))).value_or("?"));
}

TEST(ContentKind, TellsWhatPeopleSendByMistake) {
  struct Case {
    std::string content;
    std::string_view kind;
  };
  for (const auto& [content, expected] : std::vector<Case>{
           {"", "an empty file"},
           {test_support::TarWriter().file("vm.ovf", "<Envelope/>").whole(), "a tar archive"},
           {test_support::TarWriter(test_support::TarForm::gnu).file("vm.ovf", "").whole(), "a tar archive"},
           {"\x1F\x8B\x08\0\0"s, "gzip-compressed data"},
           {"PK\x03\x04\x14", "a zip archive"},
           {"PK\x05\x06"s + std::string(18, '\0'), "a zip archive"},
           {"\xFD\x37zXZ\0\0"s, "xz-compressed data"},
           {"BZh91AY", "bzip2-compressed data"},
           {"\x28\xB5\x2F\xFD\x04", "zstd-compressed data"},
           {"7z\xBC\xAF\x27\x1C\0"s, "a 7z archive"},
           {"%PDF-1.7\n", "a PDF document"},
           {"KDMV\x01\0\0"s, "a VMDK disk"},
           {"# Disk DescriptorFile\nversion=1", "the description of a VMDK disk"},
           {"QFI\xFB\0\0\0\x03"s, "a qcow2 disk"},
           {"<!DOCTYPE html><title>Log in</title>", "an HTML page"},
           {"\xEF\xBB\xBF\r\n <!-- portal -->\n<!doctype HTML>", "an HTML page"},
           {"<HTML lang=en>", "an HTML page"},
           {"<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0\">", "an HTML page"},
           {"<?xml version=\"1.0\"?><Envelope/>", "an XML document"},
           {"<ovf:Envelope xmlns:ovf=\"x\">", "an XML document"},
           {"{\"error\":\"denied\"}", "a JSON document"},
           {"-----BEGIN CERTIFICATE-----\n", "a PEM file"},
           {"SHA256(a)= 00", "?"},
           {"some text", "?"},
           {std::string(2000, '\0'), "?"},
           {"<!-- no end", "?"},
           {"P", "?"}})
    EXPECT_EQ(kind(content), expected) << content.substr(0, 40);
}

TEST(ContentKind, LooksAtTheStartAlone) {
  EXPECT_EQ(kind(std::string(content_kind_bytes, ' ') + "<html>"), "?");
  EXPECT_EQ(looks_like(std::as_bytes(std::span("BZh9", 4))), ", and it looks like bzip2-compressed data");
  EXPECT_EQ(looks_like(std::as_bytes(std::span("text", 4))), "");
}

}  // namespace
}  // namespace quire::formats
