// JSON and protobuf codecs against the recorded objects of every kind.
#include "engine/api/base64.h"
#include "engine/api/codec_json.h"
#include "engine/api/codec_proto.h"
#include "engine/api/yaml.h"
#include "tests/support/vectors.h"

namespace orrery::test {
namespace {

std::string yaml_case(const api::Object& object, const std::string& json) {
  const std::string yaml = api::encode_yaml(object);
  const auto again = api::parse_yaml_document(yaml, "object.yaml");
  if (!again.is_ok()) return "YAML: " + again.status().message() + "\n" + yaml;
  const auto decoded = api::object_from_json(*again);
  if (!decoded.is_ok()) return "YAML: " + decoded.status().message() + "\n" + yaml;
  return expect_equal("YAML round trip", json, api::encode_json(*decoded));
}

std::string codec_case(const api::Json& one) {
  const std::string text = one["input"]["json"].as_string().str();
  auto object = api::decode_json(text);
  if (!object.is_ok()) return "JSON: " + object.status().message();
  std::string difference = expect_equal("JSON round trip", text, api::encode_json(*object));
  if (!difference.empty()) return difference;
  std::string recorded;
  if (!api::base64_decode(one["expect"]["protobuf"].as_string(), &recorded)) return "base64";
  auto from_proto = api::decode_proto(recorded);
  if (!from_proto.is_ok()) return "protobuf: " + from_proto.status().message();
  difference = expect_equal("protobuf to JSON", text, api::encode_json(*from_proto));
  if (!difference.empty()) return difference;
  const std::string encoded = api::encode_proto(*object);
  if (encoded != recorded)
    return expect_equal("protobuf", api::base64_encode(recorded), api::base64_encode(encoded));
  return yaml_case(*object, text);
}

int codec_family() { return run_family("codec", read_vectors("codec/objects.jsonl.gz"), codec_case); }

}  // namespace
}  // namespace orrery::test

int main(int argc, char** argv) {
  return orrery::test::run_program(argc, argv, {{"codec", orrery::test::codec_family}});
}
