#include "engine/server/flow/levels.h"

#include "engine/server/metrics/histogram.h"

namespace orrery::server {

void FlowControl::Level::configure(const Str& its_uid,
                                   const flowcontrolv1::PriorityLevelConfigurationSpec& spec) {
  constexpr int kDefaultShares = 30;
  uid = its_uid;
  exempt = spec.type == "Exempt";
  makes_wait = false;
  shares = lendable_percent = 0;
  borrowing_percent.reset();
  if (exempt && spec.exempt) {
    shares = spec.exempt->nominal_concurrency_shares.value_or(0);
    lendable_percent = spec.exempt->lendable_percent.value_or(0);
  }
  if (exempt || !spec.limited) return;
  const auto& limited = *spec.limited;
  shares = limited.nominal_concurrency_shares.value_or(kDefaultShares);
  lendable_percent = limited.lendable_percent.value_or(0);
  if (limited.borrowing_limit_percent) borrowing_percent = *limited.borrowing_limit_percent;
  makes_wait = limited.limit_response.type == "Queue" && limited.limit_response.queuing;
  if (!makes_wait) return;
  const auto& queuing = *limited.limit_response.queuing;
  queues.reshape({static_cast<uint32_t>(std::max(1, queuing.queues)),
                  static_cast<uint32_t>(std::max(1, queuing.hand_size)),
                  static_cast<uint32_t>(std::max(0, queuing.queue_length_limit))});
}

namespace {

// One metric with a line for each entry of a list.
template <typename Entries, typename Line>
void add_metric(std::string& out, std::string_view name, std::string_view type,
                std::string_view help, const Entries& entries, Line line) {
  const std::string metric = str_cat("apiserver_flowcontrol_", name);
  out += metric_head(metric, type, str_cat("[BETA] ", help));
  for (const auto& [key, entry] : entries) line(*entry, metric);
}

std::string labels(const FlowControl::Schema& schema, std::string_view more = "") {
  return str_cat("{flow_schema=\"", schema.name, "\",priority_level=\"", schema.level->name, "\"",
                 more, "} ");
}

}  // namespace

std::string FlowControl::metrics() const {
  std::string out;
  std::map<Str, const Schema*> schemas;
  for (const Schema* schema : in_order_) schemas[schema->name] = schema;
  const auto per_schema = [&](std::string_view name, std::string_view type, std::string_view help,
                              auto value) {
    add_metric(out, name, type, help, schemas,
               [&](const Schema& schema, const std::string& metric) {
                 out += str_cat(metric, labels(schema), value(schema), "\n");
               });
  };
  const auto per_level = [&](std::string_view name, std::string_view help, auto value) {
    add_metric(
        out, name, "gauge", help, levels_, [&](const Level& level, const std::string& metric) {
          if (!level.exempt)
            out += str_cat(metric, "{priority_level=\"", level.name, "\"} ", value(level), "\n");
        });
  };
  per_schema("current_executing_requests", "gauge", "Requests that run.",
             [](const Schema& s) { return s.running; });
  per_schema("current_executing_seats", "gauge", "Seats that they have.",
             [](const Schema& s) { return s.seats; });
  per_schema("current_inqueue_requests", "gauge", "Requests that wait.",
             [](const Schema& s) { return s.waiting; });
  per_schema("dispatched_requests_total", "counter", "Requests that have run.",
             [](const Schema& s) { return s.dispatched; });
  add_metric(out, "rejected_requests_total", "counter", "Requests that have not.", schemas,
             [&](const Schema& schema, const std::string& metric) {
               for (const auto& [reason, count] : schema.refused)
                 out += str_cat(metric, labels(schema, str_cat(",reason=\"", reason, "\"")), count,
                                "\n");
             });
  per_level("nominal_limit_seats", "Seats of a level.", [](const Level& l) { return l.nominal; });
  per_level("lower_limit_seats", "Seats that it always has.", [](const Level& l) { return l.min; });
  per_level("upper_limit_seats", "Seats that it may have.", [](const Level& l) { return l.max; });
  return out;
}

}  // namespace orrery::server
