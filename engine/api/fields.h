#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/api/json_value.h"
#include "engine/base/status.h"
#include "engine/base/time.h"

namespace orrery::api {

/// No time in a file is longer, so that sums of a few of them stay within the range of Time.
constexpr Duration kDurationMax = Duration::hours(50 * 8760);

/// Reads the members of one object of a configuration file, each once, with checks; the first problem is kept.
/// done() also reports members that nobody asked for. One line of documentation stands with each
/// field where it is read: with a Reference instead of a document the same code lists them all.
class Fields {
 public:
  /// For documentation: collects "path: about" lines.
  using Reference = std::vector<std::string>;

  Fields(const Json& json, std::string path, std::string file, Reference* reference = nullptr);

  std::string text(std::string_view name, std::string otherwise, std::string_view about, const std::vector<std::string>& allowed = {});
  /// The name of an object, or the beginning of one.
  std::string object_name(std::string_view name, std::string otherwise, std::string_view about);
  int64_t integer(std::string_view name, int64_t otherwise, int64_t low, int64_t high, std::string_view about);
  double number(std::string_view name, double otherwise, double low, double high, std::string_view about);
  bool boolean(std::string_view name, bool otherwise, std::string_view about);
  /// "90s", "1h30m", or a number of seconds; `otherwise` likewise. In [0, kDurationMax].
  int64_t duration_ns(std::string_view name, std::string_view otherwise, std::string_view about);
  /// A Kubernetes quantity ("500m", "32Gi") in [0, 10^15]; in thousandths, or rounded up to units.
  int64_t quantity(std::string_view name, std::string_view otherwise, bool milli, std::string_view about);
  /// The member itself; null if absent. It counts as known.
  const Json& any(std::string_view name, std::string_view about);
  /// fn(item, path) for each item of a list; with a Reference, once for "path[]".
  template <typename Fn>
  void each(std::string_view name, std::string_view about, Fn fn);
  /// A list of texts, none of them empty.
  std::vector<std::string> texts(std::string_view name, std::string_view about);
  std::string path_of(std::string_view name) const { return path_.empty() ? std::string(name) : path_ + "." + std::string(name); }

  /// Records a problem with a member (or with the object itself, name "").
  void fail(std::string_view name, std::string_view what);
  /// Takes over another reader's problem.
  void absorb(const Status& status) {
    if (problem_.is_ok()) problem_ = status;
  }
  Status done();
  bool referencing() const { return reference_ != nullptr; }
  Reference* reference() const { return reference_; }
  const std::string& file() const { return file_; }

 private:
  const Json* find(std::string_view name, std::string_view about, std::string_view type, std::string_view otherwise);
  void mismatch(std::string_view name, const Json& found, std::string_view allowed);

  const Json& json_;
  std::string path_;
  std::string file_;
  Reference* reference_;
  std::vector<std::string> known_;
  Status problem_;
};

template <typename Fn>
void Fields::each(std::string_view name, std::string_view about, Fn fn) {
  const Json& list = any(name, about);
  if (referencing()) return fn(Json(), path_of(name) + "[]");
  if (list.is_null()) return;
  if (!list.is_array()) return fail(name, str_cat("found ", list.type_name(), ", must be a list"));
  size_t i = 0;
  for (const Json& item : list.items()) fn(item, str_cat(path_of(name), "[", uint64_t{i++}, "]"));
}

}  // namespace orrery::api
