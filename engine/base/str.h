#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace orrery {

/// An immutable text of bytes, 8 bytes wide, shared by reference counting (copying never
/// allocates). Empty needs no memory. Equal texts need not share memory: see StrPool.
/// Thread safety: as std::shared_ptr's control block.
class Str {
 public:
  Str() = default;
  Str(std::string_view text);                                 // NOLINT: implicit by design
  Str(const char* text) : Str(std::string_view(text)) {}      // NOLINT
  Str(const std::string& text) : Str(std::string_view(text)) {}  // NOLINT
  Str(const Str& other) : rep_(other.rep_) { retain(); }
  Str(Str&& other) noexcept : rep_(other.rep_) { other.rep_ = nullptr; }
  Str& operator=(const Str& other) {
    Str copy(other);
    swap(copy);
    return *this;
  }
  Str& operator=(Str&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Str() { release(); }

  /// A text that is never freed and never counted: for constants named in the code.
  static Str literal(std::string_view text);

  void swap(Str& other) noexcept { std::swap(rep_, other.rep_); }
  bool empty() const { return rep_ == nullptr; }
  size_t size() const { return rep_ ? rep_->size : 0; }
  const char* data() const { return rep_ ? rep_->data() : ""; }
  const char* c_str() const { return data(); }
  std::string_view view() const { return {data(), size()}; }
  std::string str() const { return std::string(view()); }
  operator std::string_view() const { return view(); }        // NOLINT
  uint64_t hash() const { return rep_ ? rep_->hash : 0; }
  /// True if both are the same memory (equal texts may still answer false).
  bool same(const Str& other) const { return rep_ == other.rep_; }

  friend bool operator==(const Str& a, const Str& b) {
    return a.rep_ == b.rep_ || (a.hash() == b.hash() && a.view() == b.view());
  }
  friend bool operator==(const Str& a, std::string_view b) { return a.view() == b; }
  friend bool operator==(const Str& a, const char* b) { return a.view() == b; }
  friend auto operator<=>(const Str& a, const Str& b) { return a.view() <=> b.view(); }
  friend auto operator<=>(const Str& a, std::string_view b) { return a.view() <=> b; }

 private:
  struct Rep {
    uint32_t refs;  // kImmortal: not counted
    uint32_t size;
    uint64_t hash;
    char* data() { return reinterpret_cast<char*>(this + 1); }
  };
  static constexpr uint32_t kImmortal = UINT32_MAX;

  static Rep* make(std::string_view text);
  static void destroy(Rep* rep);
  void retain() {
    if (rep_ && __atomic_load_n(&rep_->refs, __ATOMIC_RELAXED) != kImmortal)
      __atomic_fetch_add(&rep_->refs, 1, __ATOMIC_RELAXED);
  }
  void release() {
    if (rep_ && __atomic_load_n(&rep_->refs, __ATOMIC_RELAXED) != kImmortal &&
        __atomic_fetch_sub(&rep_->refs, 1, __ATOMIC_ACQ_REL) == 1)
      destroy(rep_);
  }

  Rep* rep_ = nullptr;
};

struct StrHash {
  using is_transparent = void;
  size_t operator()(const Str& s) const { return s.hash(); }
  size_t operator()(std::string_view s) const;
};
struct StrEqual {
  using is_transparent = void;
  bool operator()(const Str& a, const Str& b) const { return a == b; }
  bool operator()(const Str& a, std::string_view b) const { return a.view() == b; }
  bool operator()(std::string_view a, const Str& b) const { return b.view() == a; }
};

/// Joins texts and integers: str_cat("pod ", name, " on ", 3).
inline void str_append(std::string& out, std::string_view piece) { out.append(piece); }
inline void str_append(std::string& out, const Str& piece) { out.append(piece.view()); }
inline void str_append(std::string& out, const std::string& piece) { out.append(piece); }
inline void str_append(std::string& out, const char* piece) { out.append(piece); }
inline void str_append(std::string& out, char piece) { out.push_back(piece); }
void str_append(std::string& out, int64_t number);
void str_append(std::string& out, uint64_t number);
inline void str_append(std::string& out, int number) { str_append(out, int64_t{number}); }
inline void str_append(std::string& out, unsigned number) { str_append(out, uint64_t{number}); }
inline void str_append(std::string& out, long long number) { str_append(out, int64_t{number}); }
inline void str_append(std::string& out, unsigned long long number) {
  str_append(out, uint64_t{number});
}

template <typename... Pieces>
std::string str_cat(const Pieces&... pieces) {
  std::string out;
  (str_append(out, pieces), ...);
  return out;
}

}  // namespace orrery

template <>
struct std::hash<orrery::Str> {
  size_t operator()(const orrery::Str& s) const { return s.hash(); }
};
