#pragma once

#include <sstream>
#include <string>

namespace orrery {

/// Ends the process after printing `what`; used by CHECK only.
[[noreturn]] void check_failed(const char* file, int line, const std::string& what);

namespace internal {

/// Collects the text streamed after CHECK(...) and ends the process when destroyed.
class CheckStream {
 public:
  CheckStream(const char* file, int line, const char* condition) : file_(file), line_(line) {
    text_ << "CHECK failed: " << condition << ' ';
  }
  [[noreturn]] ~CheckStream() { check_failed(file_, line_, text_.str()); }
  std::ostream& stream() { return text_; }

 private:
  const char* file_;
  int line_;
  std::ostringstream text_;
};

struct CheckVoidify {
  void operator&(std::ostream&) const {}
};

}  // namespace internal
}  // namespace orrery

/// For programmer errors, in every build type: CHECK(i < n) << "index " << i.
#define CHECK(condition)                       \
  (__builtin_expect(!!(condition), 1))         \
      ? (void)0                                \
      : ::orrery::internal::CheckVoidify() &   \
            ::orrery::internal::CheckStream(__FILE__, __LINE__, #condition).stream()
