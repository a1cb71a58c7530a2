#include "engine/api/codec_proto.h"

#include <cstring>

#include "engine/api/codec_json.h"
#include "engine/api/reflect.h"

namespace orrery::api {
namespace {

constexpr std::string_view kMagic{"k8s\0", 4};
constexpr int kDepthMax = 128;

enum Wire : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}
void put_tag(std::string& out, uint32_t number, Wire wire) { put_varint(out, number << 3 | wire); }
void put_bytes(std::string& out, uint32_t number, std::string_view bytes) {
  put_tag(out, number, kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}
void put_integer(std::string& out, uint32_t number, int64_t value) {
  put_tag(out, number, kVarint);
  put_varint(out, static_cast<uint64_t>(value));
}

class Encoder {
 public:
  static void message(std::string& out, const TypeDesc& type, const void* object) {
    for (uint16_t index : type.proto_order) field(out, type.fields[index], object);
  }

 private:
  static void field(std::string& out, const FieldDesc& field, const void* object) {
    const void* at = field_at(field, object);
    switch (field.form) {
      case Form::kList:
        for (size_t i = 0; i < list_size(at); ++i) value(out, field, field.proto, list_item(field, at, i));
        return;
      case Form::kMap:
        for (size_t i = 0; i < list_size(at); ++i) {
          const void* entry = list_item(field, at, i);
          std::string pair;
          put_bytes(pair, 1, map_key(entry));
          value(pair, field, 2, map_value(entry));
          put_bytes(out, field.proto, pair);
        }
        return;
      case Form::kPointer:
        if (is_empty_value(field, object)) return;
        break;
      default: break;
    }
    if (field.kind == FieldKind::kBytes && !static_cast<const Bytes*>(at)->present) return;
    value(out, field, field.proto, field.kind == FieldKind::kStruct ? struct_at(field, object) : at);
  }

  static void value(std::string& out, const FieldDesc& field, uint32_t number, const void* at) {
    switch (field.kind) {
      case FieldKind::kBool: return put_integer(out, number, *static_cast<const bool*>(at));
      case FieldKind::kInt32: return put_integer(out, number, *static_cast<const int32_t*>(at));
      case FieldKind::kInt64: return put_integer(out, number, *static_cast<const int64_t*>(at));
      case FieldKind::kFloat64: {
        put_tag(out, number, kFixed64);
        out.append(static_cast<const char*>(at), 8);
        return;
      }
      case FieldKind::kString:
      case FieldKind::kBytes: return put_bytes(out, number, *static_cast<const Str*>(at));
      default: break;
    }
    std::string inner;
    inner_message(inner, field, at);
    put_bytes(out, number, inner);
  }

  static void inner_message(std::string& out, const FieldDesc& field, const void* at) {
    switch (field.kind) {
      case FieldKind::kQuantity: return put_bytes(out, 1, static_cast<const Quantity*>(at)->to_string());
      case FieldKind::kTime:
      case FieldKind::kMicroTime: return timestamp(out, field.kind, *static_cast<const Timestamp*>(at));
      case FieldKind::kDuration: return put_integer(out, 1, static_cast<const ApiDuration*>(at)->ns);
      case FieldKind::kIntOrString: {
        const auto& value = *static_cast<const IntOrString*>(at);
        put_integer(out, 1, value.is_text ? 1 : 0);
        put_integer(out, 2, value.is_text ? 0 : value.number);
        return put_bytes(out, 3, value.text);
      }
      case FieldKind::kRawJson:
      case FieldKind::kFieldsV1: {
        const Str& text = static_cast<const RawJson*>(at)->text;
        if (!text.empty()) put_bytes(out, 1, text);
        return;
      }
      case FieldKind::kStringList:
        for (const Str& item : *static_cast<const List<Str>*>(at)) put_bytes(out, 1, item);
        return;
      default: return message(out, *field.type, at);
    }
  }

  static void timestamp(std::string& out, FieldKind kind, const Timestamp& t) {
    if (t.is_zero()) return;
    put_integer(out, 1, t.seconds);
    // metav1.Time keeps whole seconds; MicroTime keeps microseconds.
    put_integer(out, 2, kind == FieldKind::kTime ? 0 : t.nanos / 1000 * 1000);
  }
};

/// One tag and its payload at a time.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool done() const { return rest_.empty(); }
  uint32_t number() const { return number_; }
  uint32_t wire() const { return wire_; }
  uint64_t integer() const { return integer_; }
  std::string_view bytes() const { return bytes_; }

  Status next() {
    uint64_t tag = 0;
    ORRERY_TRY(varint(&tag));
    number_ = static_cast<uint32_t>(tag >> 3);
    wire_ = static_cast<uint32_t>(tag & 7);
    if (tag >> 3 == 0 || tag >> 3 > (1u << 29) - 1) return broken("field number");
    switch (wire_) {
      case kVarint: return varint(&integer_);
      case kFixed64: return fixed(8);
      case kFixed32: return fixed(4);
      case kBytes: {
        uint64_t length = 0;
        ORRERY_TRY(varint(&length));
        if (length > rest_.size()) return broken("length");
        bytes_ = rest_.substr(0, length);
        rest_.remove_prefix(length);
        return Status::ok();
      }
      default: return broken("wire type");
    }
  }

 private:
  static Status broken(std::string_view what) { return bad_request(str_cat("invalid protobuf: ", what)); }
  Status varint(uint64_t* out) {
    *out = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) return broken("ends in the middle");
      const auto byte = static_cast<unsigned char>(rest_[0]);
      rest_.remove_prefix(1);
      *out |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return Status::ok();
    }
    return broken("integer of more than 64 bits");
  }
  Status fixed(size_t width) {
    if (rest_.size() < width) return broken("ends in the middle");
    bytes_ = rest_.substr(0, width);
    integer_ = 0;
    std::memcpy(&integer_, rest_.data(), width);
    rest_.remove_prefix(width);
    return Status::ok();
  }

  std::string_view rest_, bytes_;
  uint32_t number_ = 0, wire_ = 0;
  uint64_t integer_ = 0;
};

