#include "realmode/daemon/file_audit_sink.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <vector>

#include "engine/base/str.h"

namespace orrery::realmode {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kOwnerOnly = 0600;

int open_file(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kOwnerOnly);
}

// "2006-01-02T15-04-05.000": sorts by time.
std::string time_text() {
  const auto now = std::chrono::system_clock::now();
  const time_t seconds = std::chrono::system_clock::to_time_t(now);
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32], millis[8];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H-%M-%S", &parts);
  const auto fraction =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::snprintf(millis, sizeof(millis), ".%03d", static_cast<int>(fraction));
  return str_cat(text, millis);
}

// What comes before the time in the name of a file that has been set aside.
std::string backup_stem(const fs::path& path) { return path.stem().string() + "-"; }

}  // namespace

Result<std::unique_ptr<FileAuditSink>> FileAuditSink::open(const std::string& path,
                                                           Rotation rotation) {
  const bool standard = path == "-";
  const int file = standard ? ::dup(STDOUT_FILENO) : open_file(path);
  if (file < 0)
    return invalid(str_cat("cannot open the audit log ", path, ": ", std::strerror(errno)));
  struct stat facts {};
  const size_t bytes = ::fstat(file, &facts) == 0 ? static_cast<size_t>(facts.st_size) : 0;
  return std::unique_ptr<FileAuditSink>(
      new FileAuditSink(standard ? "" : path, rotation, file, bytes));
}

FileAuditSink::~FileAuditSink() { ::close(file_); }

void FileAuditSink::write(std::string_view line) {
  if (!path_.empty() && bytes_ > 0 && bytes_ + line.size() > rotation_.bytes_max) rotate();
  bytes_ += line.size();
  while (!line.empty()) {
    const ssize_t written = ::write(file_, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // a full disk costs lines of the log, not the service
    line.remove_prefix(static_cast<size_t>(written));
  }
}

// Whatever fails, the log goes on in the file that is open.
void FileAuditSink::rotate() {
  bytes_ = 0;
  const fs::path path(path_);
  const fs::path aside =
      path.parent_path() / str_cat(backup_stem(path), time_text(), path.extension().string());
  if (fs::exists(aside) || ::rename(path_.c_str(), aside.c_str()) != 0) return;
  const int fresh = open_file(path_);
  if (fresh < 0) return;
  ::close(std::exchange(file_, fresh));
  delete_old();
}

void FileAuditSink::delete_old() const {
  const fs::path path(path_);
  const fs::path folder = path.parent_path().empty() ? "." : path.parent_path();
  std::vector<fs::path> backups;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const bool ours =
        name.starts_with(backup_stem(path)) && entry.path().extension() == path.extension() &&
        name.size() == backup_stem(path).size() + std::strlen("2006-01-02T15-04-05.000") +
                           path.extension().string().size();
    if (ours) backups.push_back(entry.path());
  }
  std::sort(backups.rbegin(), backups.rend());  // the newest first
  const auto now = fs::file_time_type::clock::now();
  for (size_t i = 0; i < backups.size(); ++i) {
    const bool too_many =
        rotation_.backups_max > 0 && i >= static_cast<size_t>(rotation_.backups_max);
    const auto age = now - fs::last_write_time(backups[i], error);
    const bool too_old =
        rotation_.age_max.ns > 0 && age > std::chrono::nanoseconds(rotation_.age_max.ns);
    if (too_many || too_old) fs::remove(backups[i], error);
  }
}

}  // namespace orrery::realmode
