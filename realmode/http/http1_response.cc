#include "realmode/http/http1_response.h"

#include <algorithm>
#include <charconv>

#include "engine/base/ascii.h"
#include "realmode/http/http1_parser.h"

namespace orrery::realmode {
namespace {

constexpr size_t kFieldsMax = 256;

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto u = static_cast<uint8_t>(c);
    return u == '\t' || (u >= 0x20 && u != 0x7f);
  });
}

bool read_number(std::string_view text, int base, uint64_t* number) {
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), *number, base);
  return error == std::errc() && end == text.data() + text.size() && text.size() <= 15;
}

}  // namespace

size_t Http1Response::feed(std::string_view bytes, std::string* body) {
  size_t used = 0;
  const bool in_head = state_ == State::kHead;
  while (used < bytes.size() && state_ < State::kDone && (state_ == State::kHead) == in_head) {
    if (state_ == State::kCounted || state_ == State::kUntilEnd || state_ == State::kChunkData) {
      used += take_body(bytes.substr(used), body);
      continue;
    }
    size_t taken = 0;
    const bool complete = take_line(bytes.substr(used), &taken);
    used += taken;
    if (!complete) continue;
    const std::string line = std::move(line_);
    line_.clear();
    const bool with_cr = line.size() >= 2 && line[line.size() - 2] == '\r';
    if (!on_line(std::string_view(line).substr(0, line.size() - (with_cr ? 2 : 1))))
      state_ = State::kFailed;
  }
  return used;
}

void Http1Response::on_end() {
  if (state_ == State::kUntilEnd) {
    state_ = State::kDone;
  } else if (state_ < State::kDone) {
    state_ = State::kFailed;
  }
}

bool Http1Response::take_line(std::string_view bytes, size_t* used) {
  const size_t end = bytes.find('\n');
  *used = end == std::string_view::npos ? bytes.size() : end + 1;
  head_bytes_ += *used;
  if (head_bytes_ > head_bytes_max_) {
    state_ = State::kFailed;
    return false;
  }
  line_.append(bytes.substr(0, *used));
  return end != std::string_view::npos;
}

bool Http1Response::on_line(std::string_view line) {
  switch (state_) {
    case State::kHead:
      if (head_.code == 0) return on_status_line(line);
      return line.empty() ? on_head_end() : on_field(line);
    case State::kChunkSize:
      return on_chunk_size(line);
    case State::kChunkEnd:
      state_ = State::kChunkSize;
      head_bytes_ = 0;
      return line.empty();
    default:  // kTrailer: dropped
      if (line.empty()) state_ = State::kDone;
      return true;
  }
}

bool Http1Response::on_status_line(std::string_view line) {
  uint64_t code = 0;
  if (line.size() < 12 || !(line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ")) ||
      !read_number(line.substr(9, 3), 10, &code) || code < 100 ||
      (line.size() > 12 && line[12] != ' '))
    return false;
  head_.code = static_cast<int>(code);
  return true;
}

bool Http1Response::on_field(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || head_.headers.size() >= kFieldsMax) return false;
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (!is_http_token(line.substr(0, colon)) || !printable(value)) return false;
  std::string name(line.substr(0, colon));
  for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  if (name == "content-length") {
    if (counted_ || !read_number(value, 10, &left_)) return false;
    counted_ = true;
  } else if (name == "transfer-encoding") {
    if (chunked_ || !http_list_has(value, "chunked") || value.size() != 7) return false;
    chunked_ = true;
  }
  head_.headers.emplace_back(std::move(name), value);
  return true;
}

bool Http1Response::on_head_end() {
  if (chunked_ && counted_) return false;
  head_bytes_ = 0;
  if (head_.code == 101) {
    state_ = State::kSwitched;
  } else if (head_.code < 200) {
    head_ = {.code = 0, .headers = {}, .body = {}};
  } else if (head_only_ || head_.code == 204 || head_.code == 304 || (counted_ && left_ == 0)) {
    state_ = State::kDone;
  } else if (chunked_) {
    state_ = State::kChunkSize;
  } else {
    state_ = counted_ ? State::kCounted : State::kUntilEnd;
  }
  return true;
}

bool Http1Response::on_chunk_size(std::string_view line) {
  line = trimmed(line.substr(0, line.find(';')));
  if (!read_number(line, 16, &left_)) return false;
  head_bytes_ = 0;
  state_ = left_ == 0 ? State::kTrailer : State::kChunkData;
  return true;
}

size_t Http1Response::take_body(std::string_view bytes, std::string* body) {
  if (state_ == State::kUntilEnd) {
    body->append(bytes);
    return bytes.size();
  }
  const size_t taken = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
  body->append(bytes.substr(0, taken));
  left_ -= taken;
  if (left_ == 0) state_ = state_ == State::kCounted ? State::kDone : State::kChunkEnd;
  return taken;
}

}  // namespace orrery::realmode
