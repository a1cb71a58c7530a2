#include "engine/api/storage.h"

#include "engine/api/codec_json.h"
#include "engine/api/codec_proto.h"

namespace orrery::api {

std::string encode_storage(const Object& object) {
  const KindDesc* kind = object.kind();
  CHECK(kind) << "only kinds are stored";
  Object stored = object;
  if (stored.has_meta()) {
    const metav1::ObjectMeta& meta = object.meta();
    if (!meta.resource_version.empty()) stored.mut_meta().resource_version = Str();
    if (!meta.self_link.empty()) stored.mut_meta().self_link = Str();
  }
  const bool json =
      kind->group == "apiextensions.k8s.io" || kind->group == "apiregistration.k8s.io";
  return json ? encode_json(stored) + "\n" : encode_proto(stored);
}

Result<Object> decode_storage(std::string_view bytes) {
  constexpr std::string_view kEncrypted = "k8s:enc:";
  if (bytes.starts_with('{')) return decode_json(bytes);
  if (bytes.starts_with(kEncrypted)) return bad_request("the value is encrypted");
  return decode_proto(bytes);
}

}  // namespace orrery::api
