#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/api/json_value.h"

namespace orrery::server {

/// Protobuf messages made from JSON trees by tables of fields: for messages that are no kind of the
/// schema tables. Fields are written in the order of the tables; what is empty is left out.

/// Appends the field `number` with these bytes: a text or a message.
void put_bytes(std::string& out, uint32_t number, std::string_view bytes);
/// Only that field.
std::string proto_field(uint32_t number, std::string_view bytes);

/// How a member of a JSON object becomes the field of a number.
using PutProto = void (*)(std::string& out, uint32_t number, const api::Json& value);
struct ProtoField {
  std::string_view member;
  uint32_t number;
  PutProto put;
};
/// The message of an object: the members that the table names.
std::string proto_message(std::span<const ProtoField> fields, const api::Json& value);

void put_text(std::string& out, uint32_t number, const api::Json& value);    // string
void put_flag(std::string& out, uint32_t number, const api::Json& value);    // bool
void put_count(std::string& out, uint32_t number, const api::Json& value);   // int64
void put_number(std::string& out, uint32_t number, const api::Json& value);  // double

/// One field for each element of an array.
template <PutProto put>
void put_each(std::string& out, uint32_t number, const api::Json& value) {
  for (const api::Json& item : value.items()) put(out, number, item);
}

/// A message whose field `inner` is the value.
template <uint32_t inner, PutProto put>
void put_within(std::string& out, uint32_t number, const api::Json& value) {
  std::string message;
  put(message, inner, value);
  put_bytes(out, number, message);
}

/// The members of an object: messages {name = 1, value = 2}.
template <PutProto put>
void put_named(std::string& out, uint32_t number, const api::Json& value) {
  for (const auto& member : value.members()) {
    std::string named = proto_field(1, member.key);
    put(named, 2, member.value);
    put_bytes(out, number, named);
  }
}

}  // namespace orrery::server
