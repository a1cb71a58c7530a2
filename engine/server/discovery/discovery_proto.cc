#include "engine/server/discovery/discovery_proto.h"

#include "engine/api/codec_json.h"
#include "engine/api/codec_proto.h"
#include "engine/api/gen/metav1.h"
#include "engine/base/check.h"
#include "engine/server/json_proto.h"

namespace orrery::server {
namespace {

using api::Json;

// Texts of Kubernetes' messages are written though they are empty.
void put_any_text(std::string& out, uint32_t number, const Json& value) {
  put_bytes(out, number, value.text());
}

template <typename Meta>
void put_meta(std::string& out, uint32_t number, const Json& value) {
  const auto meta = api::struct_from_json<Meta>(value);
  CHECK(meta.is_ok()) << meta.status().message();
  put_bytes(out, number, api::encode_proto_message(Meta::descriptor(), &*meta));
}

constexpr ProtoField kKind[] = {
    {"group", 1, put_any_text}, {"version", 2, put_any_text}, {"kind", 3, put_any_text}};

void put_kind(std::string& out, uint32_t number, const Json& value) {
  put_bytes(out, number, proto_message(kKind, value));
}

constexpr ProtoField kSubresource[] = {{"subresource", 1, put_any_text},
                                       {"responseKind", 2, put_kind},
                                       {"verbs", 4, put_each<put_any_text>}};

void put_subresource(std::string& out, uint32_t number, const Json& value) {
  put_bytes(out, number, proto_message(kSubresource, value));
}

constexpr ProtoField kResource[] = {{"resource", 1, put_any_text},
                                    {"responseKind", 2, put_kind},
                                    {"scope", 3, put_any_text},
                                    {"singularResource", 4, put_any_text},
                                    {"verbs", 5, put_each<put_any_text>},
                                    {"shortNames", 6, put_each<put_any_text>},
                                    {"categories", 7, put_each<put_any_text>},
                                    {"subresources", 8, put_each<put_subresource>}};

void put_resource(std::string& out, uint32_t number, const Json& value) {
  put_bytes(out, number, proto_message(kResource, value));
}

constexpr ProtoField kVersion[] = {{"version", 1, put_any_text},
                                   {"resources", 2, put_each<put_resource>},
                                   {"freshness", 3, put_any_text}};

void put_version(std::string& out, uint32_t number, const Json& value) {
  put_bytes(out, number, proto_message(kVersion, value));
}

constexpr ProtoField kGroup[] = {{"metadata", 1, put_meta<metav1::ObjectMeta>},
                                 {"versions", 2, put_each<put_version>}};

void put_group(std::string& out, uint32_t number, const Json& value) {
  put_bytes(out, number, proto_message(kGroup, value));
}

constexpr ProtoField kList[] = {{"metadata", 1, put_meta<metav1::ListMeta>},
                                {"items", 2, put_each<put_group>}};

}  // namespace

std::string aggregated_discovery_proto(const Json& document) {
  return proto_message(kList, document);
}

}  // namespace orrery::server
