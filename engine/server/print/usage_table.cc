#include "engine/server/print/usage_table.h"

#include <map>

#include "engine/api/quantity.h"
#include "engine/server/print/table_writer.h"

namespace orrery::server {
namespace {

using Usage = std::map<std::string, api::Quantity>;

void add(const api::Json& usage, Usage& sum) {
  for (const api::Json::Member& member : usage.members()) sum[member.key.str()].add(api::Quantity::of(member.value.text()));
}

Usage usage_of(const api::Json& metrics) {
  Usage sum;
  add(metrics["usage"], sum);
  for (const api::Json& container : metrics["containers"].items()) add(container["usage"], sum);
  return sum;
}

std::vector<Column> columns_of(const Usage& usage) {
  std::vector<Column> columns = {{"Name", "string", "name", "Name of the resource", 0}};
  for (const auto& [resource, amount] : usage) columns.push_back({resource, "string", "quantity", "", 0});
  columns.push_back({"Window", "string", "duration", "", 0});
  return columns;
}

}  // namespace

std::string usage_table(const std::vector<api::Json>& metrics, const TableOptions& options) {
  TableWriter writer(options);
  if (!metrics.empty()) writer.columns(columns_of(usage_of(metrics[0])));
  for (const api::Json& one : metrics) {
    Row row(options.now);
    row.add(one["metadata"]["name"].text());
    for (const auto& [resource, amount] : usage_of(one)) row.add(amount.to_string());
    row.add(one["window"].text());
    writer.row(row, [&] { return one["metadata"].dump(); }, [&] { return one.dump(); });
  }
  return writer.finish();
}

}  // namespace orrery::server
