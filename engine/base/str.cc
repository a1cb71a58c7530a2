#include "engine/base/str.h"

#include <charconv>
#include <cstdlib>
#include <cstring>

#include "engine/base/check.h"
#include "engine/base/hash.h"

namespace orrery {

Str::Rep* Str::make(std::string_view text) {
  if (text.empty()) return nullptr;
  CHECK(text.size() < UINT32_MAX) << "text of " << text.size() << " bytes";
  auto* rep = static_cast<Rep*>(std::malloc(sizeof(Rep) + text.size() + 1));
  CHECK(rep != nullptr) << "out of memory";
  rep->refs = 1;
  rep->size = static_cast<uint32_t>(text.size());
  rep->hash = hash_bytes(text);
  std::memcpy(rep->data(), text.data(), text.size());
  rep->data()[text.size()] = '\0';
  return rep;
}

void Str::destroy(Rep* rep) { std::free(rep); }

Str::Str(std::string_view text) : rep_(make(text)) {}

Str Str::literal(std::string_view text) {
  Str s;
  s.rep_ = make(text);
  if (s.rep_) s.rep_->refs = kImmortal;
  return s;
}

size_t StrHash::operator()(std::string_view s) const { return s.empty() ? 0 : hash_bytes(s); }

namespace {

template <typename Number>
void append_number(std::string& out, Number number) {
  char buffer[24];
  auto end = std::to_chars(buffer, buffer + sizeof(buffer), number).ptr;
  out.append(buffer, static_cast<size_t>(end - buffer));
}

}  // namespace

void str_append(std::string& out, int64_t number) { append_number(out, number); }
void str_append(std::string& out, uint64_t number) { append_number(out, number); }

}  // namespace orrery
