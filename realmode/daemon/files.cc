#include "realmode/daemon/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/base/str.h"

namespace orrery::realmode {
namespace {

constexpr size_t kFileBytesMax = 64 << 20;  // keys, tokens and configurations are far smaller

Status failed(const std::string& path, const char* what) {
  return invalid(str_cat(path, ": ", what, ": ", std::strerror(errno)));
}

Status write_all(int fd, const std::string& content, const std::string& path) {
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t count = ::write(fd, content.data() + done, content.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed(path, "cannot be written");
    done += static_cast<size_t>(count);
  }
  if (::fsync(fd) != 0) return failed(path, "cannot be made durable");
  return Status::ok();
}

void sync_folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed(path, "cannot be opened");
  std::string content;
  char buffer[65536];
  ssize_t count = 0;
  while ((count = ::read(fd, buffer, sizeof(buffer))) > 0 && content.size() <= kFileBytesMax)
    content.append(buffer, static_cast<size_t>(count));
  const int error = errno;
  ::close(fd);
  errno = error;
  if (count < 0) return failed(path, "cannot be read");
  if (content.size() > kFileBytesMax) return invalid(str_cat(path, ": too large"));
  return content;
}

Result<std::string> read_file_if_any(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return std::string();
  return read_file(path);
}

Status write_file(const std::string& path, const std::string& content, bool secret) {
  const std::string fresh = path + ".new";
  const mode_t mode = secret ? 0600 : 0644;
  ::unlink(fresh.c_str());
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return failed(fresh, "cannot be made");
  ::fchmod(fd, mode);  // whatever the umask
  const Status written = write_all(fd, content, fresh);
  ::close(fd);
  if (!written.is_ok() || ::rename(fresh.c_str(), path.c_str()) != 0) {
    const Status status = written.is_ok() ? failed(path, "cannot be replaced") : written;
    ::unlink(fresh.c_str());
    return status;
  }
  sync_folder_of(path);
  return Status::ok();
}

Status make_folder(const std::string& path) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (!part.empty() && ::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST)
      return failed(part, "cannot be made");
    if (slash == std::string::npos) break;
  }
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return failed(path, "cannot be used");
  if (!S_ISDIR(facts.st_mode)) return invalid(str_cat(path, ": is no folder"));
  return Status::ok();
}

}  // namespace orrery::realmode
