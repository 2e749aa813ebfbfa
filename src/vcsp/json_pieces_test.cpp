#include "vcsp/json_pieces.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

namespace quire::vcsp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

using Pieces = std::vector<std::string>;
using Members = std::vector<std::pair<std::string, std::string>>;

Pieces elements_of(std::string_view text) {
  Pieces pieces;
  const auto problem = each_element(text, [&](std::string_view one) { pieces.emplace_back(one); });
  EXPECT_EQ(problem, std::nullopt) << text;
  return pieces;
}
Members members_of(std::string_view text) {
  Members members;
  const auto problem =
      each_member(text, [&](std::string_view key, std::string_view value) { members.emplace_back(key, value); });
  EXPECT_EQ(problem, std::nullopt) << text;
  return members;
}
std::string problem_of_array(std::string_view text) {
  return std::string(each_element(text, [](std::string_view) {}).value_or("none"));
}
std::string problem_of_object(std::string_view text) {
  return std::string(each_member(text, [](std::string_view, std::string_view) {}).value_or("none"));
}

TEST(JsonPieces, CutsArrays) {
  EXPECT_THAT(elements_of(" [ ] "), IsEmpty());
  EXPECT_THAT(elements_of(R"( [ 1 ,true,"a,]\"\\" , [[],{"x":[2]}] , {"a" : "}"} ] )"),
              ElementsAre("1", "true", R"("a,]\"\\")", R"([[],{"x":[2]}])", R"({"a" : "}"})"));
  EXPECT_THAT(elements_of("[tru,{bad},\"\\q\"]"), ElementsAre("tru", "{bad}", "\"\\q\"")) << "not judged here";
}

TEST(JsonPieces, CutsObjects) {
  EXPECT_THAT(members_of("{}"), IsEmpty());
  EXPECT_THAT(members_of(R"( { "a" : 1,"b\"" :{"c":[]} , "":null}
)"),
              ElementsAre(Pair("\"a\"", "1"), Pair(R"("b\"")", R"({"c":[]})"), Pair("\"\"", "null")));
}

TEST(JsonPieces, SaysWhatIsWrong) {
  for (const char* text : {"", "{}", "1", "null"}) EXPECT_EQ(problem_of_array(text), "is not a JSON array") << text;
  for (const char* text : {"", "[]", "\"a\""}) EXPECT_EQ(problem_of_object(text), "is not a JSON object") << text;
  for (const char* text :
       {"[1,]", "[,1]", "[1 2]", "[1}", "[{]}]", "[1]]", "[1] x", "[\"a\"\"b\"]", "[tru\"a\"]", "[:]"})
    EXPECT_EQ(problem_of_array(text), "is not JSON") << text;
  for (const char* text : {"{\"a\"}", "{a:1}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1]", "{\"a\":1}}", "{\"a\"=1}"})
    EXPECT_EQ(problem_of_object(text), "is not JSON") << text;
}

TEST(JsonPieces, EveryCutShows) {
  const std::string array = R"([{"a":"\"]","b":[1,2]},"c\\",3])";
  for (std::size_t length = 1; length < array.size(); ++length)
    EXPECT_EQ(problem_of_array(array.substr(0, length)), "is cut off") << length;
  const std::string object = R"({"a":"\"]","b":[1,{}],"c":3})";
  for (std::size_t length = 1; length < object.size(); ++length)
    EXPECT_EQ(problem_of_object(object.substr(0, length)), "is cut off") << length;
}

TEST(JsonPieces, NestingIsBounded) {
  const auto nested = [](std::size_t depth) { return "[" + std::string(depth, '[') + std::string(depth, ']') + "]"; };
  EXPECT_EQ(problem_of_array(nested(64)), "none");
  EXPECT_EQ(problem_of_array(nested(65)), "is nested too deep");
  EXPECT_EQ(problem_of_array(std::string(10'000'000, '[')), "is nested too deep");
}

}  // namespace
}  // namespace quire::vcsp
