#include <gtest/gtest.h>

#include "engine/api/cel/checker.h"
#include "engine/api/cel/cost.h"
#include "engine/api/cel/evaluator.h"
#include "engine/api/cel/typed_json.h"
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
  const bool is_plain = value->is_json() || value->is_list() || value->is_map() || value->is_uint();
  return is_plain ? value->to_json().dump() : value->type_name();
}

// The type as messages name it, or "error: why".
std::string type_of(std::string_view source, const std::vector<Declaration>& names = {}) {
  const auto parsed = parse(source);
  if (!parsed.is_ok()) return "error: " + parsed.status().message();
  const auto type = check(**parsed, source, names);
  return type.is_ok() ? type->declared() : "error: " + type.status().message();
}

TEST(Cel, OperatorsBindAsInTheLanguage) {
  EXPECT_EQ(value_of("1 + 2 * 3"), "7");
  EXPECT_EQ(value_of("!false && 1 < 2 || 1 / 0 == 1"), "true");
  EXPECT_EQ(value_of("2 > 1 ? 'yes' : 'no'"), "\"yes\"");
  EXPECT_EQ(value_of("-(-3) % 2"), "1");
  EXPECT_EQ(value_of("'a' in ['a', 'b'] && !('k' in {'x': 1})"), "true");
}

