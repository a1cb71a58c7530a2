#pragma once

#include <string_view>

namespace orrery {

/// Port: where the audit log goes. Implemented over a file by realmode and in memory by tests.
class AuditSink {
 public:
  virtual ~AuditSink() = default;
  /// One event as one line of JSON, with its newline. Callable from any handler; must not block.
  virtual void write(std::string_view line) = 0;
};

}  // namespace orrery
