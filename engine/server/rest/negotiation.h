#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace orrery::server {

enum class Format : uint8_t { kJson, kYaml, kProto };
/// What the answer is turned into before it is written (`;as=` of a media type).
enum class Transform : uint8_t { kNone, kTable, kPartialMetadata, kPartialMetadataList };

/// How an answer is to be written.
struct Representation {
  Format format = Format::kJson;
  Transform transform = Transform::kNone;
  std::string transform_version;  // "v1" or "v1beta1" of meta.k8s.io
  bool pretty = false;
  /// Of a whole body, without parameters of a transform: kube-apiserver leaves them out.
  std::string_view content_type() const;
  /// Of a watch.
  std::string_view stream_content_type() const;
};

/// What is asked: a plain handler, or one of go-restful's routes; those of lists serve watches, too.
enum class Route : uint8_t { kNone, kPlain, kList };

/// Which transforms a resource has: parts of resources with no columns have no table.
enum class Transforms : uint8_t { kNone, kMetadata, kAll };

/// The representation that an Accept header asks for. NotAcceptable lists what there is. A missing
/// header or "*/*" means JSON. Transforms are for resources only.
/// Source: Kubernetes v1.32 apiserver/pkg/endpoints/handlers/negotiation.
Result<Representation> negotiate(std::string_view accept, Transforms allowed, Route route = Route::kPlain);

/// Whether a route that serves one type takes an Accept header; it knows no ranges but the one of all
/// types. Source: go-restful, Route.matchesAccept.
bool route_accepts(std::string_view accept, std::string_view type);

/// Whether JSON is to be indented: as `pretty` says, else for what people look at by hand.
/// Source: Kubernetes v1.32 apiserver/pkg/endpoints/handlers/negotiation, isPrettyPrint.
bool wants_pretty(std::string_view pretty, std::string_view user_agent);

/// How the aggregated form of discovery is to be written, if an Accept header asks for it before any
/// plain one; transform_version is v2 or v2beta1 of apidiscovery.k8s.io. Source: Kubernetes v1.32
/// apiserver/pkg/endpoints/discovery/aggregated.
std::optional<Representation> negotiate_aggregated(std::string_view accept);

/// Which of these media types the client likes best; without a header the first one. Parameters of
/// types do not count. Source: github.com/munnerz/goautoneg and its use in kube-openapi.
std::optional<size_t> best_media_type(std::string_view accept, std::span<const std::string_view> types);

/// The format of a request body by its Content-Type ("" is JSON); nullopt if it is none of ours.
std::optional<Format> body_format(std::string_view content_type);
/// What to answer then: the formats that there are.
Status unknown_body_format();

/// The media type without parameters, in lower case.
std::string bare_media_type(std::string_view text);

}  // namespace orrery::server
