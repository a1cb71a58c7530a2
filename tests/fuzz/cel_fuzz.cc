// Whatever is written as an expression: it is refused, or its check, its price and its evaluation end
// within their bounds.
#include <cstdint>
#include <string_view>

#include "engine/api/cel/checker.h"
#include "engine/api/cel/cost.h"
#include "engine/api/cel/evaluator.h"
#include "engine/api/cel/typed_json.h"
#include "engine/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace orrery::api;
  static const Json kObject = *Json::parse(
      R"({"name":"web","replicas":3,"ratio":0.5,"labels":{"a":"b","x/y":"1"},"ports":[80,443],"items":[{"k":"v"},{"k":"w"}],"none":null})");
  static const Json kSchema = *Json::parse(
      R"({"type":"object","properties":{"name":{"type":"string","maxLength":63},"replicas":{"type":"integer"},"ratio":{"type":"number"},)"
      R"("labels":{"type":"object","additionalProperties":{"type":"string"}},"ports":{"type":"array","items":{"type":"integer"}},)"
      R"("items":{"type":"array","maxItems":8,"items":{"type":"object","properties":{"k":{"type":"string"}}}}}})");
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  const auto expression = cel::parse(source);
  if (!expression.is_ok()) return 0;
  static const cel::Type kSelf = [] {
    cel::Type type;
    CHECK(cel::type_of_schema(kSchema, false, &type));
    return type;
  }();
  cel::CheckedParts parts;
  const auto type = cel::check(**expression, source, {{"self", kSelf}, {"oldSelf", kSelf}}, &parts);
  if (type.is_ok()) static_cast<void>(cel::estimated_cost(**expression, parts, kSchema, false));
  cel::Budget budget;
  budget.left = 100'000;
  const auto value = cel::evaluate(**expression, {{"self", cel::Value::view(kObject)}, {"oldSelf", cel::Value::view(kObject)}}, budget);
  if (value.is_ok()) static_cast<void>(value->type_name());
  return 0;
}
