#include "engine/server/print/table_writer.h"

#include "engine/api/codec_json.h"

namespace orrery::server {

TableWriter::TableWriter(const TableOptions& options) : options_(options) {
  out_ = str_cat("{\"kind\":\"Table\",\"apiVersion\":\"", options.api_version, "\",\"metadata\":", options.metadata,
                 ",\"columnDefinitions\":");
}

void TableWriter::columns(std::span<const Column> columns) {
  has_columns_ = true;
  out_ += '[';
  for (size_t i = 0; i < columns.size(); ++i) {
    const Column& column = columns[i];
    out_ += i ? ",{\"name\":" : "{\"name\":";
    api::append_json_string(out_, column.name);
    str_append(out_, str_cat(",\"type\":\"", column.type, "\",\"format\":\"", column.format, "\",\"description\":"));
    api::append_json_string(out_, column.description);
    str_append(out_, str_cat(",\"priority\":", column.priority, "}"));
  }
  out_ += "],\"rows\":[";
}

void TableWriter::row(const Row& row, const std::function<std::string()>& metadata,
                      const std::function<std::string()>& whole) {
  if (!has_columns_ && rows_ == 0) out_ += "null,\"rows\":[";
  out_ += rows_++ ? ",{\"cells\":[" : "{\"cells\":[";
  for (size_t i = 0; i < row.cells.size(); ++i) {
    if (i) out_ += ',';
    row.cells[i].dump_to(out_);
  }
  out_ += ']';
  if (!row.completed_reason.empty()) {
    str_append(out_, str_cat(",\"conditions\":[{\"type\":\"Completed\",\"status\":\"True\",\"reason\":\"",
                             row.completed_reason, "\",\"message\":\"", row.completed_message, "\"}]"));
  }
  out_ += ",\"object\":";
  switch (options_.include) {
    case IncludeObject::kNone: out_ += "null"; break;
    case IncludeObject::kMetadata:
      str_append(out_, str_cat("{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"", options_.api_version,
                               "\",\"metadata\":", metadata(), "}"));
      break;
    case IncludeObject::kObject: out_ += whole(); break;
  }
  out_ += '}';
}

std::string TableWriter::finish(bool none_is_null) {
  if (!has_columns_ && rows_ == 0) out_ += "null,\"rows\":[";
  if (none_is_null && rows_ == 0) {
    out_.pop_back();
    return std::move(out_) + "null}";
  }
  return std::move(out_) + "]}";
}

std::string typed_json(const api::KindDesc& kind, const api::Object& object) {
  std::string text = api::encode_json(object);
  if (text.starts_with("{\"kind\":") || text.starts_with("{\"apiVersion\":")) return text;
  const std::string_view rest = std::string_view(text).substr(1);
  return str_cat("{\"kind\":\"", kind.kind, "\",\"apiVersion\":\"", kind.api_version, "\"", rest == "}" ? "" : ",", rest);
}

}  // namespace orrery::server
