#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/api/json_value.h"
#include "engine/api/object.h"
#include "engine/base/time.h"
#include "engine/server/print/row.h"

namespace orrery::server {

/// Server-side tables: meta.k8s.io/v1 Table.

struct Column {
  std::string name;
  std::string type;         // string, integer, number, boolean, date
  std::string format;       // "name" where the cell is the object's name
  std::string description;
  int32_t priority = 0;     // not 0: wide output only
};

/// The columns of a kind as the API server defines them: those of its printer, else Name and
/// Created At.
std::span<const Column> table_columns(const api::KindDesc& kind);
/// One row of these columns.
Row table_row(const api::Object& object, Time now);

/// The metadata that tables and partial metadata have: of the object's internal form, in which what some
/// versions keep in annotations are fields.
metav1::ObjectMeta internal_metadata(const api::Object& object);

/// What kubectl and other programs print with the same printers: differs from the server's tables
/// for CSIStorageCapacity only.
std::span<const Column> printed_columns(const api::KindDesc& kind);
Row printed_row(const api::Object& object, Time now);

/// What a row carries of its object: ?includeObject=.
enum class IncludeObject : uint8_t { kNone, kMetadata, kObject };
/// "" is Metadata; BadRequest for other texts.
Result<IncludeObject> parse_include_object(std::string_view text);

struct TableOptions {
  Time now;
  IncludeObject include = IncludeObject::kMetadata;
  std::string_view api_version = "meta.k8s.io/v1";  // or meta.k8s.io/v1beta1
  /// False: columnDefinitions is null, as in all but the first event of a watch.
  bool columns = true;
  /// JSON of the table's metadata: that of the list, or {"resourceVersion":"5"} of one object.
  std::string_view metadata = "{}";
};

/// The Table of a list, of one object or of a watch event, as JSON text. `objects` are of one kind:
/// `kind`, or that of a subresource; FlowSchemas are put in the order of their precedence.
std::string table_json(const api::KindDesc& kind, std::span<const api::Object> objects, const TableOptions& options);

}  // namespace orrery::server
