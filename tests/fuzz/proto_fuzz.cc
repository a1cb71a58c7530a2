#include <cstdint>
#include <string_view>

#include "engine/api/codec_proto.h"
#include "engine/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace orrery;
  const auto object = api::decode_proto({reinterpret_cast<const char*>(data), size});
  if (!object.is_ok()) return 0;
  const std::string first = api::encode_proto(*object);
  const auto again = api::decode_proto(first);
  CHECK(again.is_ok()) << again.status().message();
  CHECK(api::encode_proto(*again) == first);
  return 0;
}
