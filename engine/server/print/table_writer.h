#pragma once

#include <functional>
#include <span>
#include <string>

#include "engine/server/print/table.h"

namespace orrery::server {

/// The JSON text of a Table, piece by piece: columns (or none), then rows, then finish().
class TableWriter {
 public:
  explicit TableWriter(const TableOptions& options);
  void columns(std::span<const Column> columns);
  /// `metadata` and `whole` make the JSON of the object's metadata, and of the object; the one that
  /// the options ask for is called.
  void row(const Row& row, const std::function<std::string()>& metadata, const std::function<std::string()>& whole);
  std::string finish(bool none_is_null = false);

 private:
  const TableOptions& options_;
  std::string out_;
  bool has_columns_ = false;
  size_t rows_ = 0;
};

/// An object with apiVersion and kind of `kind`.
std::string typed_json(const api::KindDesc& kind, const api::Object& object);

}  // namespace orrery::server
