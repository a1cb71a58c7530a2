#include "engine/api/regex.h"

#include <re2/re2.h>

#include "engine/base/str.h"

namespace orrery::api {
namespace {

// Of one compiled pattern; larger ones are refused.
constexpr int64_t kMemoryMax = 8 << 20;

// Go's words for what is wrong.
std::string_view go_words(RE2::ErrorCode code) {
  switch (code) {
    case RE2::ErrorBadEscape: return "invalid escape sequence";
    case RE2::ErrorBadCharClass: return "invalid character class";
    case RE2::ErrorBadCharRange: return "invalid character class range";
    case RE2::ErrorMissingBracket: return "missing closing ]";
    case RE2::ErrorMissingParen: return "missing closing )";
    case RE2::ErrorUnexpectedParen: return "unexpected )";
    case RE2::ErrorTrailingBackslash: return "trailing backslash at end of expression";
    case RE2::ErrorRepeatArgument: return "missing argument to repetition operator";
    case RE2::ErrorRepeatSize: return "invalid repeat count";
    case RE2::ErrorRepeatOp: return "invalid nested repetition operator";
    case RE2::ErrorBadPerlOp: return "invalid or unsupported Perl syntax";
    case RE2::ErrorBadUTF8: return "invalid UTF-8";
    case RE2::ErrorBadNamedCapture: return "invalid named capture";
    case RE2::ErrorPatternTooLarge: return "expression too large";
    default: return "internal error";
  }
}

RE2::Options quiet_options() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMemoryMax);
  return options;
}

}  // namespace

struct Regex::Compiled {
  explicit Compiled(std::string_view pattern) : re(re2::StringPiece(pattern.data(), pattern.size()), quiet_options()) {}
  RE2 re;
};

Result<Regex> Regex::compile(std::string_view pattern) {
  Regex out;
  auto compiled = std::make_shared<const Compiled>(pattern);
  if (!compiled->re.ok())
    return bad_request(str_cat("error parsing regexp: ", go_words(compiled->re.error_code()), ": `", compiled->re.error_arg(), "`"));
  out.compiled_ = std::move(compiled);
  return out;
}

bool Regex::found_in(std::string_view text) const {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), compiled_->re);
}

std::optional<std::string_view> Regex::find(std::string_view text) const {
  const re2::StringPiece in(text.data(), text.size());
  re2::StringPiece found;
  if (!compiled_->re.Match(in, 0, in.size(), RE2::UNANCHORED, &found, 1)) return std::nullopt;
  return std::string_view(found.data(), found.size());
}

}  // namespace orrery::api
