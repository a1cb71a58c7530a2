#include "engine/api/codec_proto.h"

#include <cstring>

#include "engine/api/proto_wire.h"
#include "engine/api/reflect.h"

namespace orrery::api {
namespace {

constexpr int kDepthMax = 128;

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
      case wire::kVarint: return varint(&integer_);
      case wire::kFixed64: return fixed(8);
      case wire::kFixed32: return fixed(4);
      case wire::kBytes: {
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
    size_t hint = 0;
    while (!in.done()) {
      ORRERY_TRY(in.next());
      const FieldDesc* found = find(type, in.number(), &hint);
      if (!found) continue;
      Status status = field(in, *found, object, depth);
      if (!status.is_ok()) return status.with_context(found->json);
    }
    return Status::ok();
  }

 private:
  // Numbers mostly come in ascending order: the search begins where the last one ended.
  static const FieldDesc* find(const TypeDesc& type, uint32_t number, size_t* hint) {
    const size_t count = type.proto_order.size();
    for (size_t i = 0; i < count; ++i) {
      const size_t index = *hint + i < count ? *hint + i : *hint + i - count;
      const FieldDesc& field = type.fields[type.proto_order[index]];
      if (field.proto != number) continue;
      *hint = index;  // again: the field may be a list
      return &field;
    }
    return nullptr;
  }
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
    if (wire::is_list_message(field) && in.wire() == wire::kBytes)
      return special(in.bytes(), FieldKind::kStringList, list);
    const bool number = field.kind == FieldKind::kInt32 || field.kind == FieldKind::kInt64;
    if (!number || in.wire() != wire::kBytes) return value(in, field, list_append(field, list), depth);
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
    const uint32_t expected = integer ? wire::kVarint : (field.kind == FieldKind::kFloat64 ? wire::kFixed64 : wire::kBytes);
    if (in.wire() != expected) return bad_request("invalid protobuf: wrong wire type");
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

}  // namespace

Status decode_proto_message(std::string_view bytes, const TypeDesc& type, void* object) {
  return Decoder::message(bytes, type, object, 0);
}

Result<ProtoEnvelope> open_proto(std::string_view bytes) {
  if (!bytes.starts_with(wire::kMagic)) return bad_request("invalid protobuf: does not begin with k8s\\0");
  ProtoEnvelope out;
  for (Reader in(bytes.substr(wire::kMagic.size())); !in.done();) {
    ORRERY_TRY(in.next());
    if (in.wire() != wire::kBytes) return bad_request("invalid protobuf: envelope");
    if (in.number() == wire::kUnknownRaw) out.message = in.bytes();
    if (in.number() != wire::kUnknownTypeMeta) continue;
    for (Reader meta(in.bytes()); !meta.done();) {
      ORRERY_TRY(meta.next());
      if (meta.number() == wire::kApiVersion) out.api_version = meta.bytes();
      if (meta.number() == wire::kKind) out.kind = meta.bytes();
    }
  }
  return out;
}

// apiVersion and kind travel in the envelope: the message itself has no such fields.
Result<Object> decode_proto(std::string_view bytes) {
  ORRERY_ASSIGN(const ProtoEnvelope envelope, open_proto(bytes));
  const auto& [api_version, kind, message] = envelope;
  const KindDesc* desc = find_kind(api_version, kind);
  if (!desc) return bad_request(str_cat("no kind \"", kind, "\" is registered for version \"", api_version, "\""));
  Object object = Object::make(*desc->type);
  auto* meta = static_cast<metav1::TypeMeta*>(object.mut_data());
  meta->api_version = Str(api_version);
  meta->kind = Str(kind);
  ORRERY_TRY(Decoder::message(message, wire::message_type(*desc->type), object.mut_data(), 0));
  return object;
}

}  // namespace orrery::api
