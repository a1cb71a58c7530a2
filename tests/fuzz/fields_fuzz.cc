// FieldsV1 of managers, which clients may write as they like: what is read is written as the same set.
#include <cstdint>
#include <string_view>

#include "engine/base/check.h"
#include "engine/server/managed_fields/fields_v1.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace orrery::server::managed;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  FieldSetPool pool;
  const auto set = parse_fields_v1(text, pool);
  if (!set.is_ok()) return 0;
  const std::string written = write_fields_v1(*set);
  const auto again = parse_fields_v1(written, pool);
  CHECK(again.is_ok()) << again.status().message();
  // Bytes that are no UTF-8 are written as an escape, which is read as the character that stands for them.
  const std::string second = write_fields_v1(*again);
  const auto third = parse_fields_v1(second, pool);
  CHECK(third.is_ok() && write_fields_v1(*third) == second) << second;
  return 0;
}
