#include "engine/api/decode_path.h"

#include "engine/base/str.h"

namespace orrery::api {

void DecodePath::Step::append_to(std::string& text) const {
  if (outer_) outer_->append_to(text);
  if (name_.data() == nullptr) {
    text += str_cat("[", uint64_t{index_}, "]");
  } else {
    text += (text.empty() ? "" : ".") + std::string(name_.empty() ? "\"\"" : name_);
  }
}

void DecodePath::Step::append_fields_to(std::string& text) const {
  if (outer_) outer_->append_fields_to(text);
  if (owner_) text += (text.empty() ? "" : ".") + std::string(name_);
}

std::string_view DecodePath::Step::struct_name() const {
  if (!owner_) return outer_ ? outer_->struct_name() : std::string_view();
  return owner_->go_type.substr(owner_->go_type.rfind('.') + 1);
}

std::string DecodePath::text() const {
  std::string text;
  if (at_) at_->append_to(text);
  return text;
}

void DecodePath::name_place(GoMismatch& mismatch) const {
  const Step* last = named_ ? named_ : at_;
  if (!last) return;
  mismatch.struct_name = last->struct_name();
  last->append_fields_to(mismatch.fields);
}

}  // namespace orrery::api