class Decoder {
 public:
  static Status message(std::string_view bytes, const TypeDesc& type, void* object, int depth) {
    if (depth > kDepthMax) return bad_request("invalid protobuf: nested too deeply");
    Reader in(bytes);
    while (!in.done()) {
      ORRERY_TRY(in.next());
      for (uint16_t index : type.proto_order) {
        if (type.fields[index].proto != in.number()) continue;
        Status status = field(in, type.fields[index], object, depth);
        if (!status.is_ok()) return status.with_context(type.fields[index].json);
        break;
      }
    }
    return Status::ok();
  }

 private:
  static Status field(const Reader& in, const FieldDesc& field, void* object, int depth) {
    void* at = field_at(field, object);
    switch (field.form) {
      case Form::kList: return list_value(in, field, at, depth);
      case Form::kMap: return map_entry(in.bytes(), field, at, depth);
      case Form::kPointer:
        if (field.kind != FieldKind::kStruct) opt_set_present(field, object);
        break;
      default: break;
    }
    if (field.kind == FieldKind::kStruct) at = mut_struct_at(field, object);
    return value(in, field, at, depth);
  }

  static Status list_value(const Reader& in, const FieldDesc& field, void* list, int depth) {
    const bool number = field.kind == FieldKind::kInt32 || field.kind == FieldKind::kInt64;
    if (!number || in.wire() != kBytes) return value(in, field, list_append(field, list), depth);
    return bad_request("invalid protobuf: packed numbers");
  }

  static Status map_entry(std::string_view bytes, const FieldDesc& field, void* map, int depth) {
    Reader in(bytes);
    Str key;
    // The key may follow the value: two passes.
    while (!in.done()) {
      ORRERY_TRY(in.next());
      if (in.number() == 1) key = Str(in.bytes());
    }
    bool existed = false;
    void* at = map_insert(field, map, key, &existed);
    if (field.kind == FieldKind::kBytes) static_cast<Bytes*>(at)->present = true;  // nil has no form in a map
    for (Reader again(bytes); !again.done();) {
      ORRERY_TRY(again.next());
      if (again.number() == 2) ORRERY_TRY(value(again, field, at, depth));
    }
    return Status::ok();
  }

  static Status value(const Reader& in, const FieldDesc& field, void* at, int depth) {
    const bool integer = field.kind == FieldKind::kBool || field.kind == FieldKind::kInt32 || field.kind == FieldKind::kInt64;
    const uint32_t wire = integer ? kVarint : (field.kind == FieldKind::kFloat64 ? kFixed64 : kBytes);
    if (in.wire() != wire) return bad_request("invalid protobuf: wrong wire type");
    switch (field.kind) {
      case FieldKind::kBool: *static_cast<bool*>(at) = in.integer() != 0; return Status::ok();
      case FieldKind::kInt32: *static_cast<int32_t*>(at) = static_cast<int32_t>(in.integer()); return Status::ok();
      case FieldKind::kInt64: *static_cast<int64_t*>(at) = static_cast<int64_t>(in.integer()); return Status::ok();
      case FieldKind::kFloat64: {
        const uint64_t bits = in.integer();
        std::memcpy(at, &bits, 8);
        return Status::ok();
      }
      case FieldKind::kBytes: static_cast<Bytes*>(at)->present = true; [[fallthrough]];
      case FieldKind::kString: *static_cast<Str*>(at) = Str(in.bytes()); return Status::ok();
      case FieldKind::kStruct: return message(in.bytes(), *field.type, at, depth + 1);
      default: return special(in.bytes(), field.kind, at);
    }
  }

