#include "engine/server/admission/webhooks.h"

#include <algorithm>
#include <charconv>

#include "engine/api/codec_json.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/names.h"
#include "engine/api/patch.h"
#include "engine/api/semantic.h"
#include "engine/server/admission/match_conditions.h"
#include "engine/server/admission/webhook_annotations.h"
#include "engine/server/admission/webhook_review.h"
#include "engine/server/decoding.h"
#include "engine/server/defaulting.h"
#include "engine/server/server.h"
#include "engine/server/storage.h"

namespace orrery::server {
namespace {

// 500 with the failure as its cause.
Refusal internal_failure(std::string_view why) {
  Refusal refusal = plain_refusal(internal_error(str_cat("Internal error occurred: ", why)));
  refusal.causes.push_back({"", Str(why), ""});
  return refusal;
}

std::string failed_call(const Hook& hook, std::string_view why) {
  return str_cat("failed calling webhook ", api::quoted(hook.name), ": ", why);
}

/// Where a webhook listens.
struct Place {
  std::string url;         // without the query
  std::string connect_to;  // of a service: its cluster IP
  std::string missing;     // why there is none
};

Place place_of(const Hook& hook, const ObjectLister& objects) {
  if (hook.client.url) return {hook.client.url->str(), "", ""};
  const auto& ref = *hook.client.service;
  constexpr int32_t kPortDefault = 443;
  const int port = ref.port.value_or(kPortDefault);
  const api::Object found = objects.find(*corev1::Service::descriptor().kind, ref.namespace_, ref.name);
  const std::string path = ref.path.value_or(Str()).str();
  const std::string_view slash = path.starts_with("/") ? "" : "/";
  Place place{str_cat("https://", ref.name, ".", ref.namespace_, ".svc:", port, slash, path), "", ""};
  if (!found) {
    place.missing = str_cat("service ", api::quoted(ref.name), " not found");
    return place;
  }
  const Str& ip = found.get<corev1::Service>().spec->cluster_ip;
  const bool is_v6 = ip.view().find(':') != std::string_view::npos;
  if (!ip.empty() && ip != "None") place.connect_to = is_v6 ? str_cat("[", ip, "]:", port) : str_cat(ip, ":", port);
  return place;
}

// Shows the webhook who asks, if there is something for its host.
void add_credential(const std::vector<WebhookCredential>& all, HttpCall& call) {
  constexpr int kHttpsPort = 443;
  std::string host = call.url.substr(std::string_view("https://").size());
  host.resize(std::min(host.find_first_of("/?"), host.size()));
  int port = kHttpsPort;
  if (const size_t colon = host.rfind(':'); colon != std::string::npos && host.back() != ']') {
    std::from_chars(host.data() + colon + 1, host.data() + host.size(), port);
    host.resize(colon);
  }
  const WebhookCredential* found = credential_for(all, host, port);
  if (!found) return;
  if (!found->authorization.empty()) call.headers.emplace_back("authorization", found->authorization);
  call.certificate_pem = found->certificate_pem;
  call.key_pem = found->key_pem;
}

// False: the webhook is not asked, because of its conditions, or because they fail.
bool conditions_hold(const Hook& hook, const AdmissionRequest& request, const AdmissionContext& context, const api::KindDesc& kind,
                     Refusal& refusal) {
  if (hook.conditions.empty()) return true;
  const ExpressionInput input = ExpressionInput::of(request, context, kind);
  if (context.waits) return false;
  const Match match = match_conditions(hook.conditions, input, hook.ignores_failure);
  if (!match.error.empty()) refusal = forbidden(kind.group, kind.plural, request_name(request), match.error);
  return match.matches;
}

// What keeps a webhook from being asked at all.
Refusal check_dry_run(const Hook& hook, const AdmissionContext& context) {
  if (!context.dry_run || !hook.has_side_effects) return {};
  return plain_refusal(bad_request(str_cat("admission webhook ", api::quoted(hook.name), " does not support dry run")));
}

// As which a webhook is shown the object; null: it is not asked.
const api::KindDesc* shown_kind(const Hook& hook, const AdmissionRequest& request, AdmissionContext& context, Refusal& refusal) {
  const api::KindDesc* kind = matched_kind(hook, request, context);
  return kind && conditions_hold(hook, request, context, *kind, refusal) ? kind : nullptr;
}

/// What becomes of one webhook and one request.
struct Asked {
  bool ends = false;  // admission does: with the refusal, or until an answer comes
  Refusal refusal;
  ReviewAnswer answer;
};

// The answer to a review; none: context.call is set.
Opt<ReviewAnswer> review(const Hook& hook, const AdmissionRequest& request, AdmissionContext& context, const api::KindDesc& kind,
                         bool mutating) {
  ReviewAnswer answer;
  const Place place = place_of(hook, context.objects);
  if (!place.missing.empty()) {
    answer.failure = str_cat("failed to call webhook: ", place.missing);
    return answer;
  }
  const size_t number = context.next_answer++;
  const Str fresh = random_uid(context.names);  // drawn each time: what follows stays the same
  if (number == context.call_uids.size()) context.call_uids.push_back(fresh);
  const Str uid = context.call_uids[number];
  const std::string url = str_cat(place.url, "?timeout=", api::format_go_duration({hook.timeout.ns}));
  if (number < context.answers.size()) {
    answer = read_review(context.answers[number], url, uid, mutating);
    for (const Str& warning : answer.warnings) context.warnings.push_back(warning);
    for (const auto& [key, value] : answer.annotations) context.annotate(str_cat(hook.name, "/", key), value);
    return answer;
  }
  HttpCall call;
  call.url = url;
  call.connect_to = place.connect_to;
  call.headers = {{"content-type", "application/json"}, {"accept", "application/json"}, {"user-agent", "kube-apiserver-admission"}};
  call.body = review_request(request, context, kind, uid);
  call.ca_bundle = hook.client.ca_bundle.str();
  call.timeout = hook.timeout;
  const AdmissionSettings& settings = context.configured();
  add_credential(mutating ? settings.mutating_webhooks : settings.validating_webhooks, call);
  context.call = std::make_unique<HttpCall>(std::move(call));
  return {};
}

Asked ask(const Hook& hook, const api::KindDesc& kind, const AdmissionRequest& request, AdmissionContext& context, bool mutating) {
  Asked asked;
  asked.ends = true;
  asked.refusal = check_dry_run(hook, context);
  if (!asked.refusal.is_ok()) return asked;
  Opt<ReviewAnswer> answer = review(hook, request, context, kind, mutating);
  if (!answer || context.waits) return asked;
  asked.ends = false;
  asked.answer = std::move(*answer);
  return asked;
}

// What follows from an answer, but for its patch. `failed`: it is to be treated as if never asked.
Refusal judge(const Hook& hook, const ReviewAnswer& answer, bool& failed) {
  failed = !answer.failure.empty();
  if (failed) return hook.ignores_failure ? Refusal{} : internal_failure(failed_call(hook, answer.failure));
  return answer.allowed ? Refusal{} : webhook_refusal(hook.name, answer.status);
}

class MutatingWebhook final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "MutatingAdmissionWebhook"; }

