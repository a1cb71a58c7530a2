#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace orrery::server {

/// Where in an object a finding lies: a chain of steps on the stack. Making one costs nothing; its
/// text ("spec.containers[0].resources.limits[cpu]") is made only for a finding. A step points to its
/// parent, so a Path must not outlive the one it was made from (children of temporaries do not compile).
class Path {
 public:
  explicit constexpr Path(std::string_view name) : name_(name) {}

  /// `.name`; the name may have several steps ("metadata.labels").
  constexpr Path child(std::string_view name) const& { return Path(this, name, kNoIndex, {}); }
  /// `.name[index]`.
  constexpr Path child(std::string_view name, size_t index) const& { return Path(this, name, index, {}); }
  /// `.name[key]`.
  constexpr Path child_key(std::string_view name, std::string_view key) const& { return Path(this, name, kKey, key); }
  /// `[index]` and `[key]` of the list or map itself.
  constexpr Path index(size_t index) const& { return Path(this, {}, index, {}); }
  constexpr Path key(std::string_view key) const& { return Path(this, {}, kKey, key); }
  Path child(std::string_view) const&& = delete;
  Path child(std::string_view, size_t) const&& = delete;
  Path child_key(std::string_view, std::string_view) const&& = delete;
  Path index(size_t) const&& = delete;
  Path key(std::string_view) const&& = delete;

  std::string text() const;

 private:
  static constexpr size_t kNoIndex = static_cast<size_t>(-1);
  static constexpr size_t kKey = static_cast<size_t>(-2);
  constexpr Path(const Path* parent, std::string_view name, size_t index, std::string_view key)
      : parent_(parent), name_(name), key_(key), index_(index) {}

  const Path* parent_ = nullptr;
  std::string_view name_;
  std::string_view key_;
  size_t index_ = kNoIndex;
};

}  // namespace orrery::server
