#pragma once

#include <map>
#include <string>

#include "engine/api/codec_json.h"
#include "engine/server/auth/object_reader.h"

namespace orrery::test {

/// An object from its JSON text; CHECK: it decodes.
inline api::Object object_of(std::string_view json) {
  auto object = api::decode_json(json, {.strict = true});
  CHECK(object.is_ok()) << object.status().message();
  return std::move(*object);
}

/// The state of a cluster as a table of objects.
class ObjectTable : public server::ObjectLister {
 public:
  void put(std::string_view json) { put(object_of(json)); }
  void put(const api::Object& object) {
    objects_[key(*object.kind(), object.meta().namespace_, object.meta().name)] = object;
  }
  void remove(const api::Object& object) {
    objects_.erase(key(*object.kind(), object.meta().namespace_, object.meta().name));
  }
  api::Object find(const api::KindDesc& kind, std::string_view ns,
                   std::string_view name) const override {
    const auto found = objects_.find(key(kind, ns, name));
    return found == objects_.end() ? api::Object() : found->second;
  }
  std::vector<api::Object> list(const api::KindDesc& kind, std::string_view ns) const override {
    std::vector<api::Object> out;
    for (const auto& [at, object] : objects_)
      if (object.kind() == &kind && (ns.empty() || object.meta().namespace_ == ns))
        out.push_back(object);
    return out;
  }
  const api::KindDesc* find_kind(std::string_view api_version, std::string_view kind) const override {
    return api::find_kind(api_version, kind);
  }

 private:
  static std::string key(const api::KindDesc& kind, std::string_view ns, std::string_view name) {
    return str_cat(kind.group, "/", kind.plural, "/", ns, "/", name);
  }
  std::map<std::string, api::Object> objects_;
};

}  // namespace orrery::test