  Refusal mutate(AdmissionRequest& request, AdmissionContext& context) const override {
    WebhookRound& round = context.webhooks;
    const std::vector<Hook> hooks = mutating_hooks(context.objects);
    for (const Hook& hook : hooks) {
      if (round.again && !contains(round.asked_again, hook.id)) continue;
      Refusal refusal;
      const api::KindDesc* kind = shown_kind(hook, request, context, refusal);
      if (!refusal.is_ok() || context.waits) return refusal;
      if (!kind) continue;
      const Asked asked = ask(hook, *kind, request, context, true);
      if (asked.ends) return asked.refusal;
      WebhookAnnotator annotator(context, hook, round.again ? 1 : 0, static_cast<size_t>(&hook - hooks.data()));
      bool changed = false;
      refusal = follow(hook, asked.answer, *kind, request, context, annotator, changed);
      if (context.waits) return {};
      annotator.mutated(changed);
      if (!refusal.is_ok()) return refusal;
      if (changed) note_change(round);
      if (hook.asked_again) round.called.push_back(hook.id);
    }
    return {};
  }

 private:
  static Refusal follow(const Hook& hook, const ReviewAnswer& answer, const api::KindDesc& kind, AdmissionRequest& request,
                        const AdmissionContext& context, WebhookAnnotator& annotator, bool& changed) {
    bool failed = false;
    Refusal refusal = judge(hook, answer, failed);
    if (!refusal.is_ok()) return refusal;
    if (failed) {
      annotator.failed_open(true);
      return {};
    }
    if (answer.patch.size() > 0 && !request.object)
      return internal_failure(str_cat("admission webhook ", api::quoted(hook.name),
                                      " attempted to modify the object, which is not supported for this operation"));
    refusal = apply(answer.patch, kind, request, context, changed);
    if (refusal.is_ok() && !context.waits && answer.patch.size() > 0) annotator.patched(answer.patch);
    return refusal;
  }
  static bool contains(const std::vector<std::string>& ids, const std::string& id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  }
  // Those that have seen the object before this change are asked again.
  static void note_change(WebhookRound& round) {
    round.changed = true;
    round.asked_again.insert(round.asked_again.end(), round.called.begin(), round.called.end());
    round.called.clear();
  }

