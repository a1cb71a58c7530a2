#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <new>
#include <span>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/str.h"

namespace orrery {

/// Copy-on-write building blocks of API objects. Each is one pointer wide, copies by counting
/// references, reads through const access, and clones a shared block on the first mut(). The block
/// layouts are fixed so that descriptor-driven code can walk them without templates.

/// Counting shared by all blocks. The first word of every block is its reference count.
struct CowBlock {
  uint32_t refs;
  uint32_t size;      // List: elements in use; Ref: 1
  uint32_t capacity;  // List: elements allocated; Ref: 1
  uint32_t unused;

  void* data() { return this + 1; }
  static CowBlock* allocate(size_t payload_bytes, uint32_t size, uint32_t capacity) {
    auto* block = static_cast<CowBlock*>(std::malloc(sizeof(CowBlock) + payload_bytes));
    CHECK(block != nullptr) << "out of memory";
    *block = {1, size, capacity, 0};
    return block;
  }
  void retain() { __atomic_fetch_add(&refs, 1, __ATOMIC_RELAXED); }
  /// True if this was the last reference: the caller destroys the payload and frees the block.
  bool release() { return __atomic_fetch_sub(&refs, 1, __ATOMIC_ACQ_REL) == 1; }
  bool unique() const { return __atomic_load_n(&refs, __ATOMIC_ACQUIRE) == 1; }
};

/// A shared immutable T, or absent. Where a field's form is `value`, absent reads as T's zero.
template <typename T>
class Ref {
 public:
  Ref() = default;
  Ref(const Ref& other) : block_(other.block_) {
    if (block_) block_->retain();
  }
  Ref(Ref&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Ref() { reset(); }

  static Ref make(T value = T()) {
    Ref ref;
    ref.block_ = CowBlock::allocate(sizeof(T), 1, 1);
    new (ref.block_->data()) T(std::move(value));
    return ref;
  }
  explicit operator bool() const { return block_ != nullptr; }
  const T* get() const { return block_ ? static_cast<const T*>(block_->data()) : nullptr; }
  const T& operator*() const { return block_ ? *get() : zero(); }
  const T* operator->() const { return &**this; }
  /// The value, for writing: made if absent, cloned if shared.
  T& mut() {
    if (!block_) {
      *this = make();
    } else if (!block_->unique()) {
      *this = make(*get());
    }
    return *static_cast<T*>(block_->data());
  }
  void reset() {
    if (block_ && block_->release()) {
      get()->~T();
      std::free(block_);
    }
    block_ = nullptr;
  }
  /// True if both share one block (equal values may still answer false).
  bool same(const Ref& other) const { return block_ == other.block_; }
  /// For type-erased holders: gives up, or takes over, one reference to the block.
  CowBlock* leak() && { return std::exchange(block_, nullptr); }
  static Ref adopt(CowBlock* block) {
    Ref ref;
    ref.block_ = block;
    return ref;
  }

  static const T& zero() {
    static const T kZero{};
    return kZero;
  }

 private:
  CowBlock* block_ = nullptr;
};

/// A shared list. nil (never set) and empty are different, as in Go and hence in Kubernetes' JSON.
template <typename T>
class List {
 public:
  List() = default;
  List(std::initializer_list<T> items) {
    reserve(items.size());
    for (const T& item : items) push_back(item);
  }
  List(const List& other) : block_(other.block_) {
    if (block_) block_->retain();
  }
  List(List&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  List& operator=(List other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~List() { reset(); }

  bool is_nil() const { return block_ == nullptr; }
  bool empty() const { return size() == 0; }
  size_t size() const { return block_ ? block_->size : 0; }
  const T* data() const { return block_ ? static_cast<const T*>(block_->data()) : nullptr; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size(); }
  const T& operator[](size_t i) const { return data()[i]; }
  const T& front() const { return data()[0]; }
  const T& back() const { return data()[size() - 1]; }

  /// The elements, for writing: the list is made (empty) if nil and cloned if shared.
  std::span<T> mut() {
    own(0);
    return {static_cast<T*>(block_->data()), block_->size};
  }
  T& mut(size_t i) { return mut()[i]; }
  T& push_back(T item) {
    own(1);
    T* slot = static_cast<T*>(block_->data()) + block_->size;
    new (slot) T(std::move(item));
    ++block_->size;
    return *slot;
  }
  void insert(size_t index, T item) {
    push_back(std::move(item));
    auto all = mut();
    std::rotate(all.begin() + static_cast<ptrdiff_t>(index), all.end() - 1, all.end());
  }
  void erase(size_t index) {
    auto all = mut();
    std::move(all.begin() + static_cast<ptrdiff_t>(index) + 1, all.end(),
              all.begin() + static_cast<ptrdiff_t>(index));
    truncate(size() - 1);
  }
  template <typename Predicate>
  size_t erase_if(Predicate predicate) {
    if (std::none_of(begin(), end(), predicate)) return 0;
    auto all = mut();
    auto kept = std::remove_if(all.begin(), all.end(), predicate);
    size_t removed = static_cast<size_t>(all.end() - kept);
    truncate(size() - removed);
    return removed;
  }
  void truncate(size_t count) {
    auto all = mut();
    for (size_t i = count; i < all.size(); ++i) all[i].~T();
    block_->size = static_cast<uint32_t>(std::min(count, all.size()));
  }
  /// Empty but not nil.
  void clear() {
    reset();
    own(0);
  }
  void reserve(size_t count) {
    if (count > size()) own(count - size());
  }
  /// Back to nil.
  void reset() {
    if (block_ && block_->release()) {
      for (const T& item : *this) item.~T();
      std::free(block_);
    }
    block_ = nullptr;
  }
  bool same(const List& other) const { return block_ == other.block_; }
  friend bool operator==(const List& a, const List& b) {
    return a.same(b) || std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  // Makes the block ours alone, with room for `extra` more elements.
  void own(size_t extra) {
    size_t need = size() + extra;
    if (block_ && block_->unique() && block_->capacity >= need) return;
    size_t capacity = need;
    if (block_ && extra > 0) capacity = std::max(need, size() + size() / 2 + 1);
    CHECK(capacity < UINT32_MAX) << "list of " << capacity;
    auto* fresh = CowBlock::allocate(capacity * sizeof(T), static_cast<uint32_t>(size()),
                                     static_cast<uint32_t>(capacity));
    T* to = static_cast<T*>(fresh->data());
    if (block_ && block_->unique()) {
      T* from = static_cast<T*>(block_->data());
      for (size_t i = 0; i < size(); ++i) {
        new (to + i) T(std::move(from[i]));
        from[i].~T();
      }
      std::free(block_);
    } else {
      for (size_t i = 0; i < size(); ++i) new (to + i) T((*this)[i]);
      uint32_t count = fresh->size;
      reset();
      fresh->size = count;
    }
    block_ = fresh;
  }

  CowBlock* block_ = nullptr;
};

/// A shared map from text, kept sorted by key (bytewise, as Kubernetes writes its maps). Laid out
/// as a List of entries.
template <typename V>
class Map {
 public:
  struct Entry {
    Str key;
    V value{};
    friend bool operator==(const Entry& a, const Entry& b) {
      return a.key == b.key && a.value == b.value;
    }
  };
  Map() = default;
  Map(std::initializer_list<std::pair<std::string_view, V>> entries) {
    for (const auto& [key, value] : entries) set(Str(key), value);
  }

  bool is_nil() const { return entries_.is_nil(); }
  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  const Entry* begin() const { return entries_.begin(); }
  const Entry* end() const { return entries_.end(); }
  const V* find(std::string_view key) const {
    const Entry* it = lower_bound(key);
    return it != end() && it->key == key ? &it->value : nullptr;
  }
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  /// The value of `key`, or V's zero.
  V get(std::string_view key) const {
    const V* v = find(key);
    return v ? *v : V{};
  }
  void set(Str key, V value) { mut(std::move(key)) = std::move(value); }
  /// The value of `key`, for writing: made if absent.
  V& mut(Str key) {
    const Entry* it = lower_bound(key);
    auto index = static_cast<size_t>(it - begin());
    if (it == end() || it->key != key) entries_.insert(index, Entry{std::move(key), V{}});
    return entries_.mut(index).value;
  }
  bool erase(std::string_view key) {
    const Entry* it = lower_bound(key);
    if (it == end() || it->key != key) return false;
    entries_.erase(static_cast<size_t>(it - begin()));
    return true;
  }
  void clear() { entries_.clear(); }
  void reset() { entries_.reset(); }
  bool same(const Map& other) const { return entries_.same(other.entries_); }
  friend bool operator==(const Map& a, const Map& b) { return a.entries_ == b.entries_; }

 private:
  const Entry* lower_bound(std::string_view key) const {
    return std::lower_bound(begin(), end(), key,
                            [](const Entry& e, std::string_view k) { return e.key.view() < k; });
  }
  List<Entry> entries_;
};

/// A scalar that may be absent (a Go pointer field).
template <typename T>
struct Opt {
  T value{};
  bool present = false;

  Opt() = default;
  Opt(T v) : value(std::move(v)), present(true) {}  // NOLINT: implicit by design
  explicit operator bool() const { return present; }
  bool has_value() const { return present; }
  const T& operator*() const { return value; }
  T& operator*() { return value; }
  const T* operator->() const { return &value; }
  T value_or(T other) const { return present ? value : other; }
  void reset() { *this = Opt(); }
  friend bool operator==(const Opt& a, const Opt& b) {
    return a.present == b.present && (!a.present || a.value == b.value);
  }
  friend bool operator==(const Opt& a, const T& b) { return a.present && a.value == b; }
};

}  // namespace orrery
