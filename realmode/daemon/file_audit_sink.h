#pragma once

#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/ports/audit_sink.h"

namespace orrery::realmode {

/// The audit log in a file that only grows: every line is one write, so that lines of several
/// processes do not mix and none is lost when this one ends.
class FileAuditSink final : public AuditSink {
 public:
  /// "-" is standard output. Invalid names the path that cannot be opened.
  static Result<std::unique_ptr<FileAuditSink>> open(const std::string& path);
  ~FileAuditSink() override;
  void write(std::string_view line) override;

 private:
  explicit FileAuditSink(int file) : file_(file) {}
  int file_;
};

}  // namespace orrery::realmode
