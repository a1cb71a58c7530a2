#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/api/json_value.h"

namespace orrery::server {

/// Names of OpenAPI operations by group: "rbac.authorization.k8s.io" is "rbacAuthorization" in tags
/// and "RbacAuthorization" in operation ids, the core group "core" and "Core".
std::string group_tag(std::string_view group);
std::string capitalised(std::string_view name);

/// {"<type>": {"schema": schema}, ...} for each media type.
api::Json content_of(std::span<const std::string_view> media_types, const api::Json& schema);
/// An operation with answers `codes` of this content, and 401 without any.
api::Json operation(std::string_view tag, std::string_view id,
                    std::span<const std::string_view> codes, const api::Json& content);

/// {"group": ..., "kind": ..., "version": ...}: a value of x-kubernetes-group-version-kind.
api::Json kind_entry(std::string_view group, std::string_view version, std::string_view kind);

/// Media types of objects that have a protobuf form; the first two fit all others.
inline constexpr std::string_view kObjectTypes[] = {"application/json", "application/yaml",
                                                    "application/vnd.kubernetes.protobuf"};

}  // namespace orrery::server
