#include "realmode/http/http1_parser.h"

#include "engine/base/ascii.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace orrery::realmode {
namespace {

constexpr size_t kChunkLineMax = 256;

constexpr std::array<bool, 256> token_table() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<uint8_t>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> kToken = token_table();


bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto u = static_cast<uint8_t>(c);
    return u == '\t' || (u >= 0x20 && u != 0x7f);
  });
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = ascii_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

bool is_http_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return kToken[static_cast<uint8_t>(c)]; });
}

bool http_list_has(std::string_view list, std::string_view member) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    if (equals_ignoring_case(trimmed(list.substr(0, comma)), member)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

void Http1Parser::reset() {
  state_ = State::kHead;
  line_.clear();
  head_bytes_ = 0;
  request_line_ = false;
  request_ = HttpRequest();
  http11_ = keep_alive_ = true;
  expects_continue_ = chunked_ = has_length_ = false;
  hosts_ = 0;
  left_ = 0;
}

void Http1Parser::fail(int code, std::string_view why) {
  state_ = State::kFailed;
  error_code_ = code;
  error_ = why;
}

size_t Http1Parser::feed(std::string_view bytes) {
  size_t used = 0;
  while (used < bytes.size() && state_ != State::kDone && state_ != State::kFailed) {
    if (state_ == State::kBody || state_ == State::kChunkData) {
      used += take_body(bytes.substr(used));
    } else {
      size_t taken = 0;
      const bool complete = take_line(bytes.substr(used), &taken);
      used += taken;
      if (complete) on_line();
    }
  }
  return used;
}

bool Http1Parser::take_line(std::string_view bytes, size_t* used) {
  const auto* end = static_cast<const char*>(std::memchr(bytes.data(), '\n', bytes.size()));
  *used = end == nullptr ? bytes.size() : static_cast<size_t>(end - bytes.data()) + 1;
  const bool in_chunk = state_ == State::kChunkSize || state_ == State::kChunkEnd;
  head_bytes_ += *used;
  if (head_bytes_ > limits_.head_bytes || (in_chunk && line_.size() + *used > kChunkLineMax)) {
    fail(in_chunk ? 400 : 431, in_chunk ? "chunk line too long" : "request head too large");
    return false;
  }
  if (head_bytes_ == *used && state_ == State::kHead && !kToken[static_cast<uint8_t>(bytes[0])]) {
    fail(400, "malformed request line");
    return false;
  }
  line_.append(bytes.substr(0, *used));
  return end != nullptr;
}

void Http1Parser::on_line() {
  std::string line = std::move(line_);
  line_.clear();
  if (line.size() < 2 || line[line.size() - 2] != '\r') return fail(400, "line ends without CR");
  const std::string_view text = std::string_view(line).substr(0, line.size() - 2);
  switch (state_) {
    case State::kHead:
      return on_head_line(text);
    case State::kChunkSize:
      return on_chunk_size(text);
    case State::kChunkEnd:
      if (!text.empty()) return fail(400, "chunk longer than its size");
      head_bytes_ = 0;
      state_ = State::kChunkSize;
      return;
    default:  // kTrailer: checked and dropped
      if (text.empty()) {
        state_ = State::kDone;
      } else if (!is_http_token(text.substr(0, text.find(':'))) || !is_field_value(text)) {
        fail(400, "malformed trailer");
      }
  }
}

void Http1Parser::on_head_line(std::string_view line) {
  if (!request_line_) return on_request_line(line);
  if (line.empty()) return on_head_end();
  on_field(line);
}

void Http1Parser::on_request_line(std::string_view line) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return fail(400, "malformed request line");
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_http_token(method)) return fail(400, "malformed method");
  if (version.size() != 8 || version.substr(0, 5) != "HTTP/") return fail(400, "malformed version");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return fail(505, "unsupported version");
  http11_ = keep_alive_ = version == "HTTP/1.1";
  request_.method = method;
  if (!set_target(target)) return fail(400, "malformed request target");
  request_line_ = true;
}

