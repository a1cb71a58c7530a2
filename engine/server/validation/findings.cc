#include "engine/server/validation/findings.h"

#include <iterator>

#include "engine/api/codec_json.h"
#include "engine/api/names.h"

namespace orrery::server {
namespace {

std::string with_detail(std::string text, std::string_view detail) {
  if (detail.empty()) return text;
  text += ": ";
  text += detail;
  return text;
}

}  // namespace

std::string Path::text() const {
  std::string out = parent_ ? parent_->text() : std::string();
  if (!name_.empty()) {
    if (parent_) out += '.';
    out += name_;
  }
  if (index_ == kKey) return str_cat(out, "[", key_, "]");
  if (index_ != kNoIndex) return str_cat(out, "[", uint64_t{index_}, "]");
  return out;
}

Shown::Shown(std::string_view value) : text(api::quoted(value)) {}

Shown Shown::raw(std::string text) { return Shown(Raw{}, std::move(text)); }

Shown Shown::object(const api::TypeDesc& type, const void* value) { return raw(api::encode_json(type, value)); }

Shown Shown::list(const List<Str>& value, std::string_view type) {
  std::string out(type);
  if (value.is_nil()) return raw(out + "(nil)");
  out += '{';
  for (size_t i = 0; i < value.size(); ++i) {
    if (i > 0) out += ", ";
    out += api::quoted(value[i]);
  }
  return raw(out + "}");
}

Shown Shown::map(const Map<Str>& value) {
  std::string out = "map[string]string";
  if (value.is_nil()) return raw(out + "(nil)");
  out += '{';
  for (const auto& [key, text] : value) {
    if (out.back() != '{') out += ", ";
    out += str_cat(api::quoted(key), ":", api::quoted(text));
  }
  return raw(out + "}");
}

void Findings::add(const Path& at, Str reason, std::string detail) {
  errors_.push_back({at.text(), std::move(reason), std::move(detail)});
}

void Findings::add_found(std::string field, Str reason, std::string detail) {
  errors_.push_back({std::move(field), std::move(reason), std::move(detail)});
}

void Findings::add(Findings other) {
  errors_.insert(errors_.end(), std::make_move_iterator(other.errors_.begin()), std::make_move_iterator(other.errors_.end()));
}

void Findings::required(const Path& at, std::string_view detail) {
  add(at, "FieldValueRequired", with_detail("Required value", detail));
}

void Findings::forbidden(const Path& at, std::string_view detail) {
  add(at, "FieldValueForbidden", with_detail("Forbidden", detail));
}

void Findings::invalid(const Path& at, const Shown& value, std::string_view detail) {
  add(at, "FieldValueInvalid", with_detail(str_cat("Invalid value: ", value.text), detail));
}

void Findings::invalid_here(const Path& at, std::string_view detail) {
  add(at, "FieldValueInvalid", with_detail("Invalid value", detail));
}

void Findings::invalid(const Path& at, const Shown& value, const std::vector<std::string>& messages) {
  for (const std::string& message : messages) invalid(at, value, message);
}

void Findings::not_supported(const Path& at, const Shown& value, std::span<const std::string_view> supported) {
  std::string text = str_cat("Unsupported value: ", value.text);
  for (size_t i = 0; i < supported.size(); ++i)
    text += str_cat(i == 0 ? ": supported values: " : ", ", api::quoted(supported[i]));
  add(at, "FieldValueNotSupported", std::move(text));
}

void Findings::duplicate(const Path& at, const Shown& value, std::string_view detail) {
  add(at, "FieldValueDuplicate", with_detail(str_cat("Duplicate value: ", value.text), detail));
}

void Findings::not_found(const Path& at, const Shown& value, std::string_view detail) {
  add(at, "FieldValueNotFound", with_detail(str_cat("Not found: ", value.text), detail));
}

void Findings::too_long(const Path& at, int64_t bytes_max) {
  add(at, "FieldValueTooLong", str_cat("Too long: may not be more than ", bytes_max, " bytes"));
}

void Findings::too_many(const Path& at, size_t count, size_t count_max) {
  add(at, "FieldValueTooMany", str_cat("Too many: ", uint64_t{count}, ": must have at most ", uint64_t{count_max},
                                       count_max == 1 ? " item" : " items"));
}

void Findings::internal(const Path& at, std::string_view detail) {
  add(at, "InternalError", with_detail("Internal error", detail));
}

void Findings::one_of(const Str& value, const Path& at, std::initializer_list<std::string_view> supported) {
  if (is_one_of(value, supported)) return;
  if (value.empty()) return required(at);
  not_supported(at, value, supported);
}

}  // namespace orrery::server
