#include "engine/server/managed_fields/request.h"

#include "engine/server/managed_fields/last_applied.h"

namespace orrery::server::managed {

using api::Json;

namespace {

constexpr size_t kManagerBytesMax = 128;

Managers managers_or_none(const List<metav1::ManagedFieldsEntry>& entries, FieldSetPool& pool) {
  auto managers = decode_managers(entries, pool);
  return managers.is_ok() ? *std::move(managers) : Managers();
}

std::string_view text_at(const Json& object, std::string_view member) {
  const Json& value = object[member];
  return value.is_string() ? value.as_string().view() : std::string_view();
}

// "/v1, Kind=ConfigMap".
std::string kind_text(const Json& config) {
  const std::string_view api_version = text_at(config, "apiVersion");
  const bool has_group = api_version.find('/') != api_version.npos;
  return str_cat(has_group ? "" : "/", api_version, ", Kind=", text_at(config, "kind"));
}

// "default/a; /v1, Kind=ConfigMap".
std::string config_name(const Json& config) {
  const Json& meta = config["metadata"];
  return str_cat(text_at(meta, "namespace"), "/", text_at(meta, "name"), "; ", kind_text(config));
}

}  // namespace

Str default_manager(std::string_view user_agent) {
  return Str(user_agent.substr(0, user_agent.find('/')).substr(0, kManagerBytesMax));
}

Manager writer_of(const FieldWrite& write, Str api_version, bool applied) {
  static const Str kUnknown = Str::literal("unknown");
  Manager writer;
  writer.name = write.manager.empty() ? kUnknown : write.manager;
  writer.api_version = std::move(api_version);
  writer.subresource = write.subresource;
  writer.applied = applied;
  writer.time = api::Timestamp::whole_seconds(write.now);
  return writer;
}

Managers managers_of_update(const List<metav1::ManagedFieldsEntry>& live,
                            const List<metav1::ManagedFieldsEntry>& fresh, bool subresource, FieldSetPool& pool) {
  if (subresource || live.same(fresh)) return managers_or_none(live, pool);
  if (is_reset(fresh)) return {};
  auto managers = decode_managers(fresh, pool);
  return managers.is_ok() && !managers->empty() ? *std::move(managers) : managers_or_none(live, pool);
}

Status check_config(const Json& config, std::string_view api_version, std::string_view kind) {
  if (text_at(config, "apiVersion") != api_version || text_at(config, "kind") != kind)
    return bad_request("invalid object type: " + kind_text(config));
  const Json* managed = config["metadata"].find("managedFields");
  if (managed && !managed->is_null()) return bad_request("metadata.managedFields must be nil");
  return Status::ok();
}

ApplyOutcome apply_as(const Json& live, const Json& config, const Managers& managers, const Manager& writer, bool force,
                      const Versions& versions, const ResetFields& reset, FieldSetPool& pool) {
  const std::string name = config_name(config);
  ApplyOutcome out = apply_json(live, config, managers, writer, force, versions, reset, name, pool);
  if (out.conflicts.empty() || writer.name != "kubectl") return out;
  const auto allowed = fields_last_applied(live, versions, pool);
  if (!allowed) return out;
  for (FieldConflict& conflict : out.conflicts) conflict.fields = pool.subtract(conflict.fields, *allowed);
  std::erase_if(out.conflicts, [](const FieldConflict& conflict) { return !conflict.fields; });
  if (!out.conflicts.empty()) return out;
  return apply_json(live, config, managers, writer, true, versions, reset, name, pool);
}

Status conflict_status(const std::vector<FieldConflict>& conflicts, List<ApiResponse::Cause>* causes) {
  for (const FieldConflict& conflict : conflicts) {
    std::vector<std::string> paths;
    append_paths(conflict.fields, paths);
    for (const std::string& path : paths)
      causes->push_back({"FieldManagerConflict", Str("conflict with " + describe(conflict.manager)), Str(path)});
  }
  return Status(Code::kConflict, conflict_message(conflicts));
}

}  // namespace orrery::server::managed
