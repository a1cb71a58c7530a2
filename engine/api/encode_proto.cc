#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>

#include "engine/api/codec_proto.h"
#include "engine/api/proto_wire.h"
#include "engine/api/reflect.h"

namespace orrery::api {
namespace {

/// A buffer that is filled from its end: a message is written after what it holds, so its length is
/// known and nothing is copied twice.
class BackWriter {
 public:
  BackWriter() { grow(kFirst); }
  ~BackWriter() { std::free(begin_); }
  BackWriter(const BackWriter&) = delete;
  BackWriter& operator=(const BackWriter&) = delete;

  size_t size() const { return static_cast<size_t>(end_ - at_); }
  std::string_view view() const { return {at_, size()}; }

  void put(std::string_view bytes) {
    room(bytes.size());
    at_ -= bytes.size();
    std::memcpy(at_, bytes.data(), bytes.size());
  }
  void put_varint(uint64_t value) {
    room(kVarintMax);
    if (value < 0x80) {
      *--at_ = static_cast<char>(value);
      return;
    }
    const int groups = (std::bit_width(value) + 6) / 7;
    at_ -= groups;
    for (int i = 0; i < groups - 1; ++i, value >>= 7) at_[i] = static_cast<char>(value | 0x80);
    at_[groups - 1] = static_cast<char>(value);
  }
  void put_tag(uint32_t number, wire::Type type) { put_varint(number << 3 | type); }
  /// Closes a length-delimited field whose content is all that was written since `mark`.
  void close(uint32_t number, size_t mark) {
    put_varint(size() - mark);
    put_tag(number, wire::kBytes);
  }
  void put_bytes(uint32_t number, std::string_view bytes) {
    const size_t mark = size();
    put(bytes);
    close(number, mark);
  }
  void put_integer(uint32_t number, int64_t value) {
    put_varint(static_cast<uint64_t>(value));
    put_tag(number, wire::kVarint);
  }

 private:
  static constexpr size_t kFirst = 4096;
  static constexpr size_t kVarintMax = 10;
  void room(size_t n) {
    if (static_cast<size_t>(at_ - begin_) < n) grow(n);
  }
  void grow(size_t n) {
    const size_t used = size();
    const size_t capacity = std::max(used + n, 2 * static_cast<size_t>(end_ - begin_));
    auto* fresh = static_cast<char*>(std::malloc(capacity));
    CHECK(fresh != nullptr) << "out of memory";
    if (used > 0) std::memcpy(fresh + capacity - used, at_, used);
    std::free(begin_);
    begin_ = fresh;
    end_ = fresh + capacity;
    at_ = end_ - used;
  }

  char* begin_ = nullptr;
  char* at_ = nullptr;  // the first byte written
  char* end_ = nullptr;
};

/// Writes fields, elements and entries last to first.
class Encoder {
 public:
  explicit Encoder(BackWriter& out) : out_(out) {}

  void message(const TypeDesc& type, const void* object) {
    for (size_t i = type.proto_order.size(); i > 0; --i) field(type.fields[type.proto_order[i - 1]], object);
  }

 private:
  void field(const FieldDesc& field, const void* object) {
    const void* at = field_at(field, object);
    switch (field.form) {
      case Form::kList: return list(field, at);
      case Form::kMap:
        for (size_t i = list_size(at); i > 0; --i) {
          const void* entry = list_item(field, at, i - 1);
          const size_t mark = out_.size();
          value(field, 2, map_value(entry));
          out_.put_bytes(1, map_key(entry));
          out_.close(field.proto, mark);
        }
        return;
      case Form::kPointer:
        if (field.kind == FieldKind::kStruct) {
          const void* inner = struct_at(field, object);
          return inner ? value(field, field.proto, inner) : void();
        }
        if (!opt_present(field, object)) return;
        break;
      default: break;
    }
    if (field.kind == FieldKind::kBytes && !static_cast<const Bytes*>(at)->present) return;
    value(field, field.proto, field.kind == FieldKind::kStruct ? struct_at(field, object) : at);
  }

