#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/api/cel/programs.h"
#include "engine/base/rng.h"
#include "engine/ports/api.h"
#include "engine/ports/http.h"
#include "engine/ports/store.h"
#include "engine/server/admission/settings.h"
#include "engine/server/auth/admission.h"
#include "engine/server/auth/authorizer.h"
#include "engine/server/auth/object_reader.h"

namespace orrery::server {

/// Mutating webhooks between the two rounds of a mutation.
struct WebhookRound {
  bool again = false;               // this is the second round
  bool changed = false;             // one has changed the object
  std::vector<std::string> called;  // that want to be asked again, and nothing has changed before
  std::vector<std::string> asked_again;  // in the second round
};

/// What the plugins may use while one write is admitted.
struct AdmissionContext {
  const ObjectLister& objects;
  const Authorizer* authorizer = nullptr;
  Time now;
  RngStream& names;            // for generated parts of names
  const ApiRequest& source;    // what the client has asked for
  bool dry_run = false;
  std::vector<Str>& warnings;  // for the Warning header

  /// Writes that go into the store before the object (usage of a quota); admission then runs again,
  /// with `charged`.
  std::vector<StoreOp>& writes;
  std::vector<StoreCompare>& compares;

  /// Calls to the outside (webhooks). Admission runs again from its start whenever one has been
  /// answered, so plugins must ask in the same order: answers holds those of the calls so far; what
  /// a plugin appends to `call` is made next, and the refusal it returns is not looked at.
  const std::vector<HttpCallOutcome>& answers;
  std::vector<Str>& call_uids;  // one for each call, the same whenever admission runs again
  size_t next_answer = 0;
  WebhookRound webhooks;
  std::unique_ptr<HttpCall> call;
  bool charged = false;

  /// An object of a custom resource in another version; null: a webhook has to convert it first, and
  /// admission runs again when it has. What a plugin does from then on is not looked at.
  std::function<api::Object(const api::Object&, const api::KindDesc&)> convert = {};
  bool waits = false;  // convert has returned null

  Map<Str>* annotations = nullptr;  // of the audit event
  /// The first value of a key stays, as upstream's.
  void annotate(std::string_view key, std::string_view value);

  api::cel::Programs* programs = nullptr;       // of the chain
  const AdmissionSettings* settings = nullptr;  // of the chain
  /// Those, or what holds without any.
  const AdmissionSettings& configured() const;
};

/// One admission plugin of kube-apiserver. But for EventRateLimit it keeps no state of its own.
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
  explicit AdmissionChain(AdmissionSettings settings = {}) : settings_(std::move(settings)) {}
  void add(std::unique_ptr<AdmissionPlugin> plugin) { plugins_.push_back(std::move(plugin)); }
  /// Ends at the first refusal, and where a call has to be made. Where a webhook has changed the
  /// object the plugins see it once more.
  Refusal mutate(AdmissionRequest& request, AdmissionContext& context) const;
  Refusal validate(const AdmissionRequest& request, AdmissionContext& context) const;

 private:
  Refusal mutate_once(AdmissionRequest& request, AdmissionContext& context) const;

  AdmissionSettings settings_;
  mutable api::cel::Programs programs_;
  std::vector<std::unique_ptr<AdmissionPlugin>> plugins_;
};

}  // namespace orrery::server
