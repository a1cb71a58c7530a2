// Values of a store that somebody else has written, and bodies of requests in protobuf.
#include <cstdint>
#include <string_view>

#include "engine/api/codec_json.h"
#include "engine/api/storage.h"
#include "engine/base/check.h"
#include "engine/server/rest/body.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace orrery;
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (const auto object = api::decode_storage(bytes); object.is_ok()) {
    const std::string written = api::encode_storage(*object);
    const auto again = api::decode_storage(written);
    CHECK(again.is_ok()) << again.status().message();
    CHECK(api::encode_storage(*again) == written);
  }
  // The first byte chooses the kind that the path of the request asks for.
  const auto kinds = api::all_kinds();
  const api::KindDesc& kind = *kinds[data[0] % kinds.size()];
  std::vector<Str> warnings;
  for (const auto format : {server::Format::kProto, server::Format::kJson, server::Format::kYaml}) {
    const auto body = server::decode_body(bytes, format, kind, FieldValidation::kStrict, warnings);
    if (body.is_ok()) static_cast<void>(api::to_json(*body).dump().size());
  }
  return 0;
}