  void list(const FieldDesc& field, const void* at) {
    const size_t size = list_size(at);
    if (size == 0) return;
    if (wire::is_list_message(field)) {
      const size_t mark = out_.size();
      texts(*static_cast<const List<Str>*>(at));
      return out_.close(field.proto, mark);
    }
    const size_t stride = element_stride(field);
    const auto* first = static_cast<const char*>(list_item(field, at, 0));
    for (size_t i = size; i > 0; --i) value(field, field.proto, first + (i - 1) * stride);
  }

  void value(const FieldDesc& field, uint32_t number, const void* at) {
    switch (field.kind) {
      case FieldKind::kBool: return out_.put_integer(number, *static_cast<const bool*>(at));
      case FieldKind::kInt32: return out_.put_integer(number, *static_cast<const int32_t*>(at));
      case FieldKind::kInt64: return out_.put_integer(number, *static_cast<const int64_t*>(at));
      case FieldKind::kFloat64:
        out_.put({static_cast<const char*>(at), 8});
        return out_.put_tag(number, wire::kFixed64);
      case FieldKind::kString:
      case FieldKind::kBytes: return out_.put_bytes(number, *static_cast<const Str*>(at));
      default: break;
    }
    const size_t mark = out_.size();
    inner_message(field, at);
    out_.close(number, mark);
  }

  void inner_message(const FieldDesc& field, const void* at) {
    switch (field.kind) {
      case FieldKind::kQuantity: return quantity(*static_cast<const Quantity*>(at));
      case FieldKind::kTime:
      case FieldKind::kMicroTime: return timestamp(field.kind, *static_cast<const Timestamp*>(at));
      case FieldKind::kDuration: return out_.put_integer(1, static_cast<const ApiDuration*>(at)->ns);
      case FieldKind::kIntOrString: {
        const auto& value = *static_cast<const IntOrString*>(at);
        out_.put_bytes(3, value.text);
        out_.put_integer(2, value.is_text ? 0 : value.number);
        return out_.put_integer(1, value.is_text ? 1 : 0);
      }
      case FieldKind::kRawJson:
      case FieldKind::kFieldsV1: {
        const Str& text = static_cast<const RawJson*>(at)->text;
        if (!text.empty()) out_.put_bytes(1, text);
        return;
      }
      case FieldKind::kStringList: return texts(*static_cast<const List<Str>*>(at));
      default: return message(*field.type, at);
    }
  }

  void texts(const List<Str>& list) {
    for (size_t i = list.size(); i > 0; --i) out_.put_bytes(1, list[i - 1]);
  }

  void quantity(const Quantity& q) {
    q.cached_text().empty() ? out_.put_bytes(1, q.to_string()) : out_.put_bytes(1, q.cached_text());
  }
  void timestamp(FieldKind kind, const Timestamp& t) {
    if (t.is_zero()) return;
    // metav1.Time keeps whole seconds; MicroTime keeps microseconds.
    out_.put_integer(2, kind == FieldKind::kTime ? 0 : t.nanos / 1000 * 1000);
    out_.put_integer(1, t.seconds);
  }

  BackWriter& out_;
};

}  // namespace

std::string encode_proto_message(const TypeDesc& type, const void* object) {
  BackWriter out;
  Encoder(out).message(type, object);
  return std::string(out.view());
}

std::string encode_proto(const Object& object) {
  CHECK(object.kind() != nullptr) << "only kinds have an envelope";
  BackWriter out;
  out.put_bytes(wire::kUnknownType, "");
  out.put_bytes(wire::kUnknownEncoding, "");
  const size_t raw = out.size();
  Encoder(out).message(wire::message_type(*object.type()), object.data());
  out.close(wire::kUnknownRaw, raw);
  const size_t type_meta = out.size();
  out.put_bytes(wire::kKind, object.kind()->kind);
  out.put_bytes(wire::kApiVersion, object.kind()->api_version);
  out.close(wire::kUnknownTypeMeta, type_meta);
  out.put(wire::kMagic);
  return std::string(out.view());
}

}  // namespace orrery::api
