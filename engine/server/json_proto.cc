#include "engine/server/json_proto.h"

#include <bit>

#include "engine/api/proto_wire.h"

namespace orrery::server {
namespace {

namespace wire = api::wire;

void put_varint(std::string& out, uint64_t number) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
  out += static_cast<char>(number);
}

}  // namespace

void put_bytes(std::string& out, uint32_t number, std::string_view bytes) {
  put_varint(out, number << 3 | wire::kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

std::string proto_field(uint32_t number, std::string_view bytes) {
  std::string out;
  put_bytes(out, number, bytes);
  return out;
}

std::string proto_message(std::span<const ProtoField> fields, const api::Json& value) {
  std::string out;
  for (const ProtoField& field : fields)
    if (const api::Json* member = value.find(field.member)) field.put(out, field.number, *member);
  return out;
}

void put_text(std::string& out, uint32_t number, const api::Json& value) {
  if (!value.text().empty()) put_bytes(out, number, value.text());
}

void put_flag(std::string& out, uint32_t number, const api::Json& value) {
  if (!value.is_true()) return;
  put_varint(out, number << 3 | wire::kVarint);
  put_varint(out, 1);
}

void put_count(std::string& out, uint32_t number, const api::Json& value) {
  if (value.as_int() == 0) return;
  put_varint(out, number << 3 | wire::kVarint);
  put_varint(out, value.as_uint());
}

void put_number(std::string& out, uint32_t number, const api::Json& value) {
  if (value.as_double() == 0) return;
  put_varint(out, number << 3 | wire::kFixed64);
  const auto bits = std::bit_cast<uint64_t>(value.as_double());
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(bits >> shift & 0xff);
}

}  // namespace orrery::server