  static Result<api::Object> custom_object(const api::Json& document, const api::KindDesc& kind) {
    if (document["apiVersion"].text() != kind.api_version || document["kind"].text() != kind.kind)
      return bad_request(str_cat("the patch makes another kind of the object: ", document["kind"].text()));
    api::Object object = api::Object::make(*kind.type);
    ORRERY_TRY(api::from_json(document, *kind.type, object.mut_data()));
    return object;
  }
  static Result<api::Object> typed_object(const api::Json& document, const api::KindDesc& kind) {
    std::vector<std::string> strict;
    return decode_document(document, {}, {}, type_names(document, kind), kind, FieldValidation::kIgnore, strict);
  }
  static Refusal apply(const api::Json& patch, const api::KindDesc& kind, AdmissionRequest& request,
                       const AdmissionContext& context, bool& changed) {
    if (patch.is_null() || !request.object) return {};
    const api::KindDesc& stored = *request.object.kind();
    const bool converts = &storage_kind(stored) == &storage_kind(kind);
    const api::KindDesc& shown = converts ? kind : stored;
    api::Object current = converted_to(request.object, shown, context);
    if (!current) return {};
    *static_cast<metav1::TypeMeta*>(current.mut_data()) = {};  // as all objects of the server
    api::Json document = api::to_json(current);
    document.set("kind", shown.kind);
    document.set("apiVersion", shown.api_version);
    auto patched = api::apply_json_patch(document, patch);
    if (!patched.is_ok()) return internal_failure(patched.status().message());
    auto object = api::is_custom(shown) ? custom_object(*patched, shown) : typed_object(*patched, shown);
    if (!object.is_ok()) return internal_failure(object.status().message());
    if (object->kind() != &shown)
      return internal_failure(str_cat("the patch makes another kind of the object: ", object->kind()->kind));
    *static_cast<metav1::TypeMeta*>(object->mut_data()) = {};
    changed = !api::semantic_equal(current, *object);
    apply_defaults(*object);
    if (api::Object back = converted_to(*object, stored, context)) request.object = std::move(back);
    return {};
  }
};

class ValidatingWebhook final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "ValidatingAdmissionWebhook"; }

  // All that are to be asked are asked, whatever the others answer; the first refusal counts.
  // Source: Kubernetes v1.32 apiserver/pkg/admission/plugin/webhook/validating/dispatcher.go.
  Refusal validate(const AdmissionRequest& request, AdmissionContext& context) const override {
    const std::vector<Hook> hooks = validating_hooks(context.objects);
    std::vector<std::pair<const Hook*, const api::KindDesc*>> chosen;
    Refusal first;
    for (const Hook& hook : hooks) {
      const api::KindDesc* kind = shown_kind(hook, request, context, first);
      if (!first.is_ok() || context.waits) return first;
      if (kind) chosen.emplace_back(&hook, kind);
    }
    for (size_t i = 0; i < chosen.size(); ++i) {
      const Hook& hook = *chosen[i].first;
      Asked asked = ask(hook, *chosen[i].second, request, context, false);
      if (asked.ends && asked.refusal.is_ok()) return {};  // until an answer comes
      bool failed = false;
      if (!asked.ends) asked.refusal = judge(hook, asked.answer, failed);
      if (failed && asked.refusal.is_ok()) WebhookAnnotator(context, hook, 0, i).failed_open(false);
      if (first.is_ok()) first = std::move(asked.refusal);
    }
    return first;
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> mutating_webhook() { return std::make_unique<MutatingWebhook>(); }

std::unique_ptr<AdmissionPlugin> validating_webhook() { return std::make_unique<ValidatingWebhook>(); }

}  // namespace orrery::server
