#include "engine/server/rest/encode.h"

#include <algorithm>

#include "engine/api/codec_json.h"
#include "engine/api/codec_proto.h"
#include "engine/api/custom_object.h"
#include "engine/api/names.h"
#include "engine/api/reflect.h"
#include "engine/api/yaml.h"
#include "engine/server/custom/custom_kinds.h"
#include "engine/server/json_proto.h"
#include "engine/server/print/table.h"
#include "engine/server/storage.h"

namespace orrery::server {
namespace {

// {"kind":K,"apiVersion":V, and the members of `body`, an encoded struct without them.
std::string with_type(std::string_view kind, std::string_view api_version, std::string_view body) {
  std::string out = str_cat("{\"kind\":\"", kind, "\",\"apiVersion\":\"", api_version, "\"");
  if (body.size() > 2) out += ',';
  out += body.substr(1);
  return out;
}

// With kind and apiVersion, whether the object carries them itself or not.
void put_object(api::JsonEncoder& out, const api::Object& object) {
  const auto* type_meta = static_cast<const metav1::TypeMeta*>(object.data());
  const api::KindDesc* kind = object.kind();
  if (!kind || !type_meta->kind.empty()) return out.object(object);
  out.object(*object.type(), object.data(), str_cat("\"kind\":\"", kind->kind, "\",\"apiVersion\":\"", kind->api_version, "\""));
}

std::string object_json(const api::Object& object, const api::SharedParts* parts = nullptr) {
  api::JsonEncoder out(parts);
  put_object(out, object);
  return out.take();
}

std::string partial_json(const api::Object& object, std::string_view api_version) {
  return with_type("PartialObjectMetadata", api_version,
                   str_cat("{\"metadata\":", api::encode_json_struct(internal_metadata(object)), "}"));
}

std::string list_meta_json(const ApiResponse& response) {
  metav1::ListMeta meta;
  meta.resource_version = response.resource_version;
  meta.continue_ = response.continue_token;
  meta.remaining_item_count = response.remaining;
  return api::encode_json_struct(meta);
}

// Lists of custom resources say both, whether there is something to say or not.
std::string custom_list_meta(const ApiResponse& response) {
  std::string out = str_cat("{\"continue\":", api::quoted(response.continue_token));
  if (response.remaining) out += str_cat(",\"remainingItemCount\":", *response.remaining);
  return str_cat(out, ",\"resourceVersion\":", api::quoted(response.resource_version), "}");
}

std::string list_kind(const api::KindDesc& kind) {
  return api::is_custom(kind) ? custom_version(kind).list_kind : str_cat(kind.kind, "List");
}

// With the line break that ends a body; not for protobuf.
std::string in_format(const Representation& representation, std::string json) {
  if (representation.format != Format::kYaml) {
    json += '\n';
    return json;
  }
  auto parsed = api::Json::parse(json);
  CHECK(parsed.is_ok()) << parsed.status().message();
  return api::dump_yaml(*parsed);
}

// The one field of PartialObjectMetadata.
std::string partial_message(const api::Object& object) {
  std::string message;
  const metav1::ObjectMeta meta = internal_metadata(object);
  put_bytes(message, 1, api::encode_proto_message(metav1::ObjectMeta::descriptor(), &meta));
  return message;
}

std::string partial_proto(const api::Object& object, std::string_view api_version) {
  const std::string message = partial_message(object);
  return proto_envelope(api_version, "PartialObjectMetadata", message);
}

std::string list_meta_proto(const ApiResponse& response) {
  metav1::ListMeta meta;
  meta.resource_version = response.resource_version;
  meta.continue_ = response.continue_token;
  meta.remaining_item_count = response.remaining;
  return api::encode_proto_message(metav1::ListMeta::descriptor(), &meta);
}

std::string meta_version(const Representation& representation) {
  return str_cat("meta.k8s.io/", representation.transform_version);
}

// The object in the version that was asked for.
api::Object in_version(const Encoding& encoding, const api::Object& object) {
  if (encoding.kind && api::is_custom(*encoding.kind) && object.kind() && api::is_custom(*object.kind())) return convert(object, *encoding.kind);
  if (!encoding.kind || object.kind() == encoding.kind || object.kind() != &storage_kind(*encoding.kind)) return object;
  return convert(object, *encoding.kind);
}

std::string custom_table(const CustomVersion& version, std::span<const api::Object> objects, const TableOptions& options) {
  std::vector<api::Json> trees;
  for (const api::Object& object : objects) {
    trees.push_back(api::to_json(object));
    trees.back().set("apiVersion", version.api_version);
    trees.back().set("kind", version.kind);
  }
  std::vector<const api::Json*> shown;
  for (const api::Json& tree : trees) shown.push_back(&tree);
  return version.table.table(shown, options);
}

std::string table_of(const Encoding& encoding, std::span<const api::Object> objects, std::string_view metadata, bool columns) {
  TableOptions options;
  options.now = encoding.now;
  if (auto include = parse_include_object(encoding.include_object); include.is_ok()) options.include = *include;
  const std::string version = meta_version(encoding.representation);
  options.api_version = version;
  options.columns = columns;
  options.metadata = metadata;
  const bool custom = api::is_custom(*encoding.kind) && (objects.empty() || objects[0].kind() == encoding.kind);
  if (custom) return custom_table(custom_version(*encoding.kind), objects, options);
  return table_json(*encoding.kind, objects, options);
}

std::string version_metadata(const api::Object& object) {
  return str_cat("{\"resourceVersion\":", api::quoted(object.meta().resource_version), "}");
}

constexpr size_t kListSample = 16;

bool as_table(const Encoding& encoding) {
  return encoding.representation.transform == Transform::kTable && encoding.representation.format != Format::kProto;
}

std::string list_json(const Encoding& encoding, const ApiResponse& response) {
  if (as_table(encoding)) {
    std::vector<api::Object> shown;
    for (const api::Object& item : response.items) shown.push_back(in_version(encoding, item));
    return table_of(encoding, shown, list_meta_json(response), true);
  }
  const bool partial = encoding.representation.transform == Transform::kPartialMetadataList;
  const bool custom = api::is_custom(*encoding.kind);
  api::JsonEncoder out(encoding.parts);
  out.put(partial ? str_cat("{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"", meta_version(encoding.representation), "\"")
                  : str_cat("{\"kind\":\"", list_kind(*encoding.kind), "\",\"apiVersion\":\"", encoding.kind->api_version, "\""));
  out.put(",\"metadata\":");
  out.put(custom && !partial ? custom_list_meta(response) : list_meta_json(response));
  out.put(partial && response.items.empty() ? ",\"items\":null}" : ",\"items\":[");
  if (partial && response.items.empty()) return out.take();
  const size_t begin = out.view().size();
  size_t written = 0;
  for (const api::Object& stored : response.items) {
    const api::Object item = in_version(encoding, stored);
    // The first items tell how much room all of them need: a list is not moved about as it grows.
    if (written == kListSample) out.reserve((out.view().size() - begin) * (response.items.size() + kListSample) / kListSample);
    if (written++ > 0) out.put(",");
    if (partial) {
      out.put(partial_json(item, meta_version(encoding.representation)));
    } else if (custom) {
      put_object(out, item);
    } else {
      out.object(item);
    }
  }
  out.put("]}");
  return out.take();
}

std::string list_proto(const Encoding& encoding, const ApiResponse& response) {
  const bool partial = encoding.representation.transform == Transform::kPartialMetadataList;
  std::string message;
  put_bytes(message, 1, list_meta_proto(response));
  for (const api::Object& stored : response.items) {
    const api::Object item = in_version(encoding, stored);
    if (partial) {
      put_bytes(message, 2, partial_message(item));
    } else {
      put_bytes(message, 2, api::encode_proto_message(*item.type(), item.data()));
    }
  }
  if (partial) return proto_envelope(meta_version(encoding.representation), "PartialObjectMetadataList", message);
  return proto_envelope(encoding.kind->api_version, str_cat(encoding.kind->kind, "List"), message);
}

// The JSON text or the protobuf envelope of an event's object.
std::string event_body(const Encoding& encoding, const WatchEvent& event, bool first_table) {
  const bool proto = encoding.representation.format == Format::kProto;
  if (event.type == WatchEventType::kError) {
    ApiResponse failure;
    failure.status = event.error;
    const metav1::Status status = status_of(failure, {}, nullptr);
    return proto ? api::encode_proto(api::Object::of(status)) : object_json(api::Object::of(status));
  }
  const api::Object object = in_version(encoding, event.object);
  if (as_table(encoding)) return table_of(encoding, {&object, 1}, version_metadata(object), first_table);
  if (encoding.representation.transform == Transform::kPartialMetadata)
    return proto ? partial_proto(object, meta_version(encoding.representation))
                 : partial_json(object, meta_version(encoding.representation));
  return proto ? api::encode_proto(object) : object_json(object, encoding.parts);
}

}  // namespace

// Field numbers, here and above, are those of runtime.Unknown, runtime.RawExtension,
// metav1.WatchEvent and PartialObjectMetadata.
std::string proto_envelope(std::string_view api_version, std::string_view kind, std::string_view message) {
  std::string type_meta, out("k8s\0", 4);
  put_bytes(type_meta, 1, api_version);
  put_bytes(type_meta, 2, kind);
  put_bytes(out, 1, type_meta);
  put_bytes(out, 2, message);
  put_bytes(out, 3, "");
  put_bytes(out, 4, "");
  return out;
}

std::string_view watch_event_name(WatchEventType type) {
  switch (type) {
    case WatchEventType::kAdded: return "ADDED";
    case WatchEventType::kModified: return "MODIFIED";
    case WatchEventType::kDeleted: return "DELETED";
    case WatchEventType::kError: return "ERROR";
    default: return "BOOKMARK";
  }
}

std::string encode_object(const Encoding& encoding, const api::Object& stored) {
  const api::Object object = in_version(encoding, stored);
  const bool partial = encoding.representation.transform == Transform::kPartialMetadata && object.has_meta();
  if (encoding.representation.format == Format::kProto)
    return partial ? partial_proto(object, meta_version(encoding.representation)) : api::encode_proto(object);
  if (as_table(encoding) && object.has_meta())
    return in_format(encoding.representation, table_of(encoding, {&object, 1}, version_metadata(object), true));
  return in_format(encoding.representation,
                   partial ? partial_json(object, meta_version(encoding.representation)) : object_json(object, encoding.parts));
}

std::string encode_list(const Encoding& encoding, const ApiResponse& response) {
  if (encoding.representation.format == Format::kProto) return list_proto(encoding, response);
  return in_format(encoding.representation, list_json(encoding, response));
}

std::string encode_watch_event(const Encoding& encoding, const WatchEvent& event, bool first_table) {
  const std::string body = event_body(encoding, event, first_table);
  if (encoding.representation.format == Format::kProto) {
    std::string raw, message, frame;
    put_bytes(raw, 1, body);
    put_bytes(message, 1, watch_event_name(event.type));
    put_bytes(message, 2, raw);
    for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>(message.size() >> shift & 0xff);
    return frame + message;
  }
  return str_cat("{\"type\":\"", watch_event_name(event.type), "\",\"object\":", body, "}\n");
}

metav1::Status status_of(const ApiResponse& response, const RequestInfo& info, const api::KindDesc* kind) {
  if (const auto* whole = response.object.as<metav1::Status>(); whole && !response.status.is_ok()) return *whole;
  metav1::Status out;
  out.status = response.status.is_ok() ? "Success" : "Failure";
  if (response.status.is_ok()) {
    out.details = response.details;
  } else {
    const Code code = response.status.code();
    out.message = Str(response.status.message());
    if (!response.unclassified) out.reason = Str(code_reason(code));
    out.code = code_http(code);
    out.metadata.continue_ = response.continue_token;  // of a list that goes on otherwise
    const bool names_resource = code == Code::kNotFound || code == Code::kAlreadyExists || code == Code::kConflict ||
                                code == Code::kForbidden || code == Code::kInvalid;
    if (response.details) {
      out.details = response.details;
    } else if (names_resource && kind) {
      auto& details = out.details.mut();
      details.name = Str(info.name);
      details.group = Str(kind->group);
      details.kind = Str(code == Code::kInvalid ? kind->kind : kind->plural);
    }
    for (const auto& cause : response.causes) {
      metav1::StatusCause written;
      written.reason = cause.reason;
      written.message = cause.message;
      written.field = cause.field;
      out.details.mut().causes.push_back(std::move(written));
    }
    if (response.retry_after_seconds) out.details.mut().retry_after_seconds = response.retry_after_seconds;
  }
  return out;
}

std::string encode_tree(const Representation& representation, const api::Json& tree) {
  if (representation.format != Format::kProto) return in_format(representation, tree.dump());
  const std::string_view api_version = tree["apiVersion"].text(), kind = tree["kind"].text();
  const api::KindDesc* known = api::find_kind(api_version.empty() ? "v1" : api_version, kind);
  CHECK(known) << api_version << " " << kind;
  api::Object object = api::Object::make(*known->type);
  const Status read = api::from_json(tree, *known->type, object.mut_data());
  CHECK(read.is_ok()) << read.message();
  return proto_envelope(api_version, kind, api::encode_proto_message(*known->type, object.data()));
}

std::string encode_status(const Representation& representation, const metav1::Status& status) {
  const api::Object object = api::Object::of(status);
  if (representation.format == Format::kProto) return api::encode_proto(object);
  return in_format(representation, object_json(object));
}

namespace {

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

std::string_view first_characters(std::string_view text, size_t count) {
  for (size_t i = 0; i < text.size(); ++i)
    if (begins_character(text[i]) && count-- == 0) return text.substr(0, i);
  return text;
}

size_t characters(std::string_view text) { return static_cast<size_t>(std::count_if(text.begin(), text.end(), begins_character)); }

}  // namespace

std::vector<std::string> warning_headers(const std::vector<Str>& texts) {
  constexpr size_t kAllMax = 4096, kOneMax = 256;
  std::vector<std::string_view> once;
  size_t total = 0, written = 0;
  for (const Str& text : texts) {
    if (text.empty() || std::find(once.begin(), once.end(), text.view()) != once.end()) continue;
    // Those that made it too much are all shown, cut; of those that follow, as many as there is room for.
    if (total > kAllMax && written >= kAllMax) break;
    once.push_back(text);
    total += characters(text);
    written = 0;
    for (const std::string_view shown : once) written += std::min(characters(shown), kOneMax);
  }
  std::vector<std::string> headers;
  for (const std::string_view text : once)
    headers.push_back(str_cat("299 - ", api::quoted(total > kAllMax ? first_characters(text, kOneMax) : text)));
  return headers;
}

}  // namespace orrery::server
