#include "engine/server/print/text_table.h"

#include "engine/api/go_format.h"
#include "engine/server/print/tab_writer.h"

namespace orrery::server {
namespace {

using api::Json;

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string mapped(std::string_view text, char (*map)(char)) {
  std::string out(text);
  for (char& c : out) c = map(c);
  return out;
}

// What a terminal would take for a command is written out.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\x1b') {
      out += "^[";
    } else if (c == '\r') {
      out += "\\r";
    } else {
      out += c;
    }
  }
  return out;
}

std::string cell_text(const Json& cell) {
  if (cell.is_null()) return "";
  if (!cell.is_string()) return escaped(api::go_text(cell));
  const std::string_view text = cell.as_string();
  const size_t end = text.find_first_of("\f\n\r");
  return end == text.npos ? escaped(text) : escaped(text.substr(0, end)) + "...";
}

/// Columns and rows with what the options add.
class Decorated {
 public:
  Decorated(std::span<const Column> columns, const TextOptions& options)
      : columns_(columns.begin(), columns.end()), options_(options) {
    for (size_t i = columns.size(); i-- > 0;)
      if (columns[i].format == "name" && columns[i].type == "string") name_column_ = i;
    if (options.with_namespace) columns_.insert(columns_.begin(), Column{"Namespace", "string", "", "", 0});
    for (const std::string& label : options.label_columns)
      columns_.push_back({label.substr(label.rfind('/') + 1), "string", "", "", 0});
    if (options.show_labels) columns_.push_back({"Labels", "string", "", "", 0});
  }

  const std::vector<Column>& columns() const { return columns_; }
  std::vector<Json> cells(const TextRow& row) const {
    std::vector<Json> out = row.cells;
    if (!options_.kind.empty() && name_column_ < out.size()) out[name_column_] = Json(named(out[name_column_]));
    if (options_.with_namespace) out.insert(out.begin(), Json(row.ns));
    for (const std::string& label : options_.label_columns) out.push_back(Json(row.labels.get(label)));
    if (options_.show_labels) out.push_back(Json(format_labels(row.labels)));
    return out;
  }

 private:
  // As Go's %s prints the name.
  std::string named(const Json& name) const {
    const std::string shown = name.is_string() ? name.as_string().str()
                              : name.is_null() ? "%!s(<nil>)"
                                               : str_cat("%!s(", api::go_type(name), "=", api::go_text(name), ")");
    return str_cat(mapped(options_.kind, lower), "/", shown);
  }

  std::vector<Column> columns_;
  const TextOptions& options_;
  size_t name_column_ = SIZE_MAX;
};

}  // namespace

std::string table_text(std::span<const Column> columns, const std::vector<TextRow>& rows, const TextOptions& options) {
  if (rows.empty()) return "";
  const Decorated table(columns, options);
  const auto hidden = [&](size_t i) { return !options.wide && table.columns()[i].priority != 0; };
  TabWriter out;
  const auto line = [&](size_t count, auto text) {
    bool first = true;
    for (size_t i = 0; i < count && i < table.columns().size(); ++i) {
      if (hidden(i)) continue;
      if (!first) out.write("\t");
      first = false;
      out.write(text(i));
    }
    out.write("\n");
  };
  if (!options.no_headers) line(table.columns().size(), [&](size_t i) { return mapped(table.columns()[i].name, upper); });
  for (const TextRow& row : rows) {
    const std::vector<Json> cells = table.cells(row);
    line(cells.size(), [&](size_t i) { return cell_text(cells[i]); });
  }
  return out.finish();
}

}  // namespace orrery::server