  static Status special(std::string_view bytes, FieldKind kind, void* at) {
    if (kind == FieldKind::kTime || kind == FieldKind::kMicroTime) static_cast<Timestamp*>(at)->set = !bytes.empty();
    for (Reader in(bytes); !in.done();) {
      ORRERY_TRY(in.next());
      switch (kind) {
        case FieldKind::kQuantity: {
          if (in.number() != 1) break;
          ORRERY_ASSIGN(*static_cast<Quantity*>(at), Quantity::parse(in.bytes()));
          break;
        }
        case FieldKind::kTime:
        case FieldKind::kMicroTime: {
          auto& t = *static_cast<Timestamp*>(at);
          if (in.number() == 1) t.seconds = static_cast<int64_t>(in.integer());
          if (in.number() == 2) t.nanos = static_cast<int32_t>(in.integer() % 1'000'000'000);
          break;
        }
        case FieldKind::kDuration:
          if (in.number() == 1) static_cast<ApiDuration*>(at)->ns = static_cast<int64_t>(in.integer());
          break;
        case FieldKind::kIntOrString: {
          auto& value = *static_cast<IntOrString*>(at);
          if (in.number() == 1) value.is_text = in.integer() == 1;
          if (in.number() == 2) value.number = static_cast<int32_t>(in.integer());
          if (in.number() == 3) value.text = Str(in.bytes());
          break;
        }
        case FieldKind::kStringList:
          if (in.number() == 1) static_cast<List<Str>*>(at)->push_back(Str(in.bytes()));
          break;
        default:
          if (in.number() == 1) static_cast<RawJson*>(at)->text = Str(in.bytes());
      }
    }
    return Status::ok();
  }
};

// The number of a field of runtime.Unknown or runtime.TypeMeta, by the schema tables' order.
constexpr uint32_t kUnknownTypeMeta = 1, kUnknownRaw = 2, kUnknownEncoding = 3, kUnknownType = 4;
constexpr uint32_t kApiVersion = 1, kKind = 2;

// Configuration kinds have no message of their own: theirs is the TypeMeta that they embed (Go
// promotes its Marshal), so nothing else of them survives.
const TypeDesc& message_type(const TypeDesc& type) {
  return type.proto_order.empty() ? metav1::TypeMeta::descriptor() : type;
}

// apiVersion and kind travel in the envelope: the message itself has no such fields.
Result<Object> unwrapped(std::string_view api_version, std::string_view kind, std::string_view raw) {
  const KindDesc* desc = find_kind(api_version, kind);
  if (!desc) return bad_request(str_cat("no kind \"", kind, "\" is registered for version \"", api_version, "\""));
  Object object = Object::make(*desc->type);
  auto* meta = static_cast<metav1::TypeMeta*>(object.mut_data());
  meta->api_version = Str(api_version);
  meta->kind = Str(kind);
  ORRERY_TRY(Decoder::message(raw, message_type(*desc->type), object.mut_data(), 0));
  return object;
}

}  // namespace

std::string encode_proto_message(const TypeDesc& type, const void* object) {
  std::string out;
  Encoder::message(out, type, object);
  return out;
}

Status decode_proto_message(std::string_view bytes, const TypeDesc& type, void* object) {
  return Decoder::message(bytes, type, object, 0);
}

std::string encode_proto(const Object& object) {
  CHECK(object.kind() != nullptr) << "only kinds have an envelope";
  std::string type_meta, out(kMagic);
  put_bytes(type_meta, kApiVersion, object.kind()->api_version);
  put_bytes(type_meta, kKind, object.kind()->kind);
  put_bytes(out, kUnknownTypeMeta, type_meta);
  put_bytes(out, kUnknownRaw, encode_proto_message(message_type(*object.type()), object.data()));
  put_bytes(out, kUnknownEncoding, "");
  put_bytes(out, kUnknownType, "");
  return out;
}

Result<Object> decode_proto(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) return bad_request("invalid protobuf: does not begin with k8s\\0");
  std::string_view api_version, kind, raw;
  for (Reader in(bytes.substr(kMagic.size())); !in.done();) {
    ORRERY_TRY(in.next());
    if (in.wire() != kBytes) return bad_request("invalid protobuf: envelope");
    if (in.number() == kUnknownRaw) raw = in.bytes();
    if (in.number() != kUnknownTypeMeta) continue;
    for (Reader meta(in.bytes()); !meta.done();) {
      ORRERY_TRY(meta.next());
      if (meta.number() == kApiVersion) api_version = meta.bytes();
      if (meta.number() == kKind) kind = meta.bytes();
    }
  }
  return unwrapped(api_version, kind, raw);
}

}  // namespace orrery::api
