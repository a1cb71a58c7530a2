#pragma once

#include <string>
#include <vector>

#include "engine/api/json_value.h"
#include "engine/base/cow.h"
#include "engine/server/print/table.h"

namespace orrery::server {

/// How `kubectl get` prints a table.
struct TextOptions {
  bool wide = false;            // -o wide
  bool no_headers = false;
  bool with_namespace = false;  // -A
  bool show_labels = false;
  std::string kind;             // "Job.batch": goes before the names; "" if one resource was asked for
  std::vector<std::string> label_columns;  // -L
};

/// A row and what is known of its object.
struct TextRow {
  std::vector<api::Json> cells;
  Str ns;
  Map<Str> labels;
};

/// The aligned text; "" if there are no rows. Cells end at their first line break, escape characters
/// are shown. Source: Kubernetes v1.32 cli-runtime/pkg/printers/tableprinter.go.
std::string table_text(std::span<const Column> columns, const std::vector<TextRow>& rows, const TextOptions& options);

}  // namespace orrery::server
