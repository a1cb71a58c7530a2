#pragma once

#include <memory>
#include <vector>

#include "engine/base/rng.h"
#include "engine/ports/http.h"
#include "engine/ports/store.h"
#include "engine/server/auth/admission.h"
#include "engine/server/auth/authorizer.h"
#include "engine/server/auth/object_reader.h"

namespace orrery::server {

/// What the plugins may use while one write is admitted.
struct AdmissionContext {
  const ObjectLister& objects;
  const Authorizer* authorizer = nullptr;
  Time now;
  RngStream& names;            // for generated parts of names
  bool dry_run = false;
  std::vector<Str>& warnings;  // for the Warning header

  /// Writes that go into the store with the object or not at all (usage of a quota).
  std::vector<StoreOp>& writes;
  std::vector<StoreCompare>& compares;

  /// Calls to the outside (webhooks). Admission runs again from its start whenever one has been
  /// answered, so plugins must ask in the same order: answers holds those of the calls so far; what
  /// a plugin appends to `call` is made next, and the refusal it returns is not looked at.
  const std::vector<HttpCallOutcome>& answers;
  size_t next_answer = 0;
  std::unique_ptr<HttpCall> call;
};

/// One admission plugin of kube-apiserver. It keeps no state of its own.
class AdmissionPlugin {
 public:
  virtual ~AdmissionPlugin() = default;
  virtual std::string_view name() const = 0;
  /// May change request.object.
  virtual Refusal mutate(AdmissionRequest& request, AdmissionContext& context) const;
  /// Sees the object as it will be stored.
  virtual Refusal validate(const AdmissionRequest& request, AdmissionContext& context) const;
};

/// The plugins that are switched on, in the order of kube-apiserver v1.32.
class AdmissionChain {
 public:
  void add(std::unique_ptr<AdmissionPlugin> plugin) { plugins_.push_back(std::move(plugin)); }
  /// Ends at the first refusal, and where a call has to be made.
  Refusal mutate(AdmissionRequest& request, AdmissionContext& context) const;
  Refusal validate(const AdmissionRequest& request, AdmissionContext& context) const;

 private:
  std::vector<std::unique_ptr<AdmissionPlugin>> plugins_;
};

}  // namespace orrery::server
