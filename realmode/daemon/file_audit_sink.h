#pragma once

#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/ports/audit_sink.h"

namespace orrery::realmode {

/// The audit log in a file that grows up to a size and is then set aside as NAME-TIME.EXT beside
/// it. Every line is one write, so that lines of several processes do not mix and none is lost when
/// this one ends.
class FileAuditSink final : public AuditSink {
 public:
  struct Rotation {
    size_t bytes_max = 100 << 20;  // as kube-apiserver's default
    int backups_max = 0;           // older ones are deleted; 0: all are kept
    Duration age_max;              // likewise; 0: for ever
  };
  /// "-" is standard output, which is never set aside. Invalid names the path that cannot be
  /// opened.
  static Result<std::unique_ptr<FileAuditSink>> open(const std::string& path, Rotation rotation);
  ~FileAuditSink() override;
  void write(std::string_view line) override;

 private:
  FileAuditSink(std::string path, Rotation rotation, int file, size_t bytes)
      : path_(std::move(path)), rotation_(rotation), file_(file), bytes_(bytes) {}
  void rotate();
  void delete_old() const;

  std::string path_;  // "": standard output
  Rotation rotation_;
  int file_;
  size_t bytes_;
};

}  // namespace orrery::realmode
