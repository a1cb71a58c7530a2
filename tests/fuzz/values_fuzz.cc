// Texts with a grammar of their own: what is read can be written and is read as the same.
#include <cstdint>
#include <string_view>

#include "engine/api/field_selector.h"
#include "engine/api/label_selector.h"
#include "engine/api/quantity.h"
#include "engine/api/scalars.h"
#include "engine/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace orrery;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto quantity = api::Quantity::parse(text); quantity.is_ok()) {
    const std::string written = quantity->to_string();
    const auto again = api::Quantity::parse(written);
    CHECK(again.is_ok() && again->to_string() == written) << written;
    static_cast<void>(quantity->milli_value() + quantity->sign());
    static_cast<void>(quantity->value());
  }
  if (const auto selector = api::Selector::parse(text); selector.is_ok()) {
    const std::string written = selector->to_string();
    const auto again = api::Selector::parse(written);
    CHECK(again.is_ok() && again->to_string() == written) << written;
    static_cast<void>(selector->matches({{"a", "b"}, {"x/y", "1"}}));
  }
  if (const auto fields = api::FieldSelector::parse(text); fields.is_ok()) {
    // Terms are sorted as they were written ("a==" after "a=x"), so the first writing may reorder them.
    const auto again = api::FieldSelector::parse(fields->to_string());
    CHECK(again.is_ok()) << fields->to_string();
    const auto third = api::FieldSelector::parse(again->to_string());
    CHECK(third.is_ok() && third->to_string() == again->to_string()) << again->to_string();
  }
  if (const auto duration = api::parse_go_duration(text); duration.is_ok()) {
    const auto again = api::parse_go_duration(api::format_go_duration(*duration));
    CHECK(again.is_ok() && again->ns == duration->ns);
  }
  if (const auto time = api::parse_time(text); time.is_ok()) {
    const auto again = api::parse_time(api::format_time(*time));
    CHECK(!*time || (again.is_ok() && again->seconds == time->seconds));
  }
  static_cast<void>(api::parse_micro_time(text).is_ok());
  static_cast<void>(api::scaled_int_or_percent(api::int_or_string_of(text), 7, true).is_ok());
  return 0;
}
