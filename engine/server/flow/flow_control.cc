#include "engine/server/flow/flow_control.h"

#include <algorithm>
#include <cmath>

#include "engine/server/bootstrap/bootstrap_objects.h"
#include "engine/server/flow/flow_schema.h"
#include "engine/server/flow/levels.h"

namespace orrery::server {
namespace {

using flowcontrolv1::FlowSchema;
using flowcontrolv1::PriorityLevelConfiguration;

// What every API server has, even where somebody has deleted it.
void add_mandatory(std::map<Str, api::Object>& schemas, std::map<Str, api::Object>& levels) {
  const bool complete = schemas.contains("exempt") && schemas.contains("catch-all") &&
                        levels.contains("exempt") && levels.contains("catch-all");
  if (complete) return;
  for (api::Object& object : bootstrap_objects()) {
    const Str name = object.meta().name;
    if (name != "exempt" && name != "catch-all") continue;
    if (object.is<FlowSchema>()) schemas.emplace(name, object);
    if (object.is<PriorityLevelConfiguration>()) levels.emplace(name, object);
  }
}

int percent_of(int whole, int percent) {
  return static_cast<int>(std::lround(static_cast<double>(whole) * percent / 100.0));
}

}  // namespace

FlowControl::FlowControl(Options options) : options_(options) {}
FlowControl::~FlowControl() = default;
FlowControl::FlowControl(FlowControl&&) noexcept = default;

bool FlowControl::watches(const api::KindDesc& kind) {
  return kind.type == &FlowSchema::descriptor() ||
         kind.type == &PriorityLevelConfiguration::descriptor();
}

void FlowControl::on_change(const api::KindDesc& kind, const api::Object& old,
                            const api::Object& fresh) {
  auto& objects = kind.type == &FlowSchema::descriptor() ? schema_objects_ : level_objects_;
  if (fresh) {
    objects[fresh.meta().name] = fresh;
  } else {
    objects.erase(old.meta().name);
  }
  stale_ = true;
}

// What has gone stays as long as requests hold it.
void FlowControl::rebuild() {
  stale_ = false;
  std::map<Str, api::Object> schemas = schema_objects_, levels = level_objects_;
  add_mandatory(schemas, levels);
  int shares = 0;
  std::erase_if(schemas_, [&](const auto& entry) {
    return !schemas.contains(entry.first) && entry.second->holders == 0;
  });
  std::erase_if(levels_, [&](const auto& entry) {
    return !levels.contains(entry.first) && entry.second->holders == 0;
  });
  for (auto& [name, level] : levels_) level->shares = 0;
  for (const auto& [name, object] : levels) {
    auto& level = levels_[name];
    if (!level) level = std::make_unique<Level>(name);
    level->configure(object.meta().uid, *object.get<PriorityLevelConfiguration>().spec);
    shares += level->shares;
  }
  share_out(shares);
  in_order_.clear();
  for (const auto& [name, object] : schemas) {
    auto& schema = schemas_[name];
    if (!schema) schema = std::make_unique<Schema>();
    schema->name = name;
    schema->uid = object.meta().uid;
    schema->object = object;
    schema->spec = &*object.get<FlowSchema>().spec;
    const auto level = levels_.find(schema->spec->priority_level_configuration.name);
    if (level == levels_.end() || !levels.contains(level->first)) continue;
    schema->level = level->second.get();
    in_order_.push_back(schema.get());
  }
  std::stable_sort(in_order_.begin(), in_order_.end(), [](const Schema* a, const Schema* b) {
    return a->spec->matching_precedence < b->spec->matching_precedence;
  });
}

void FlowControl::share_out(int shares) {
  total_ = reserved_ = 0;
  for (auto& [name, level] : levels_) {
    const int64_t part = int64_t{options_.seats} * level->shares;
    level->nominal = shares > 0 ? static_cast<int>((part + shares - 1) / shares) : 0;
    level->min = level->nominal - percent_of(level->nominal, level->lendable_percent);
    level->max = level->borrowing_percent
                     ? level->nominal + percent_of(level->nominal, *level->borrowing_percent)
                     : std::max(options_.seats, level->nominal);
    total_ += level->nominal;
    if (!level->exempt) reserved_ += std::max(level->in_use, level->min);
  }
}

FlowControl::Schema* FlowControl::classify(const RequestInfo& request, const ApiUser& user) {
  for (Schema* schema : in_order_)
    if (flow_schema_matches(*schema->spec, request, user)) return schema;
  return schemas_.at("catch-all").get();
}

bool FlowControl::fits(const Level& level, int seats) const {
  const int after = level.in_use + seats;
  if (level.exempt || after <= level.min) return true;
  return after <= level.max && reserved_ - std::max(level.in_use, level.min) + after <= total_;
}

void FlowControl::take(Level& level, int seats) {
  const int before = std::max(level.in_use, level.min);
  level.in_use += seats;
  if (!level.exempt) reserved_ += std::max(level.in_use, level.min) - before;
}

void FlowControl::give_back(Level& level, int seats) { take(level, -seats); }

FlowControl::Verdict FlowControl::arrive(uint64_t id, const RequestInfo& request,
                                         const ApiUser& user, int seats, Time now, Ticket& ticket) {
  if (stale_) rebuild();
  Schema& schema = *classify(request, user);
  Level& level = *schema.level;
  ticket.id = id;
  ticket.schema = &schema;
  ticket.level = &level;
  ticket.schema_uid = schema.uid;
  ticket.level_uid = level.uid;
  ticket.seats = level.exempt ? seats : std::clamp(seats, 1, std::max(1, level.max));
  level.queues.advance(now, level.nominal);
  if (!level.exempt)
    ticket.queue = level.queues.choose(flow_of(schema.name, *schema.spec, request, user));
  if (level.exempt || (level.queues.empty() && fits(level, ticket.seats))) {
    level.queues.begin(ticket.queue, ticket.seats);
    take(level, ticket.seats);
    hold(ticket);
    begin(ticket, now);
    return Verdict::kRun;
  }
  if (!level.makes_wait || level.queues.is_full(ticket.queue)) {
    ++schema.refused[level.makes_wait ? "queue-full" : "concurrency-limit"];
    return Verdict::kRefused;
  }
  level.queues.wait(ticket.queue, {id, ticket.seats, now});
  hold(ticket);
  ticket.state = Ticket::State::kWaiting;
  ++schema.waiting;
  ++waiting_;
  tickets_[id] = &ticket;
  deadlines_.push_back({now + options_.wait_max, id});
  return Verdict::kWait;
}

void FlowControl::hold(Ticket& ticket) {
  ++ticket.schema->holders;
  ++ticket.level->holders;
}

void FlowControl::begin(Ticket& ticket, Time now) {
  ticket.state = Ticket::State::kRunning;
  ticket.started = now;
  Schema& schema = *ticket.schema;
  ++schema.dispatched;
  ++schema.running;
  schema.seats += ticket.seats;
}

void FlowControl::leave(Ticket& ticket, Time now) {
  if (ticket.state == Ticket::State::kNone) return;
  Level& level = *ticket.level;
  Schema& schema = *ticket.schema;
  level.queues.advance(now, level.nominal);
  if (ticket.state == Ticket::State::kWaiting) {
    if (level.queues.leave(ticket.queue, ticket.id)) ++schema.refused["cancelled"];
    tickets_.erase(ticket.id);
    --schema.waiting;
    --waiting_;
  } else {
    level.queues.end(ticket.queue, ticket.seats, now - ticket.started);
    give_back(level, ticket.seats);
    --schema.running;
    schema.seats -= ticket.seats;
  }
  ticket.state = Ticket::State::kNone;
  --schema.holders;
  --level.holders;
}

// Of the levels that can serve somebody, the one that uses the least of what is its own.
std::optional<uint64_t> FlowControl::next(Time now) {
  if (waiting_ == 0) return std::nullopt;
  Level* best = nullptr;
  for (auto& [name, level] : levels_) {
    if (level->queues.empty()) continue;
    level->queues.advance(now, level->nominal);
    if (!fits(*level, level->queues.front()->seats)) continue;
    if (!best || int64_t{level->in_use} * best->nominal < int64_t{best->in_use} * level->nominal)
      best = level.get();
  }
  if (!best) return std::nullopt;
  const FairQueues::Waiting request = *best->queues.front();
  best->queues.pop();
  take(*best, request.seats);
  const auto ticket = tickets_.find(request.id);
  --ticket->second->schema->waiting;
  --waiting_;
  tickets_.erase(ticket);
  return request.id;
}

std::optional<Time> FlowControl::patience_ends() {
  while (!deadlines_.empty() && !tickets_.contains(deadlines_.front().id)) deadlines_.pop_front();
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.front().at;
}

std::optional<uint64_t> FlowControl::out_of_patience(Time now) {
  const auto first = patience_ends();
  if (!first || *first > now) return std::nullopt;
  const uint64_t id = deadlines_.front().id;
  Ticket& ticket = *tickets_.at(id);
  ticket.level->queues.advance(now, ticket.level->nominal);
  ticket.level->queues.leave(ticket.queue, id);
  ++ticket.schema->refused["time-out"];
  leave(ticket, now);
  return id;
}

}  // namespace orrery::server
