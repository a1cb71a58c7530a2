#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace orrery::server {

/// Where the next page of a list begins. Source: Kubernetes v1.32 apiserver/pkg/storage/continue.go.
struct ContinueToken {
  int64_t revision = 0;  // of the first page; negative: the newest
  std::string start;     // the first key, without the prefix that all keys of the list have

  /// That of the page that follows a key of the list.
  static ContinueToken following(std::string_view key, std::string_view prefix, int64_t revision);
  /// BadRequest in upstream's words; so are keys that would lead out of the prefix.
  static Result<ContinueToken> decode(std::string_view text);
  std::string encode() const;
  /// The first key.
  std::string key(std::string_view prefix) const;
};

}  // namespace orrery::server
