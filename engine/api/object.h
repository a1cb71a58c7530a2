#pragma once

#include <string>
#include <utility>

#include "engine/api/gen/metav1.h"
#include "engine/api/schema.h"

namespace orrery::api {

/// Any API object (or any described struct): a shared immutable struct with its descriptor, 16
/// bytes. Copies share; mut() clones a shared struct (its parts stay shared).
class Object {
 public:
  Object() = default;
  template <typename T>
  Object(Ref<T> ref) : type_(&T::descriptor()) {  // NOLINT: implicit by design
    if (!ref) ref.mut();
    block_ = std::move(ref).leak();
  }
  template <typename T>
  static Object of(T value) {
    return Object(Ref<T>::make(std::move(value)));
  }
  /// A zero struct of `type`.
  static Object make(const TypeDesc& type);
  Object(const Object& other) : type_(other.type_), block_(other.block_) {
    if (block_) block_->retain();
  }
  Object(Object&& other) noexcept
      : type_(std::exchange(other.type_, nullptr)), block_(std::exchange(other.block_, nullptr)) {}
  Object& operator=(Object other) noexcept {
    std::swap(type_, other.type_);
    std::swap(block_, other.block_);
    return *this;
  }
  ~Object() { reset(); }
  void reset();

  explicit operator bool() const { return block_ != nullptr; }
  /// True if both share one block (equal objects may still answer false).
  bool same(const Object& other) const { return block_ == other.block_; }
  const TypeDesc* type() const { return type_; }
  /// nullptr for structs that are no kind.
  const KindDesc* kind() const { return type_ ? type_->kind : nullptr; }
  const void* data() const { return block_ ? block_->data() : nullptr; }
  void* mut_data();

  template <typename T>
  bool is() const {
    return type_ == &T::descriptor();
  }
  /// The struct, or nullptr if it is of another type.
  template <typename T>
  const T* as() const {
    return is<T>() ? static_cast<const T*>(data()) : nullptr;
  }
  template <typename T>
  const T& get() const {
    CHECK(is<T>()) << "object is a " << (type_ ? type_->name : "null");
    return *static_cast<const T*>(data());
  }
  template <typename T>
  T& mut() {
    CHECK(is<T>()) << "object is a " << (type_ ? type_->name : "null");
    return *static_cast<T*>(mut_data());
  }
  /// Object metadata; requires a type with ObjectMeta (every persisted kind).
  const metav1::ObjectMeta& meta() const;
  metav1::ObjectMeta& mut_meta();
  bool has_meta() const { return type_ && type_->metadata_offset >= 0; }

 private:
  const TypeDesc* type_ = nullptr;
  CowBlock* block_ = nullptr;
};

/// "namespace/name", or "name" for cluster-scoped objects: the key of caches and work queues.
Str object_key(const metav1::ObjectMeta& meta);
Str object_key(std::string_view ns, std::string_view name);

bool has_finalizer(const metav1::ObjectMeta& meta, std::string_view name);

/// The owner reference with controller=true, or nullptr.
const metav1::OwnerReference* controller_of(const metav1::ObjectMeta& meta);

}  // namespace orrery::api
