#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/describe.h"
#include "wire/codec/rest_codec.h"
#include "wire/codec/vapi_codec.h"

namespace quire::wire::codec_test {

QUIRE_ENUM(Color, RED, GREEN)

struct Part {
  static constexpr std::string_view canonical_name = "com.example.part";
  std::string name;
  std::optional<std::int64_t> size;
};
BOOST_DESCRIBE_STRUCT(Part, (), (name, size))

struct Whole {
  static constexpr std::string_view canonical_name = "com.example.whole";
  std::string id;
  bool on = false;
  std::int64_t count = 0;
  Color color = Color::RED;
  base::Time when{};
  std::vector<Part> parts;
  std::map<std::string, Part> by_name;
  std::optional<api::Secret> password;
  std::optional<std::vector<std::string>> words;
  std::optional<Part> spare;
};
BOOST_DESCRIBE_STRUCT(Whole, (), (id, on, count, color, when, parts, by_name, password, words, spare))

}  // namespace quire::wire::codec_test

template <>
inline constexpr std::string_view quire::api::enumeration_name<quire::wire::codec_test::Color> = "com.example.color";

namespace quire::wire::codec_test {
namespace {

namespace json = boost::json;

const api::Type& whole() { return api::type_of<Whole>(); }

constexpr std::string_view full_current =
    R"({"id":"x","on":true,"count":9007199254740993,"color":"GREEN","when":"2026-02-11T08:04:17.512Z",)"
    R"("parts":[{"name":"a","size":1},{"name":"b"}],"by_name":{"k":{"name":"c"}},"password":"p","words":[],)"
    R"("spare":{"name":"d"}})";

/// Decoded from one REST form and encoded in another; or the error's text.
std::string rest(std::string_view text, RestForm from, RestForm to) {
  Whole value;
  const auto done =
      decode_rest(json::parse({text.data(), text.size()}), whole(), &value, from, InputPath{nullptr, "spec"});
  return done ? json::serialize(encode_rest(whole(), &value, to)) : done.error().text();
}

std::string rest(std::string_view text) { return rest(text, RestForm::current, RestForm::current); }

/// `full_current` with `old_part` replaced.
std::string changed(std::string_view old_part, std::string_view new_part) {
  std::string text(full_current);
  const auto at = text.find(old_part);
  EXPECT_NE(at, std::string::npos) << old_part;
  return text.replace(at, old_part.size(), new_part);
}

TEST(RestCodec, RoundTrip) { EXPECT_EQ(rest(full_current), full_current); }

TEST(RestCodec, FormsDifferInMapsOnly) {
  const auto legacy = changed(R"({"k":{"name":"c"}})", R"([{"key":"k","value":{"name":"c"}}])");
  EXPECT_EQ(rest(full_current, RestForm::current, RestForm::legacy), legacy);
  EXPECT_EQ(rest(legacy, RestForm::legacy, RestForm::current), full_current);
}

TEST(RestCodec, NullMissingAndUnknownMembers) {
  const auto plain = changed(R"(,"password":"p","words":[],"spare":{"name":"d"})", "");
  EXPECT_EQ(rest(plain), plain);
  EXPECT_EQ(rest(changed(R"(,"password":"p","words":[],"spare":{"name":"d"})",
                         R"(,"password":null,"words":null,"spare":null,"newer":{"deep":[1]})")),
            plain);
}

TEST(RestCodec, RefusesByPath) {
  struct Case {
    std::string_view old_part, new_part, text;
  };
  for (const auto& [old_part, new_part, text] : std::vector<Case>{
           {R"("id":"x",)", "", "spec.id is required."},
           {R"("id":"x",)", R"("id":null,)", "spec.id is required."},
           {R"("id":"x")", R"("id":5)", "spec.id must be a string without the character U+0000."},
           {R"("id":"x")", R"("id":"\u0000")", "spec.id must be a string without the character U+0000."},
           {"true", "\"true\"", "spec.on must be true or false."},
           {"true", "1", "spec.on must be true or false."},
           {"9007199254740993", "5.0", "spec.count must be an integer of at most 64 bits."},
           {"9007199254740993", "1e2", "spec.count must be an integer of at most 64 bits."},
           {"9007199254740993", "\"5\"", "spec.count must be an integer of at most 64 bits."},
           {"9007199254740993", "9223372036854775808", "spec.count must be an integer of at most 64 bits."},
           {"\"GREEN\"", "\"green\"", "spec.color must be one of RED, GREEN."},
           {"\"GREEN\"", "1", "spec.color must be one of RED, GREEN."},
           {"2026-02-11T08", "2026-02-31T08", "spec.when must be a date and time like 2026-02-11T08:04:17.512Z."},
           {R"("name":"a",)", "", "spec.parts[0].name is required."},
           {R"({"name":"b"})", "null", "spec.parts[1] is required."},
           {R"({"name":"b"})", "[]", "spec.parts[1] must be an object."},
           {R"("words":[])", R"("words":["a",1])", "spec.words[1] must be a string without the character U+0000."},
           {R"("words":[])", R"("words":{})", "spec.words must be an array."},
           {R"({"k":{"name":"c"}})", R"({"k":{}})", "spec.by_name.k.name is required."},
           {R"({"k":{"name":"c"}})", "[]", "spec.by_name must be an object."},
           {R"({"name":"d"})", R"({"name":"d","size":1.5})", "spec.spare.size must be an integer of at most 64 bits."},
       })
    EXPECT_EQ(rest(changed(old_part, new_part)), text) << new_part;
  EXPECT_EQ(rest("[]"), "spec must be an object.");
  for (const std::string_view map : {R"({"k":1})", R"([1])", R"([{"key":1,"value":{}}])", R"([{"key":"k"}])"})
    EXPECT_EQ(rest(changed(R"({"k":{"name":"c"}})", map), RestForm::legacy, RestForm::current),
              "spec.by_name must be an array of objects with key and value.");
  EXPECT_EQ(
      rest(changed(R"({"k":{"name":"c"}})", R"([{"key":"k","value":{"name":"a"}},{"key":"k","value":{"name":"b"}}])"),
           RestForm::legacy, RestForm::current),
      "spec.by_name must be a map with each key once.");
}

TEST(RestCodec, AcceptsAnyRfc3339) {
  EXPECT_EQ(rest(changed("2026-02-11T08:04:17.512Z", "2026-02-11t09:04:17.5123456+01:00")), full_current);
  EXPECT_EQ(rest(changed("2026-02-11T08:04:17.512Z", "2026-02-11T08:04:17Z")), changed("17.512Z", "17.000Z"));
}

TEST(RestCodec, LimitsLists) {
  std::string list = "[\"\"";
  for (std::size_t i = 0; i < elements_max; ++i) list += ",\"\"";
  EXPECT_EQ(rest(changed(R"("words":[])", "\"words\":" + list + "]")), "spec.words has more than 10000 elements.");
}

struct Query {
  static constexpr std::string_view canonical_name = "operation-input";
  std::optional<Whole> unused;
  std::optional<std::vector<std::string>> names;
  std::optional<Part> filter;
  std::optional<std::int64_t> number;
  std::string id;
};
BOOST_DESCRIBE_STRUCT(Query, (), (unused, names, filter, number, id))

std::string query(std::string_view target) {
  const auto parsed = parse_target(target);
  std::vector<bool> used(parsed->query.size());
  Query value;
  for (const auto& field : api::type_of<Query>().fields)
    if (auto done = decode_query(parsed->query, field.name, *field.type, field.get_mutable(&value), used); !done)
      return done.error().text();
  auto text = json::serialize(encode_rest(api::type_of<Query>(), &value, RestForm::current));
  for (std::size_t i = 0; i < used.size(); ++i)
    if (!used[i]) text += " unused " + parsed->query[i].name;
  return text;
}

TEST(RestCodec, Query) {
  EXPECT_EQ(query("/?id=a%3Ab"), R"({"id":"a:b"})");
  EXPECT_EQ(query("/?id=a&names=x&names=y"), R"({"names":["x","y"],"id":"a"})");
  EXPECT_EQ(query("/?id=a&names.1=x&names.2=y"), R"({"names":["x","y"],"id":"a"})");
  EXPECT_EQ(query("/?id=&filter.name=n&filter.size=-5"), R"({"filter":{"name":"n","size":-5},"id":""})");
  EXPECT_EQ(query("/?id=a&other=1"), R"({"id":"a"} unused other)");
  EXPECT_EQ(query("/?id=a&names.x=1"), "names is required.");
  EXPECT_EQ(query("/?number=1"), "id is required.");
  EXPECT_EQ(query("/?id=a&id=b"), "id must be given once.");
  for (const auto* number : {"1.0", "", "+1", "1x", "99999999999999999999"})
    EXPECT_EQ(query(std::string("/?id=a&number=") + number), "number must be an integer of at most 64 bits.");
  EXPECT_EQ(query("/?id=a&filter.size=1"), "filter.name is required.");
}

constexpr std::string_view full_vapi =
    R"({"STRUCTURE":{"com.example.whole":{"id":"x","on":true,"count":9007199254740993,"color":"GREEN",)"
    R"("when":"2026-02-11T08:04:17.512Z",)"
    R"("parts":[{"STRUCTURE":{"com.example.part":{"name":"a","size":{"OPTIONAL":1}}}},)"
    R"({"STRUCTURE":{"com.example.part":{"name":"b","size":{"OPTIONAL":null}}}}],)"
    R"("by_name":[{"STRUCTURE":{"map-entry":{"key":"k","value":)"
    R"({"STRUCTURE":{"com.example.part":{"name":"c","size":{"OPTIONAL":null}}}}}}}],)"
    R"("password":{"OPTIONAL":{"SECRET":"p"}},"words":{"OPTIONAL":[]},)"
    R"("spare":{"OPTIONAL":{"STRUCTURE":{"com.example.part":{"name":"d","size":{"OPTIONAL":null}}}}}}}})";

std::string vapi(std::string text, std::string_view old_part = "", std::string_view new_part = "") {
  const auto at = text.find(old_part);
  EXPECT_NE(at, std::string::npos) << old_part;
  text.replace(at, old_part.size(), new_part);
  Whole value;
  const auto done = decode_vapi(json::parse(text), whole(), &value, InputPath{});
  return done ? json::serialize(encode_vapi(whole(), &value)) : done.error().text();
}

std::string vapi(std::string_view old_part, std::string_view new_part) {
  return vapi(std::string(full_vapi), old_part, new_part);
}

TEST(VapiCodec, WritesEveryFieldAndWrapsEveryOptional) {
  EXPECT_EQ(vapi(std::string(full_vapi)), full_vapi);
  const Whole empty;
  EXPECT_EQ(json::serialize(encode_vapi(whole(), &empty)),
            R"({"STRUCTURE":{"com.example.whole":{"id":"","on":false,"count":0,"color":"RED",)"
            R"("when":"1970-01-01T00:00:00.000Z","parts":[],"by_name":[],"password":{"OPTIONAL":null},)"
            R"("words":{"OPTIONAL":null},"spare":{"OPTIONAL":null}}}})");
}

TEST(VapiCodec, ReadsLeniently) {
  struct Case {
    std::string_view old_part, new_part;
  };
  for (const auto& [old_part, new_part] : std::vector<Case>{
           {"com.example.whole", "operation-input"},                 // another structure name
           {R"(,"size":{"OPTIONAL":null})", ""},                     // an optional left out
           {R"({"OPTIONAL":{"SECRET":"p"}})", R"({"SECRET":"p"})"},  // unwrapped optionals
           {R"({"OPTIONAL":{"SECRET":"p"}})", R"("p")"},
           {R"({"OPTIONAL":[]})", "[]"},
           {R"({"OPTIONAL":1})", "1"},
           {R"({"OPTIONAL":null})", "null"},
           {R"("id":"x")", R"("id":{"OPTIONAL":"x"})"},  // a mandatory value in a wrapper
           {R"("id":"x")", R"("newer":{"OPTIONAL":{"STRUCTURE":{"com.new":{}}}},"id":"x")"},
       })
    EXPECT_EQ(vapi(old_part, new_part), full_vapi) << new_part;
}

TEST(VapiCodec, RefusesByPath) {
  struct Case {
    std::string_view old_part, new_part, text;
  };
  for (const auto& [old_part, new_part, text] : std::vector<Case>{
           {R"("id":"x",)", "", "id is required."},
           {R"("id":"x")", R"("id":{"OPTIONAL":null})", "id is required."},
           {"9007199254740993", "\"1\"", "count must be an integer of at most 64 bits."},
           {"\"GREEN\"", "\"BLUE\"", "color must be one of RED, GREEN."},
           {R"({"STRUCTURE":{"com.example.part":{"name":"a","size":{"OPTIONAL":1}}}})", R"({"name":"a"})",
            "parts[0] must be a STRUCTURE."},
           {R"({"OPTIONAL":[]})", R"({"OPTIONAL":{}})", "words must be an array."},
           {R"("name":"c",)", "", "by_name.k.name is required."},
           {R"("key":"k",)", "", "by_name must be an array of map-entry structures."},
           {"map-entry\":{", "map-entry\":{\"key2\":1},\"x\":{", "by_name must be an array of map-entry structures."},
       })
    EXPECT_EQ(vapi(old_part, new_part), text) << new_part;
}

}  // namespace
}  // namespace quire::wire::codec_test
