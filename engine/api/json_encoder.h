#pragma once

#include <string>
#include <string_view>

#include "engine/api/byte_writer.h"
#include "engine/api/object.h"
#include "engine/api/scalars.h"

namespace orrery::api {

class SharedParts;

/// Writes one value after the other (encode_json for each). Members and items are each written with
/// a comma before them; the bracket then replaces the first comma.
class JsonEncoder {
 public:
  /// Parts that `parts` knows are copied from there; nullptr: none.
  explicit JsonEncoder(const SharedParts* parts = nullptr) : parts_(parts) {}

  void object(const Object& object) { this->object(*object.type(), object.data()); }
  /// `members` is JSON of further members, written before the object's own.
  void object(const TypeDesc& type, const void* object, std::string_view members = {});
  /// A field's value, without its name.
  void value(const FieldDesc& field, const void* object);
  /// Text as it is.
  void put(std::string_view text) { out_.put(text); }
  void clear() { out_.clear(); }
  /// Makes room for so many bytes more.
  void reserve(size_t bytes) { out_.room(bytes); }
  /// What has been written; the encoder ends.
  std::string take() { return out_.take(); }
  std::string_view view() const { return out_.view(); }

 private:
  void close(size_t begin, char open, char end);
  void fields(const TypeDesc& type, const void* object);
  void rest_members(const FieldDesc& field, const void* object);
  void name(std::string_view json);
  void one_of(const TypeDesc& type, const void* object);
  bool known(const CowBlock* block);
  void list(const FieldDesc& field, const void* at);
  void map(const FieldDesc& field, const void* at);
  void element(const FieldDesc& field, const void* at);
  void string_list(const List<Str>& list);
  void string(std::string_view text);
  void quoted(std::string_view text);
  void scalar(FieldKind kind, const void* at);
  void timestamp(FieldKind kind, const Timestamp& t);
  void int_or_string(const IntOrString& value);

  const SharedParts* parts_;
  ByteWriter out_;
  std::string scratch_;
};

}  // namespace orrery::api
