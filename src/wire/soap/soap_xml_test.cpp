#include "wire/soap/soap_xml.h"

#include <gmock/gmock.h>

#include <chrono>
#include <string>

#include "support/mutation.h"
#include "support/seed.h"

namespace quire::wire {
namespace {

std::string repeated(std::string_view text, std::size_t count) {
  std::string all;
  for (; count > 0; --count) all += text;
  return all;
}

/// The reason why a document is refused, or "read".
std::string refusal(std::string_view document) {
  const auto read = read_xml(document);
  if (read) return "read";
  EXPECT_EQ(read.error().kind(), base::ErrorKind::invalid_request);
  return read.error().text();
}

TEST(ReadXml, NamesNamespacesAttributesAndText) {
  const auto root = read_xml(
      "<?xml version=\"1.0\"?>\n<!-- hello --><a:root xmlns:a=\"urn:a\" xmlns=\"urn:b\" a:type=\"hidden\" "
      "type=\"T&amp;t\">"
      "<child> one <![CDATA[<two>]]>&#x20AC;</child><child/></a:root>\n");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->name, "root");
  EXPECT_EQ(root->space, "urn:a");
  EXPECT_EQ(root->attribute("type"), "T&t");
  EXPECT_EQ(root->attributes.size(), 1U);
  EXPECT_EQ(root->attribute("none"), "");
  ASSERT_EQ(root->children.size(), 2U);
  EXPECT_EQ(root->child("child"), &root->children[0]);
  EXPECT_EQ(root->child("none"), nullptr);
  EXPECT_EQ(root->children[0].space, "urn:b");
  EXPECT_EQ(root->children[0].text, " one <two>\u20AC");
  EXPECT_EQ(root->children[0].trimmed_text(), "one <two>\u20AC");
  EXPECT_EQ(root->children[1].trimmed_text(), "");
}

TEST(ReadXml, RefusesWhatIsNotWellFormed) {
  for (const auto* document : {" ", "text", "<a>", "<a></b>", "<a/><b/>", "<a b=1/>", "<a b='1' b='2'/>", "<p:a/>",
                               "<a>&b;</a>", "<a>&#0;</a>", "{\"a\":1}"}) {
    EXPECT_THAT(refusal(document), testing::HasSubstr("not well-formed")) << document;
  }
  EXPECT_THAT(refusal(""), testing::HasSubstr("empty"));
}

TEST(ReadXml, RefusesEveryDocumentType) {
  for (const auto* document : {
           "<!DOCTYPE a><a/>",
           "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
           "<!DOCTYPE a PUBLIC \"x\" \"http://127.0.0.1:1/x.dtd\"><a/>",
           "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
           "<!DOCTYPE a [<!ENTITY % x SYSTEM \"http://127.0.0.1:1/\"> %x;]><a/>",
           "<!DOCTYPE a [<!ENTITY x \"0123456789\"><!ENTITY y \"&x;&x;&x;&x;\">]><a b=\"&y;&y;\">&y;</a>",
       }) {
    EXPECT_THAT(refusal(document), testing::HasSubstr("document type")) << document;
  }
}

TEST(ReadXml, RefusesOtherEncodings) {
  EXPECT_THAT(refusal("<a>\xE4</a>"), testing::HasSubstr("not UTF-8"));
  EXPECT_THAT(refusal("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xE4</a>"), testing::HasSubstr("not UTF-8"));
  EXPECT_THAT(refusal(std::string_view("\xFF\xFE<\0a\0/\0>\0", 10)), testing::HasSubstr("not UTF-8"));
  EXPECT_THAT(refusal("<a>\xC0\x80</a>"), testing::HasSubstr("not UTF-8"));
  EXPECT_THAT(refusal(std::string_view("<\0a\0/\0>\0", 8)), testing::HasSubstr("not UTF-8"));
  EXPECT_THAT(refusal("<a>\x01</a>"), testing::HasSubstr("not UTF-8"));
  EXPECT_EQ(refusal("\xEF\xBB\xBF<a/>"), "read");

  // What it declares does not matter when it is UTF-8.
  for (const auto* encoding : {"UTF-8", "ISO-8859-1", "ISO-2022-CN-EXT", "UTF-7", "none-such"}) {
    const auto root = read_xml("<?xml version=\"1.0\" encoding=\"" + std::string(encoding) + "\"?><a>\u00E4+AGE-</a>");
    ASSERT_TRUE(root) << encoding;
    EXPECT_EQ(root->text, "\u00E4+AGE-") << encoding;
  }
}

TEST(ReadXml, Limits) {
  EXPECT_EQ(refusal(repeated("<a>", 64) + repeated("</a>", 64)), "read");
  EXPECT_THAT(refusal(repeated("<a>", 65) + repeated("</a>", 65)), testing::HasSubstr("nested too deeply"));
  EXPECT_THAT(refusal(repeated("<a>", 1'000'000)), testing::HasSubstr("nested too deeply"));
  EXPECT_EQ(refusal("<a>" + repeated("<b/>", 9'999) + "</a>"), "read");
  EXPECT_THAT(refusal("<a>" + repeated("<b/>", 10'000) + "</a>"), testing::HasSubstr("too many elements"));
  EXPECT_EQ(refusal("<a b=\"" + std::string(1U << 20U, 'x') + "\"/>"), "read");

  std::string many = "<a";
  for (int i = 0; i < 100'000; ++i) many += " a" + std::to_string(i) + "=''";
  EXPECT_THAT(refusal(many + "/>"), testing::HasSubstr("too many attributes"));
  std::string spaces = "<a";
  for (int i = 0; i < 65; ++i) spaces += " xmlns:a" + std::to_string(i) + "='>'";
  EXPECT_THAT(refusal(spaces + "/>"), testing::HasSubstr("too many attributes"));
}

TEST(ReadXml, DamagedDocumentsNeitherCrashNorPrint) {
  const std::string good =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?><e:E xmlns:e=\"urn:e\"><B a=\"1&lt;\"><!-- c --><c><![CDATA[x]]>\u00E4"
      "</c></B></e:E>";
  ASSERT_TRUE(read_xml(good));
  test_support::Mutator mutator(test_support::test_seed());
  testing::internal::CaptureStderr();
  for (int i = 0; i < 20'000; ++i) (void)read_xml(mutator.damaged(good));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(XmlWriter, EscapesWhateverItIsGiven) {
  XmlWriter out;
  out.open("a");
  out.attribute("b", "<>&\"'\n\t\r");
  out.text("<>&\"'\n\t\r]]>");
  out.leaf("c", std::string_view("\0\x01\x1F\xFFz\xED\xA0\x80\u20AC\uFFFE", 14));
  out.leaf("d", "");
  out.close();
  const std::string document = std::move(out).finish();
  EXPECT_EQ(document,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<a b=\"&lt;&gt;&amp;&quot;'&#10;&#9;&#13;\">&lt;&gt;&amp;&quot;'&#10;&#9;&#13;]]&gt;"
            "<c>\uFFFD\uFFFD\uFFFD\uFFFDz\uFFFD\uFFFD\uFFFD\u20AC\uFFFD</c><d/></a>");
  const auto back = read_xml(document);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->attribute("b"), "<>&\"'\n\t\r");
  EXPECT_EQ(back->text, "<>&\"'\n\t\r]]>");
}

TEST(XmlWriter, AnyBytesComeOutWellFormed) {
  test_support::Mutator mutator(test_support::test_seed());
  for (int i = 0; i < 2'000; ++i) {
    const std::string bytes = mutator.damaged("\u20AC <x a='1'>&amp;\xF0\x9F\x93\x9A</x>");
    XmlWriter out;
    out.open("a");
    out.attribute("b", bytes);
    out.text(bytes);
    out.close();
    EXPECT_TRUE(read_xml(std::move(out).finish(), {.attributes_max = 4096}));
  }
}

}  // namespace
}  // namespace quire::wire
