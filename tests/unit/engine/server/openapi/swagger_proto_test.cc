#include "engine/server/openapi/swagger_proto.h"

#include <gtest/gtest.h>

namespace orrery::server {
namespace {

// A field of a message, as protobuf writes it; all of these are short.
std::string field(int number, const std::string& bytes) {
  const int key = number << 3 | 2;
  std::string out;
  if (key >= 0x80) out += static_cast<char>(key | 0x80);
  out += static_cast<char>(key >= 0x80 ? key >> 7 : key);
  return out + static_cast<char>(bytes.size()) + bytes;
}

std::string set_flag(int number) {
  const int key = number << 3;
  if (key < 0x80) return {static_cast<char>(key), 1};
  return {static_cast<char>(key | 0x80), static_cast<char>(key >> 7), 1};
}

TEST(SwaggerProto, BeginsWithVersionAndTitle) {
  EXPECT_EQ(swagger_proto(R"({"swagger":"2.0","info":{"title":"T","version":"1"}})"),
            field(1, "2.0") + field(2, field(1, "T") + field(2, "1")));
}

TEST(SwaggerProto, ADefinitionIsASchemaWithItsName) {
  const std::string schema =
      field(19, "a") + field(22, field(1, "object")) +
      field(25, field(1, field(1, "a") + field(2, field(1, "#/definitions/B"))));
  EXPECT_EQ(swagger_proto(R"({"definitions":{"A":{"type":"object","required":["a"],
              "properties":{"a":{"$ref":"#/definitions/B"}}}}})"),
            field(9, field(1, field(1, "A") + field(2, schema))));
}

TEST(SwaggerProto, ValuesOfAnyKindAreYaml) {
  const std::string schema = field(20, field(2, "Always\n")) +
                             field(31, field(1, "x-keys") + field(2, field(2, "- name\n")));
  EXPECT_EQ(swagger_proto(R"({"definitions":{"A":{"enum":["Always"],"x-keys":["name"]}}})"),
            field(9, field(1, field(1, "A") + field(2, schema))));
}

TEST(SwaggerProto, NumbersKeepTheirKind) {
  const std::string number("\x39\0\0\0\0\0\0\xf8\x3f", 9);  // maximum: 1.5
  const std::string schema =
      number + set_flag(8) + "\x58\x05" + set_flag(16) + field(21, std::string("\x10\x01", 2));
  EXPECT_EQ(swagger_proto(R"({"definitions":{"A":{"maximum":1.5,"exclusiveMaximum":true,
              "maxLength":5,"minLength":0,"uniqueItems":true,"additionalProperties":true}}})"),
            field(9, field(1, field(1, "A") + field(2, schema))));
}

TEST(SwaggerProto, ParametersDifferByWhereTheyAre) {
  const std::string query = field(2, "query") + field(4, "q") + field(6, "string") + set_flag(20);
  const std::string path = set_flag(1) + field(2, "path") + field(4, "p") + field(5, "string");
  const std::string body =
      field(2, "body") + field(3, "body") + field(5, field(1, "#/definitions/A"));
  const auto item = [](const std::string& parameter) { return field(8, field(1, parameter)); };
  const std::string operation = item(field(2, field(3, query))) + item(field(2, field(4, path))) +
                                item(field(1, body)) +
                                field(8, field(2, field(1, "#/parameters/x")));
  EXPECT_EQ(swagger_proto(R"({"paths":{"/":{"get":{"parameters":[
              {"name":"q","in":"query","type":"string","uniqueItems":true},
              {"name":"p","in":"path","required":true,"type":"string"},
              {"name":"body","in":"body","schema":{"$ref":"#/definitions/A"}},
              {"$ref":"#/parameters/x"}]}}}})"),
            field(8, field(2, field(1, "/") + field(2, field(2, operation)))));
}

}  // namespace
}  // namespace orrery::server