bool Http1Parser::set_target(std::string_view target) {
  const bool printable =
      std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!printable || target.find('#') != std::string_view::npos) return false;
  if (target != "*" && !target.empty() && target.front() != '/') {
    const size_t scheme = target.find("://");
    if (scheme == std::string_view::npos) return false;
    const std::string_view name = target.substr(0, scheme);
    if (!equals_ignoring_case(name, "http") && !equals_ignoring_case(name, "https")) return false;
    const size_t path = target.find('/', scheme + 3);
    if (path == std::string_view::npos) return false;
    target.remove_prefix(path);
  }
  if (target.empty() || (target == "*" && request_.method != "OPTIONS")) return false;
  const size_t question = std::min(target.find('?'), target.size());
  request_.path = target.substr(0, question);
  if (question < target.size()) request_.query = target.substr(question + 1);
  return true;
}

void Http1Parser::on_field(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return fail(400, "malformed field");
  const std::string_view raw_name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (!is_http_token(raw_name)) return fail(400, "malformed field name");
  if (!is_field_value(value)) return fail(400, "malformed field value");
  if (request_.headers.size() >= limits_.head_fields) return fail(431, "too many fields");
  std::string name(raw_name);
  std::transform(name.begin(), name.end(), name.begin(), ascii_lower);
  on_framing_field(name, value);
  request_.headers.emplace_back(std::move(name), value);
}

void Http1Parser::on_framing_field(std::string_view name, std::string_view value) {
  if (name == "host") {
    ++hosts_;
  } else if (name == "connection") {
    if (http_list_has(value, "close")) keep_alive_ = false;
    if (!http11_ && http_list_has(value, "keep-alive")) keep_alive_ = true;
  } else if (name == "content-length") {
    const bool digits =
        !value.empty() && value.size() <= 18 &&
        std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits || has_length_) return fail(400, "bad Content-Length");
    has_length_ = true;
    for (const char c : value) left_ = left_ * 10 + static_cast<uint64_t>(c - '0');
  } else if (name == "transfer-encoding") {
    if (chunked_ || !http11_) return fail(400, "bad Transfer-Encoding");
    if (!equals_ignoring_case(value, "chunked")) return fail(501, "unsupported transfer encoding");
    chunked_ = true;
  } else if (name == "expect") {
    if (!equals_ignoring_case(value, "100-continue")) return fail(417, "unknown expectation");
    expects_continue_ = http11_;
  }
}

void Http1Parser::on_head_end() {
  if (chunked_ && has_length_) return fail(400, "Content-Length beside Transfer-Encoding");
  if (hosts_ > 1 || (http11_ && hosts_ == 0)) return fail(400, "one Host is required");
  if (left_ > limits_.body_bytes) return fail(413, "Request entity too large");
  head_bytes_ = 0;
  if (chunked_) {
    state_ = State::kChunkSize;
  } else {
    state_ = left_ > 0 ? State::kBody : State::kDone;
  }
  if (state_ == State::kDone) expects_continue_ = false;
}

void Http1Parser::on_chunk_size(std::string_view line) {
  // Extensions are allowed by the grammar, used by nobody, and read in different ways: refused.
  if (line.empty() || line.size() > 8) return fail(400, "malformed chunk size");
  uint64_t size = 0;
  for (const char c : line) {
    const int digit = hex_digit(c);
    if (digit < 0) return fail(400, "malformed chunk size");
    size = size * 16 + static_cast<uint64_t>(digit);
  }
  if (request_.body.size() + size > limits_.body_bytes)
    return fail(413, "Request entity too large");
  head_bytes_ = 0;
  left_ = size;
  state_ = size == 0 ? State::kTrailer : State::kChunkData;
}

size_t Http1Parser::take_body(std::string_view bytes) {
  const size_t taken = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
  request_.body.append(bytes.substr(0, taken));
  left_ -= taken;
  if (left_ == 0) state_ = state_ == State::kBody ? State::kDone : State::kChunkEnd;
  return taken;
}

}  // namespace orrery::realmode
