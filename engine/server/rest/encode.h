#pragma once

#include <string>
#include <vector>

#include "engine/api/object.h"
#include "engine/api/shared_parts.h"
#include "engine/base/time.h"
#include "engine/ports/api.h"
#include "engine/server/rest/negotiation.h"
#include "engine/server/rest/request_info.h"

namespace orrery::server {

/// How the answers of one request are written.
struct Encoding {
  Representation representation;
  const api::KindDesc* kind = nullptr;  // the version asked for
  Time now;                             // ages in tables are relative to it
  std::string include_object;           // of tables: "", None, Metadata, Object
  const api::SharedParts* parts = nullptr;  // of the objects that are written
};

/// One object as the body of an answer.
std::string encode_object(const Encoding& encoding, const api::Object& object);
/// A list of objects of encoding.kind.
std::string encode_list(const Encoding& encoding, const ApiResponse& response);
/// "ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR".
std::string_view watch_event_name(WatchEventType type);

/// One event of a watch, framed for its stream; "" for events that say nothing to the client.
/// `first_table` tells whether a Table must carry its column definitions.
std::string encode_watch_event(const Encoding& encoding, const WatchEvent& event, bool first_table);

/// What is no object of a store (discovery, usage), as its JSON tree, in the format asked for. Its
/// apiVersion may be missing if it is v1.
std::string encode_tree(const Representation& representation, const api::Json& tree);

/// A message in the envelope of Kubernetes' protobuf.
std::string proto_envelope(std::string_view api_version, std::string_view kind, std::string_view message);

/// A failure, or a success without an object, as metav1.Status.
metav1::Status status_of(const ApiResponse& response, const RequestInfo& info, const api::KindDesc* kind);
std::string encode_status(const Representation& representation, const metav1::Status& status);

/// The values of Warning headers: each text once; all are cut where they are too long together.
/// Source: Kubernetes v1.32 apiserver/pkg/endpoints/filters/warning.go.
std::vector<std::string> warning_headers(const std::vector<Str>& texts);

}  // namespace orrery::server
