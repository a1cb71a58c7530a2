#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace orrery::api {

/// A growing text that is written through a bare cursor: room() once, then stores without checks.
class ByteWriter {
 public:
  ByteWriter() { grow(kFirst); }
  ByteWriter(const ByteWriter&) = delete;
  ByteWriter& operator=(const ByteWriter&) = delete;

  /// Makes room for `n` more bytes; invalidates cursors.
  void room(size_t n) {
    if (static_cast<size_t>(end_ - at_) < n) grow(n);
  }
  /// The cursor: write at most the room asked for, then advance().
  char* at() { return at_; }
  void advance_to(char* at) { at_ = at; }
  void clear() { at_ = begin_; }
  size_t size() const { return static_cast<size_t>(at_ - begin_); }
  /// For patching what is written already.
  char& operator[](size_t index) { return begin_[index]; }

  void put(char c) {
    room(1);
    *at_++ = c;
  }
  void put(std::string_view text) {
    room(text.size());
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void put_number(int64_t number) {
    constexpr size_t kDigitsMax = 20;
    room(kDigitsMax);
    at_ = std::to_chars(at_, at_ + kDigitsMax, number).ptr;
  }
  std::string_view view() const { return {begin_, size()}; }
  /// What has been written; the writer ends.
  std::string take();

 private:
  static constexpr size_t kFirst = 4096;
  void grow(size_t n);

  std::string text_;
  char* begin_ = nullptr;
  char* at_ = nullptr;
  char* end_ = nullptr;
};

}  // namespace orrery::api
