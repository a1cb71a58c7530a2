#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>

namespace orrery::realmode {

/// Bytes to be sent, in order. Small appends share a block, whole strings are taken over.
class OutputQueue {
 public:
  bool empty() const { return blocks_.empty(); }
  size_t bytes() const { return bytes_; }

  /// Takes `block` over from `skip` on.
  void push(std::string block, size_t skip = 0) {
    if (block.size() == skip) return;
    if (block.size() - skip <= kShared / 4 && fits(block.size() - skip)) {
      append(std::string_view(block).substr(skip));
      return;
    }
    bytes_ += block.size() - skip;
    blocks_.push_back({std::move(block), skip});
  }
  void append(std::string_view bytes) {
    if (bytes.empty()) return;
    if (!fits(bytes.size())) blocks_.push_back({});
    blocks_.back().text.append(bytes);
    bytes_ += bytes.size();
  }
  /// The next bytes to send; not empty unless the queue is.
  std::string_view front() const {
    if (blocks_.empty()) return {};
    return std::string_view(blocks_.front().text).substr(blocks_.front().sent);
  }
  /// The first `count` bytes of front() have been sent.
  void pop(size_t count) {
    bytes_ -= count;
    blocks_.front().sent += count;
    if (blocks_.front().sent == blocks_.front().text.size()) blocks_.pop_front();
  }
  void clear() {
    blocks_.clear();
    bytes_ = 0;
  }

 private:
  static constexpr size_t kShared = 16 << 10;  // a TLS record
  struct Block {
    std::string text;
    size_t sent = 0;
  };
  bool fits(size_t more) const {
    return !blocks_.empty() && blocks_.back().text.size() + more <= kShared;
  }

  std::deque<Block> blocks_;
  size_t bytes_ = 0;
};

}  // namespace orrery::realmode
