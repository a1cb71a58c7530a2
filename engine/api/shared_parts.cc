#include "engine/api/shared_parts.h"

#include <algorithm>

#include "engine/api/reflect.h"
#include "engine/base/hash.h"

namespace orrery::api {
namespace {

constexpr size_t kSeenPlaces = size_t{1} << 16;
constexpr size_t kPartsMin = 4096;     // no sweep below
constexpr size_t kTextsMax = 1 << 16;  // then the pool of texts begins again
constexpr size_t kPartBytesMin = 12;   // shorter JSON is not worth a part
constexpr size_t kTextBytesMin = 4;

}  // namespace

SharedParts::SharedParts() : seen_once_(kSeenPlaces), sweep_at_(kPartsMin) {}

SharedParts::~SharedParts() {
  for (const auto& [hash, part] : by_hash_) release_block(*part->field, part->block);
}

void SharedParts::share(Object& object) {
  share_struct(*object.type(), object.mut_data());
  if (by_hash_.size() >= sweep_at_) sweep();
}

void SharedParts::share_struct(const TypeDesc& type, void* object) {
  for (const FieldDesc& field : type.fields) {
    void* at = field_at(field, object);
    if (has_block(field)) {
      // Metadata is of one object alone; its parts may not be.
      if (field.json == "metadata" && field_block(field, object)) {
        share_within(field, object);
      } else {
        share_field(field, object);
      }
    } else if (field.kind == FieldKind::kStruct) {
      share_struct(*field.type, at);
    } else if (field.kind == FieldKind::kString && field.form == Form::kValue) {
      share_text(*static_cast<Str*>(at));
    } else if (field.kind == FieldKind::kFieldsV1 || field.kind == FieldKind::kRawJson) {
      share_text(static_cast<RawJson*>(at)->text);
    }
  }
}

void SharedParts::share_field(const FieldDesc& field, void* object) {
  const CowBlock* block = field_block(field, object);
  if (!block || block->size == 0 || by_block_.contains(block)) return;
  encoder_.clear();
  encoder_.value(field, object);
  if (encoder_.view().size() < kPartBytesMin) return;
  const uint64_t hash = hash_bytes(encoder_.view(), hash_bytes(field.json));
  const auto found = by_hash_.find(hash);
  if (found != by_hash_.end()) {
    const Part& part = *found->second;
    if (part.field != &field || part.json != encoder_.view()) return;
    part.block->retain();
    return replace_block(field, object, part.block);
  }
  if (!seen(hash)) return share_within(field, object);
  auto part = std::make_unique<Part>(Part{&field, nullptr, std::string(encoder_.view())});
  share_within(field, object);
  part->block = const_cast<CowBlock*>(field_block(field, object));
  part->block->retain();
  by_block_.emplace(part->block, part.get());
  by_hash_.emplace(hash, std::move(part));
}

void SharedParts::share_within(const FieldDesc& field, void* object) {
  if (field.form != Form::kList && field.form != Form::kMap)
    return share_struct(*field.type, mut_struct_at(field, object));
  if (field.kind != FieldKind::kStruct && field.kind != FieldKind::kString) return;
  void* list = field_at(field, object);
  const size_t size = list_size(list), stride = element_stride(field);
  auto* item = static_cast<char*>(list_own(field, list));
  for (size_t i = 0; i < size; ++i, item += stride) {
    char* value = item;
    if (field.form == Form::kMap) {
      share_text(*static_cast<Str*>(static_cast<void*>(item)));
      value += sizeof(Str);
    }
    if (field.kind == FieldKind::kStruct) {
      share_struct(*field.type, value);
    } else {
      share_text(*static_cast<Str*>(static_cast<void*>(value)));
    }
  }
}

void SharedParts::share_text(Str& text) {
  if (text.size() < kTextBytesMin) return;
  if (const auto found = texts_.find(text); found != texts_.end()) {
    text = Str(*found);
  } else if (seen(text.hash())) {
    if (texts_.size() >= kTextsMax) texts_.clear();
    texts_.insert(text);
  }
}

bool SharedParts::seen(uint64_t hash) {
  uint64_t& place = seen_once_[hash % kSeenPlaces];
  const bool known = place == hash;
  place = hash;
  return known;
}

// Parts that no object has any more go.
void SharedParts::sweep() {
  std::erase_if(by_hash_, [this](const auto& entry) {
    const Part& part = *entry.second;
    if (!part.block->unique()) return false;
    by_block_.erase(part.block);
    release_block(*part.field, part.block);
    return true;
  });
  sweep_at_ = std::max(kPartsMin, 2 * by_hash_.size());
}

}  // namespace orrery::api
