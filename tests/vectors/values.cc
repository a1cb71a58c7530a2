// Quantities, int-or-string and times against controllers/01-quantity.
#include <charconv>

#include "engine/api/quantity.h"
#include "engine/api/scalars.h"
#include "tests/support/vectors.h"

namespace orrery::test {
namespace {

using api::Json;
using api::Quantity;

// %g with the shortest digits, as Go prints float64.
std::string shortest(double number) {
  char buffer[64];
  auto end = std::to_chars(buffer, buffer + sizeof(buffer), number, std::chars_format::scientific).ptr;
  const std::string text(buffer, end);
  const int exponent = std::atoi(text.substr(text.find('e') + 1).c_str());
  if (exponent >= -4 && exponent < 6) {
    end = std::to_chars(buffer, buffer + sizeof(buffer), number, std::chars_format::fixed).ptr;
    return std::string(buffer, end);
  }
  return number == 0 ? "0" : text;
}

Json summary(const Quantity& q) {
  Json out = Json::object();
  out.set("string", q.to_string());
  out.set("format", api::quantity_format_name(q.format()));
  out.set("value", q.value());
  out.set("milliValue", q.milli_value());
  return out;
}

Json parse_case(const Json& input) {
  auto parsed = Quantity::parse(input["s"].as_string());
  Json out = Json::object();
  if (!parsed.is_ok()) {
    out.set("error", parsed.status().message());
    return out;
  }
  const Quantity& q = *parsed;
  out = summary(q);
  out.set("sign", q.sign());
  out.set("isZero", q.is_zero());
  int64_t number = 0;
  if (q.as_int64(&number)) out.set("asInt64", number);
  out.set("dec", q.as_dec());
  out.set("float64", shortest(q.as_double()));
  Json scaled = Json::object(), rounded = Json::object();
  for (int scale : {-1, -3, -6, -9, 0, 1, 3, 6, 9}) scaled.set(std::to_string(scale), q.scaled_value(scale));
  for (int scale : {-3, -9, 0, 3, 6}) {
    Quantity r = q;
    Json one = Json::object();
    one.set("exact", r.round_up(scale));
    one.set("string", r.to_string());
    rounded.set(std::to_string(scale), one);
  }
  out.set("scaledValue", scaled);
  out.set("roundUp", rounded);
  return out;
}

Json arith_case(const Json& input) {
  const Quantity a = Quantity::of(input["a"].as_string()), b = Quantity::of(input["b"].as_string());
  Json out = Json::object();
  Quantity sum = a, difference = a, negative = a, product = a;
  sum.add(b);
  difference.sub(b);
  negative.negate();
  Json mul = Json::object();
  mul.set("ok", product.mul(input["mul"].as_int()));
  mul.set("string", product.to_string());
  out.set("add", summary(sum));
  out.set("sub", summary(difference));
  out.set("negA", negative.to_string());
  out.set("mulA", mul);
  out.set("cmp", a.compare(b));
  out.set("equal", a == b);
  out.set("cmpIntA", a.compare_int(input["cmpInt"].as_int()));
  return out;
}

api::QuantityFormat format_named(std::string_view name) {
  for (auto f : {api::QuantityFormat::kDecimalSI, api::QuantityFormat::kBinarySI, api::QuantityFormat::kDecimalExponent})
    if (api::quantity_format_name(f) == name) return f;
  return api::QuantityFormat::kUnset;
}

Json new_case(const Json& input) {
  const std::string_view kind = input["kind"].as_string();
  const int64_t value = input["value"].as_int();
  const auto format = format_named(input["format"].as_string());
  const Quantity q = kind == "NewQuantity"        ? Quantity::from_int(value, format)
                     : kind == "NewMilliQuantity" ? Quantity::from_milli(value, format)
                                                  : Quantity::from_scaled(value, static_cast<int32_t>(input["scale"].as_int()));
  Json out = summary(q);
  out.set("sign", q.sign());
  return out;
}

// The members of `actual` that the expectation has too.
std::string compare_members(const Json& expected, const Json& actual) {
  for (const auto& member : expected.members()) {
    const std::string difference = expect_equal(member.key.str(), member.value, actual[member.key]);
    if (!difference.empty()) return difference;
  }
  return expected["error"].is_null() == actual["error"].is_null() ? "" : "error or not";
}

std::string quantity_case(const Json& one) {
  const Json& input = one["input"];
  const std::string_view op = input["op"].as_string();
  if (op == "parse") return compare_members(one["expect"], parse_case(input));
  if (op == "arith") return compare_members(one["expect"], arith_case(input));
  if (op == "new") return compare_members(one["expect"], new_case(input));
  return "";  // json: see the codec's own test
}

int quantity_family() { return run_family("quantity", read_vectors("controllers/01-quantity/quantity.jsonl.gz"), quantity_case); }

std::string intorstring_case(const Json& one) {
  const Json &input = one["input"], &expected = one["expect"];
  const std::string_view op = input["op"].as_string();
  const auto value_of = [](const Json& j) {
    return j.is_string() ? api::IntOrString(j.as_string().view()) : api::IntOrString(static_cast<int32_t>(j.as_int()));
  };
  Json out = Json::object();
  if (op == "scaled") {
    auto scaled = api::scaled_int_or_percent(value_of(input["intOrString"]), input["total"].as_int(), input["roundUp"].as_bool());
    if (scaled.is_ok()) {
      out.set("value", *scaled);
    } else {
      out.set("error", scaled.status().message());
    }
    return compare_members(expected, out);
  }
  if (op == "fromText") {
    const auto v = api::int_or_string_of(input["s"].as_string());
    out.set("intValue", api::int_value(v));
    out.set("string", v.is_text ? v.text.str() : std::to_string(v.number));
    out.set("type", expected["type"].is_int() ? Json(int{v.is_text}) : Json(v.is_text ? "string" : "int"));
    return expect_equal("string", expected["string"], out["string"]) + expect_equal("intValue", expected["intValue"], out["intValue"]);
  }
  return "";
}

int intorstring_family() { return run_family("intorstring", read_vectors("controllers/01-quantity/intorstring.jsonl.gz"), intorstring_case); }

std::string time_case(const Json& one) {
  const Json &input = one["input"], &expected = one["expect"];
  const std::string_view op = input["op"].as_string();
  if (op == "durationFormat") return expect_equal("string", expected["string"].as_string().str(), api::format_go_duration({input["ns"].as_int()}));
  if (op == "format") {
    api::Timestamp t;
    t.seconds = input["unix"].as_int();
    t.nanos = static_cast<int32_t>(input["nanos"].as_int());
    t.set = true;
    return expect_equal("rfc3339", expected["rfc3339"].as_string().str(), api::format_time(t)) +
           expect_equal("rfc3339Nano", expected["rfc3339Nano"].as_string().str(), api::format_time_nano(t)) +
           expect_equal("rfc1123z", expected["rfc1123z"].as_string().str(), api::format_time_rfc1123z(t)) +
           expect_equal("microTime", expected["microTime"].as_string().str(), "\"" + api::format_micro_time(t) + "\"");
  }
  const auto text = Json::parse(input["json"].as_string());
  if (!text.is_ok() || !text->is_string()) return "";  // null and wrong types: the codec's business
  const std::string_view type = input["type"].as_string();
  if (type == "Duration") {
    const auto d = api::parse_go_duration(text->as_string());
    if (!d.is_ok()) return expected["error"].is_null() ? "unexpected error" : "";
    return expect_equal("ns", expected["ns"], Json(d->ns)) + expect_equal("json", expected["json"].as_string().str(), Json(api::format_go_duration(*d)).dump());
  }
  const auto t = type == "Time" ? api::parse_time(text->as_string()) : api::parse_micro_time(text->as_string());
  if (!t.is_ok()) return expected["error"].is_null() ? "unexpected error" : "";
  if (!expected["error"].is_null()) return "expected an error";
  if (t->is_zero()) return expect_equal("isZero", expected["isZero"], Json(true));
  return expect_equal("unix", expected["unix"], Json(t->seconds)) +
         expect_equal("json", expected["json"].as_string().str(), Json(type == "Time" ? api::format_time(*t) : api::format_micro_time(*t)).dump());
}

int time_family() { return run_family("time", read_vectors("controllers/01-quantity/time.jsonl.gz"), time_case); }

}  // namespace
}  // namespace orrery::test

int main(int argc, char** argv) {
  using namespace orrery::test;
  return run_program(argc, argv, {{"quantity", quantity_family}, {"intorstring", intorstring_family}, {"time", time_family}});
}