std::string repeated(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

TEST(Cel, LongChainsAreServedOrRefusedButNeverTooDeep) {
  EXPECT_EQ(value_of(repeated("true && ", 5000) + "true"), "true");
  EXPECT_EQ(value_of(repeated("1 / 0 == 1 || ", 999) + "true"), "true");
  for (const std::string& chain : {repeated("1 + ", 20000) + "1", "self" + repeated(".a", 20000), "self" + repeated("[0]", 20000), "'a'" + repeated(".trim()", 9000),
                                   repeated("(1 + ", 200) + "1" + repeated(") + 1 + 1 + 1", 200), repeated("1 < ", 20000) + "1"})
    EXPECT_NE(value_of(chain).find("recursion limit"), std::string::npos) << chain.substr(0, 20);
  EXPECT_NE(value_of(repeated("true && ", 50000) + "true").find("code point size exceeds limit: size: 400004, limit 100000"), std::string::npos);
  EXPECT_EQ(value_of(repeated("1 + ", 300) + "1"), "301");
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
  EXPECT_EQ(value_of("has(self.a.x) || has(self.n.x)", R"({"a":null,"n":1})"), "false");
  EXPECT_EQ(value_of("has(self.l.x)", R"({"l":[]})"), "error: unsupported index type 'string' in list");
  EXPECT_EQ(value_of("self.n['x']", R"({"n":1})"), "error: no such key: x");
}

TEST(Cel, WhatHasNoMembersHasNotThatOneEither) {
  EXPECT_EQ(value_of("[has(self.n.x), has(self.t.x), has(self.i.x)]", R"({"n":null,"t":"t","i":1})"), "[false,false,false]");
  EXPECT_EQ(value_of("has(self.l.x)", R"({"l":[1]})"), "error: unsupported index type 'string' in list");
  EXPECT_EQ(value_of("has(self.n.x.y)", R"({"n":null})"), "error: no such key: x");
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
  EXPECT_TRUE(value_of("self.a ===").starts_with("error: ERROR: <input>:1:10: Syntax error: token recognition error at: '='\n | self.a ===\n"
                                                 " | .........^\nERROR: <input>:1:11: Syntax error: mismatched input '<EOF>' expecting {'[', "));
  EXPECT_EQ(value_of("1 / 0"), "error: division by zero");
  EXPECT_EQ(value_of("9223372036854775807 + 1"), "error: integer overflow");
  EXPECT_EQ(value_of("'a' < 1"), "error: no such overload");
}

TEST(Cel, SyntaxErrorsAreWordedAsByAntlr) {
  const std::string operand = "'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
  const auto why = [](std::string_view source) {
    const std::string text = value_of(source);
    return text.substr(text.find("ERROR: <input>:") + 15, text.find('\n') - text.find("ERROR: <input>:") - 15);
  };
  EXPECT_EQ(why("1 +"), "1:4: Syntax error: mismatched input '<EOF>' expecting {" + operand);
  EXPECT_EQ(why("object."), "1:8: Syntax error: no viable alternative at input '.'");
  EXPECT_EQ(why("(1 + 2"), "1:7: Syntax error: missing ')' at '<EOF>'");
  EXPECT_EQ(why("!").substr(0, 47), "1:2: Syntax error: extraneous input '<EOF>' exp");
  EXPECT_NE(why("a[").find("'!', '?', 'true'"), std::string::npos);
  EXPECT_EQ(why("1 2"), "1:3: Syntax error: extraneous input '2' expecting <EOF>");
  EXPECT_EQ(why("a = 1"), "1:3: Syntax error: token recognition error at: '= '");
  EXPECT_EQ(why("[1"), "1:3: Syntax error: mismatched input '<EOF>' expecting {']', ','}");
  EXPECT_EQ(why("true ? 1"), "1:9: Syntax error: mismatched input '<EOF>' expecting ':'");
  EXPECT_EQ(why("for"), "1:1: reserved identifier: for");
  EXPECT_EQ(why("has(a)"), "1:5: invalid argument to has() macro");
}

TEST(Cel, TypesAreCheckedBeforeThereAreValues) {
  EXPECT_EQ(type_of("[1, 2].map(x, string(x))"), "list(string)");
  EXPECT_EQ(type_of("{'a': [1]}['a'][0] + 1"), "int");
  EXPECT_EQ(type_of("timestamp('2020-01-01T00:00:00Z') - duration('1h')"), "google.protobuf.Timestamp");
  EXPECT_EQ(type_of("dyn(1).x.y == 'a'"), "bool");
  EXPECT_EQ(type_of("optional.of(1).orValue(2)"), "int");
  EXPECT_EQ(type_of("nope(1)"), "error: ERROR: <input>:1:5: undeclared reference to 'nope' (in container '')\n | nope(1)\n | ....^");
  EXPECT_EQ(type_of("1 < 'a'"),
            "error: ERROR: <input>:1:3: found no matching overload for '_<_' applied to '(int, string)'\n | 1 < 'a'\n | ..^");
  EXPECT_EQ(type_of("'a'.matches('[')"), "error: ERROR: <input>:1:13: invalid matches argument\n | 'a'.matches('[')\n | ............^");
  EXPECT_EQ(type_of("duration('x') == duration('1h')"),
            "error: ERROR: <input>:1:10: invalid duration argument\n | duration('x') == duration('1h')\n | .........^");
  EXPECT_EQ(type_of("sign(quantity('1'))"), "int");
  EXPECT_EQ(type_of("'%s has %d'.format(['a', 1])"), "string");
  EXPECT_EQ(type_of("'%d'.format(['x'])"), "error: ERROR: <input>:1:14: error during formatting: decimal clause can only be used on integers, "
                                           "was given string\n | '%d'.format(['x'])\n | .............^");
  EXPECT_EQ(type_of("'%s %s'.format(['x'])"), "error: ERROR: <input>:1:15: index 1 out of range\n | '%s %s'.format(['x'])\n | ..............^");
  EXPECT_EQ(type_of("'a'.startsWith(1)"), "error: ERROR: <input>:1:15: found no matching overload for 'startsWith' applied to "
                                          "'string.(int)'\n | 'a'.startsWith(1)\n | ..............^");
  EXPECT_EQ(type_of("[1, 'a']"), "error: ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, 'a']\n | ....^");
  EXPECT_EQ(type_of("'a'.all(x, true)"), "error: ERROR: <input>:1:1: expression of type 'string' cannot be range of a comprehension (must "
                                         "be list, map, or dynamic)\n | 'a'.all(x, true)\n | ^");
}

TEST(Cel, SchemasSayWhatValuesAre) {
  const Json schema = *Json::parse(R"({"type":"object","properties":{"at":{"type":"string","format":"date-time"},"n":{"type":"number"},
    "-x":{"type":"integer"},"if":{"type":"string"},"m":{"type":"object","additionalProperties":{"type":"string"}}}})");
  Type self;
  ASSERT_TRUE(type_of_schema(schema, true, &self));
  EXPECT_EQ(type_of("self.at < timestamp('2020-01-01T00:00:00Z') && self.n < 2.5 && self.__dash__x == 1", {{"self", self}}), "bool");
  EXPECT_EQ(type_of("self.m.k", {{"self", self}}), "string");
  EXPECT_EQ(type_of("self.if + self.__if__", {{"self", self}}), "string");
  EXPECT_EQ(type_of("self.metadata.name", {{"self", self}}), "string");
  EXPECT_EQ(type_of("self.b", {{"self", self}}), "error: ERROR: <input>:1:5: undefined field 'b'\n | self.b\n | ....^");
  const Json object = *Json::parse(R"({"at":"2020-01-02T00:00:00Z","n":2})");
  Budget budget;
  const auto parsed = parse("self.at.getDate() == 2 && type(self.n) == double");
  EXPECT_TRUE(evaluate(**parsed, {{"self", Value::view(object, &schema)}}, budget)->is_true());
  const Json nulls = *Json::parse(R"({"n":null})");
  EXPECT_FALSE(evaluate(**parse("has(self.n)"), {{"self", Value::view(nulls, &schema)}}, budget)->is_true());
}

