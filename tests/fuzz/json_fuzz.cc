// Any bytes: decoding ends with an object or an error; what was decoded survives a round trip.
#include <cstdint>
#include <string_view>

#include "engine/api/codec_json.h"
#include "engine/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace orrery;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto object = api::decode_json(text, {true, nullptr});
  if (!object.is_ok()) return 0;
  const std::string first = api::encode_json(*object);
  const auto again = api::decode_json(first);
  CHECK(again.is_ok()) << again.status().message();
  CHECK(api::encode_json(*again) == first);
  return 0;
}
