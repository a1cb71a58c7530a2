#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/api/object.h"
#include "engine/ports/http.h"

namespace orrery::server {

/// Conversion of custom resources between versions: by name only, or by a webhook (ConversionReview).
/// Source: Kubernetes v1.32 apiextensions-apiserver pkg/apiserver/conversion.

/// The conversions that one request has needed so far, and those that it still needs.
class Conversions {
 public:
  /// The object in another version of its resource; null: a webhook has to be asked, with call().
  api::Object find(const api::Object& object, const api::KindDesc& to);
  /// True if find() has asked for something that is not known.
  bool incomplete() const { return !wanted_.empty(); }
  /// For what is missing, of one version; the others are asked for later.
  HttpCall call(const Str& uid);
  /// The answer to call(). A failure is Internal, worded as upstream's.
  Status take(const HttpCallOutcome& outcome, const Str& uid);

 private:
  struct Wanted {
    std::string key;
    api::Object object;
    const api::KindDesc* to;
  };
  std::map<std::string, api::Object> known_;
  std::vector<Wanted> wanted_, asked_;
};

}  // namespace orrery::server