TEST(Cel, CostsAreEstimatedFromLimitsOfTheSchema) {
  const auto cost = [](std::string_view source, std::string_view text) {
    const Json schema = *Json::parse(text);
    const auto expression = parse(source);
    Type self;
    CheckedParts parts;
    EXPECT_TRUE(type_of_schema(schema, false, &self));
    EXPECT_TRUE(check(**expression, source, {{"self", self}, {"oldSelf", self}}, &parts).is_ok()) << source;
    return estimated_cost(**expression, parts, schema, false);
  };
  constexpr std::string_view kLists = R"({"type":"array","items":{"type":"array","items":{"type":"string"}}})";
  EXPECT_GT(cost("self.all(x, self.all(y, x.all(z, z.contains('a'))))", kLists), 1'000'000'000u);
  EXPECT_LT(cost("self.all(x, x.startsWith('a'))", R"({"type":"array","maxItems":10,"items":{"type":"string"}})"), 100u);
  constexpr std::string_view kShort = R"({"type":"object","properties":{"n":{"type":"integer"},
      "l":{"type":"array","maxItems":10,"items":{"type":"string","maxLength":5}}}})";
  EXPECT_EQ(cost("self.n == 1", kShort), 2u);
  EXPECT_EQ(cost("has(self.n)", kShort), 1u);
  EXPECT_EQ(cost("self.l == ['a']", kShort), 13u);
  EXPECT_EQ(cost("self.l.exists_one(x, x == 'a')", kShort), 44u);
  EXPECT_EQ(cost("self.l.filter(x, x == 'a').size() == 1", kShort), 165u);
  EXPECT_EQ(cost("self.l.isSorted()", kShort), 32u);
  EXPECT_EQ(cost("self.l[0].matches('abcde')", kShort), 9u);
  EXPECT_EQ(cost("string(self.n) == self.l[0]", kShort), 8u);
}

TEST(Cel, LibrariesOfKubernetes) {
  EXPECT_EQ(value_of("ip('10.0.0.1').family() == 4 && ip('::1').isLoopback() && !isIP('1.2.3') && ip.isCanonical('2001:db8::1')"), "true");
  EXPECT_EQ(value_of("string(ip('2001:DB8:0:0:0:0:0:1'))"), "\"2001:db8::1\"");
  EXPECT_EQ(value_of("cidr('10.0.0.0/8').containsIP('10.9.8.7') && cidr('10.0.0.0/8').containsCIDR(cidr('10.1.0.0/16'))"), "true");
  EXPECT_EQ(value_of("string(cidr('10.1.2.3/8').masked()) + '|' + string(cidr('10.1.2.3/8').prefixLength())"), "\"10.0.0.0/8|8\"");
  EXPECT_EQ(value_of("url('https://a.b:80/c?d=1&d=2').getPort() + url('https://a.b:80/c').getEscapedPath()"), "\"80/c\"");
  EXPECT_EQ(value_of("url('https://a/b?d=1&d=2').getQuery()"), "{\"d\":[\"1\",\"2\"]}");
  EXPECT_EQ(value_of("'ab12cd3'.find('[0-9]+') + 'ab12cd3'.findAll('[0-9]+').join(',')"), "\"1212,3\"");
  EXPECT_EQ(value_of("sets.equivalent([1, 2, 2], [2, 1]) && sets.intersects([1], [1, 3])"), "true");
  EXPECT_EQ(value_of("'%s has %d and %.2f, %x'.format(['a', 3, 1.5, 255])"), "\"a has 3 and 1.50, ff\"");
  EXPECT_EQ(value_of("format.dns1123Label().validate('-a').hasValue() && !format.named('uuid').value().validate('123e4567-e89b-12d3-a456-426614174000').hasValue()"),
            "true");
  EXPECT_EQ(value_of("quantity('1').add(quantity('500m')).compareTo(quantity('1.5')) == 0 && !isQuantity('x')"), "true");
  EXPECT_EQ(value_of("sign(quantity('-1'))"), "-1");
}

TEST(Cel, OptionalValuesAreChained) {
  EXPECT_EQ(value_of("self.?a.?b.orValue('none')"), "\"none\"");
  EXPECT_EQ(value_of("self.?a.b.optMap(x, x + 1).orValue(0)", R"({"a":{"b":1}})"), "2");
  EXPECT_EQ(value_of("[?self.?a, 2]"), "[2]");
  EXPECT_EQ(value_of("self[?'a'].hasValue()", R"({"a":1})"), "true");
}

TEST(Cel, NumbersOfAllKindsHaveOneOrder) {
  EXPECT_EQ(value_of("1u < 2 && 2.5 > 2 && 1u == dyn(1) && uint('7') + 1u == 8u"), "true");
  EXPECT_EQ(value_of("b'abc'.size() + size(bytes('h\u00e9'))"), "6");
  EXPECT_EQ(value_of("int('x')"), "error: type conversion error from 'string' to 'int'");
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
