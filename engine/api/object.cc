#include "engine/api/object.h"

#include <algorithm>

#include <array>
#include <cstdlib>
#include <cstring>

namespace orrery::api {

Object Object::make(const TypeDesc& type) {
  Object object;
  object.type_ = &type;
  object.block_ = CowBlock::allocate(type.size, 1, 1);
  type.construct(object.block_->data());
  return object;
}

void Object::reset() {
  if (block_ && block_->release()) {
    type_->destroy(block_->data());
    std::free(block_);
  }
  block_ = nullptr;
  type_ = nullptr;
}

void* Object::mut_data() {
  CHECK(block_ != nullptr) << "mut of a null object";
  if (!block_->unique()) {
    auto* fresh = CowBlock::allocate(type_->size, 1, 1);
    type_->copy(fresh->data(), block_->data());
    const TypeDesc* type = type_;
    reset();
    type_ = type;
    block_ = fresh;
  }
  return block_->data();
}

const metav1::ObjectMeta& Object::meta() const {
  CHECK(has_meta()) << (type_ ? type_->name : "null object");
  const auto* at = static_cast<const char*>(data()) + type_->metadata_offset;
  return **reinterpret_cast<const Ref<metav1::ObjectMeta>*>(at);
}

metav1::ObjectMeta& Object::mut_meta() {
  CHECK(has_meta()) << (type_ ? type_->name : "null object");
  auto* at = static_cast<char*>(mut_data()) + type_->metadata_offset;
  return reinterpret_cast<Ref<metav1::ObjectMeta>*>(at)->mut();
}

Str object_key(std::string_view ns, std::string_view name) {
  if (ns.empty()) return Str(name);
  // Keys are made for every event: put together without a string in between.
  std::array<char, 256> text;
  const size_t size = ns.size() + 1 + name.size();
  if (size > text.size()) return Str(str_cat(ns, '/', name));
  std::memcpy(text.data(), ns.data(), ns.size());
  text[ns.size()] = '/';
  std::memcpy(text.data() + ns.size() + 1, name.data(), name.size());
  return Str(std::string_view(text.data(), size));
}

Str object_key(const metav1::ObjectMeta& meta) {
  return meta.namespace_.empty() ? meta.name : object_key(meta.namespace_, meta.name);
}

bool has_finalizer(const metav1::ObjectMeta& meta, std::string_view name) {
  return std::any_of(meta.finalizers.begin(), meta.finalizers.end(), [&](const Str& finalizer) { return finalizer == name; });
}

const metav1::OwnerReference* controller_of(const metav1::ObjectMeta& meta) {
  for (const auto& owner : meta.owner_references)
    if (owner.controller.value_or(false)) return &owner;
  return nullptr;
}

}  // namespace orrery::api
