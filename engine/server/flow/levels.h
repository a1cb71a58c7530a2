#pragma once

#include <map>
#include <string>

#include "engine/server/flow/flow_control.h"

namespace orrery::server {

/// A priority level: its part of the seats and who waits for them.
struct FlowControl::Level {
  explicit Level(Str its_name) : name(std::move(its_name)), queues(FairQueues::Shape()) {}
  void configure(const Str& its_uid, const flowcontrolv1::PriorityLevelConfigurationSpec& spec);

  Str name, uid;
  bool exempt = false;      // its requests neither wait nor are refused
  bool makes_wait = false;  // else what finds no seat is refused
  int shares = 0, lendable_percent = 0;
  std::optional<int> borrowing_percent;  // none: no limit
  int nominal = 0, min = 0, max = 0;     // seats
  int in_use = 0;
  int holders = 0;  // requests that run or wait
  FairQueues queues;
};

/// A flow schema and what has become of its requests.
struct FlowControl::Schema {
  Str name, uid;
  api::Object object;  // that `spec` is a part of
  const flowcontrolv1::FlowSchemaSpec* spec = nullptr;
  Level* level = nullptr;
  int holders = 0;
  int running = 0, waiting = 0, seats = 0;
  uint64_t dispatched = 0;
  std::map<std::string, uint64_t> refused;  // by reason
};

}  // namespace orrery::server
