#pragma once

#include <string>
#include <vector>

#include "engine/server/print/json_path.h"
#include "engine/server/print/table.h"

namespace orrery::server {

/// Tables of custom resources by additionalPrinterColumns. Source of the rules: Kubernetes v1.32
/// apiextensions-apiserver pkg/registry/customresource/tableconvertor.
class CustomTable {
 public:
  /// The columns of a version of a CustomResourceDefinition: [{name, type, format, description,
  /// priority, jsonPath}]. None: Age. BadRequest: a jsonPath that cannot be read.
  static Result<CustomTable> make(const api::Json& additional_printer_columns);

  const std::vector<Column>& columns() const { return columns_; }
  Row row(const api::Json& object, Time now) const;
  /// The Table of a list, one object or a watch event, as table_json.
  std::string table(const std::vector<const api::Json*>& objects, const TableOptions& options) const;

 private:
  std::vector<Column> columns_;
  std::vector<JsonPath> paths_;  // of the columns after the name
};

}  // namespace orrery::server
