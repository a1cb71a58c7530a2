#include <gtest/gtest.h>

#include "engine/api/cel/evaluator.h"
#include "engine/api/regex.h"

namespace orrery::api::cel {
namespace {

// The value as JSON text, or "error: why".
std::string value_of(std::string_view source, std::string_view self = "{}") {
  const auto parsed = parse(source);
  if (!parsed.is_ok()) return "error: " + parsed.status().message();
  const Json object = *Json::parse(self);
  Budget budget;
  const auto value = evaluate(**parsed, {{"self", Value::view(object)}}, budget);
  if (!value.is_ok()) return "error: " + value.status().message();
  return value->is_json() ? value->json->dump() : std::string(value->type_name());
}

TEST(Cel, OperatorsBindAsInTheLanguage) {
  EXPECT_EQ(value_of("1 + 2 * 3"), "7");
  EXPECT_EQ(value_of("!false && 1 < 2 || 1 / 0 == 1"), "true");
  EXPECT_EQ(value_of("2 > 1 ? 'yes' : 'no'"), "\"yes\"");
  EXPECT_EQ(value_of("-(-3) % 2"), "1");
  EXPECT_EQ(value_of("'a' in ['a', 'b'] && !('k' in {'x': 1})"), "true");
}

TEST(Cel, FailuresThatDoNotDecideDoNotMatter) {
  EXPECT_EQ(value_of("self.missing || true"), "true");
  EXPECT_EQ(value_of("false && self.missing"), "false");
  EXPECT_EQ(value_of("self.missing || false"), "error: no such key: missing");
  EXPECT_EQ(value_of("[1, 2].exists(x, x == 2 || self.missing)"), "true");
}

TEST(Cel, MacrosWalkListsAndKeysOfMaps) {
  EXPECT_EQ(value_of("self.ports.all(p, p > 0)", R"({"ports":[1,2]})"), "true");
  EXPECT_EQ(value_of("self.all(k, k.startsWith('a'))", R"({"a1":1,"a2":2})"), "true");
  EXPECT_EQ(value_of("self.l.filter(x, x > 1).map(x, x * 10)", R"({"l":[1,2,3]})"), "[20,30]");
  EXPECT_EQ(value_of("[1, 2, 2].exists_one(x, x == 2)"), "false");
  EXPECT_EQ(value_of("has(self.a) && !has(self.b)", R"({"a":null})"), "true");
}

TEST(Cel, FunctionsOnTextsCountCharacters) {
  EXPECT_EQ(value_of("size('h\\u00e9')"), "2");
  EXPECT_EQ(value_of("'abc'.matches('^a.c$') && 'abc'.endsWith('bc') && 'abc'.contains('b')"), "true");
  EXPECT_EQ(value_of("'a,b'.split(',').join('-') + string(1) + 'ABC'.lowerAscii()"), "\"a-b1abc\"");
  EXPECT_EQ(value_of("int('12') + int(2.9)"), "14");
  EXPECT_EQ(value_of("quantity('1Gi').isGreaterThan(quantity('1G'))"), "true");
  EXPECT_EQ(value_of("duration('1m') < duration('61s')"), "true");
  EXPECT_EQ(value_of("self.__dash__x.size()", R"({"-x":[1]})"), "1");
}

TEST(Cel, ErrorsNameTheirPlace) {
  EXPECT_EQ(value_of("self.a ==="), "error: ERROR: <input>:1:10: Syntax error: token recognition error at: '='\n | self.a ===\n | .........^");
  EXPECT_EQ(value_of("1 / 0"), "error: division by zero");
  EXPECT_EQ(value_of("9223372036854775807 + 1"), "error: integer overflow");
  EXPECT_EQ(value_of("'a' < 1"), "error: no such overload");
}

TEST(Cel, NestingAndWorkAreBounded) {
  EXPECT_TRUE(value_of(std::string(100'000, '(')).starts_with("error: "));
  EXPECT_TRUE(value_of(std::string(100'000, '!') + "true").starts_with("error: "));
  const auto parsed = parse("self.all(a, self.all(b, self.all(c, a + b + c >= 0)))");
  ASSERT_TRUE(parsed.is_ok());
  Json list = Json::array();
  for (int i = 0; i < 500; ++i) list.push_back(i);
  Budget budget{10'000};
  const auto value = evaluate(**parsed, {{"self", Value::view(list)}}, budget);
  EXPECT_EQ(value.status().code(), Code::kTooManyRequests);
}

TEST(Regex, FailuresAreWordedAsInGo) {
  EXPECT_EQ(Regex::compile("[").status().message(), "error parsing regexp: missing closing ]: `[`");
  EXPECT_TRUE(Regex::compile("^[a-z]+$")->found_in("abc"));
  EXPECT_FALSE(Regex::compile("^[a-z]+$")->found_in("aBc"));
}

}  // namespace
}  // namespace orrery::api::cel
