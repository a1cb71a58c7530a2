#include "realmode/daemon/file_audit_sink.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/base/str.h"

namespace orrery::realmode {

Result<std::unique_ptr<FileAuditSink>> FileAuditSink::open(const std::string& path) {
  constexpr mode_t kOwnerOnly = 0600;
  const int file =
      path == "-" ? ::dup(STDOUT_FILENO)
                  : ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kOwnerOnly);
  if (file < 0)
    return invalid(str_cat("cannot open the audit log ", path, ": ", std::strerror(errno)));
  return std::unique_ptr<FileAuditSink>(new FileAuditSink(file));
}

FileAuditSink::~FileAuditSink() { ::close(file_); }

void FileAuditSink::write(std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = ::write(file_, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // a full disk costs lines of the log, not the service
    line.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace orrery::realmode
