// Gets and lists: from the caches, or from the store where a past revision is asked for.
#include "engine/api/base64.h"
#include "engine/api/custom_object.h"
#include "engine/api/names.h"
#include "engine/server/custom/custom_scale.h"
#include "engine/server/errors.h"
#include "engine/server/server.h"
#include "engine/server/storage.h"

namespace orrery::server {
namespace {

/// Where the next page of a list begins. Source: Kubernetes v1.32 apiserver/pkg/storage/continue.go.
struct ContinueToken {
  int64_t revision = 0;
  std::string start;  // follows the resource's prefix

  /// The key that the page follows.
  std::string after(const api::KindDesc& kind) const {
    std::string key = str_cat(storage_kind(kind).storage_prefix, start);
    if (key.ends_with('\0')) key.pop_back();
    return key;
  }
  std::string encode() const {
    api::Json json = api::Json::object();
    json.set("v", "meta.k8s.io/v1");
    json.set("rv", revision);
    json.set("start", start);
    std::string text = api::base64_encode(json.dump());
    while (text.ends_with('=')) text.pop_back();
    for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return text;
  }
  static Result<ContinueToken> decode(std::string_view text) {
    const auto bad = [](std::string_view why) {
      return bad_request(str_cat("invalid continue token: continue key is not valid: ", why));
    };
    std::string standard(text), bytes;
    for (char& c : standard) c = c == '-' ? '+' : c == '_' ? '/' : c;
    standard.append((4 - standard.size() % 4) % 4, '=');
    if (!api::base64_decode(standard, &bytes)) return bad("illegal base64 data");
    const auto json = api::Json::parse(bytes);
    if (!json.is_ok()) return bad(json.status().message());
    const std::string version = (*json)["v"].is_string() ? (*json)["v"].as_string().str() : "";
    if (version != "meta.k8s.io/v1") return bad(str_cat("server does not recognize this encoded version ", version));
    ContinueToken token;
    token.revision = (*json)["rv"].as_int();
    token.start = (*json)["start"].as_string().str();
    if (token.revision == 0) return bad("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
    if (token.start.empty()) return bad("encoded start key empty (version meta.k8s.io/v1)");
    return token;
  }
};

std::optional<int64_t> parse_version(std::string_view text) {
  int64_t value = 0;
  if (text.empty() || text.size() > 18) return std::nullopt;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

ApiResponse failure(Status status) {
  ApiResponse response;
  response.status = std::move(status);
  return response;
}

// The keys of a list: all of the kind, or of one namespace.
std::string list_prefix(const ApiRequest& request) {
  const api::KindDesc& kind = storage_kind(*request.kind);
  std::string prefix(kind.storage_prefix);
  if (kind.namespaced && !request.ns.empty()) prefix += str_cat(request.ns, "/");
  return prefix;
}

ApiResponse future_revision() {
  ApiResponse response = failure(internal_error("etcdserver: mvcc: required revision is a future revision"));
  response.unclassified = true;
  return response;
}

}  // namespace

ApiResponse too_large_version(int64_t asked, int64_t current) {
  ApiResponse response = failure(Status(Code::kTimeout, str_cat("Timeout: Too large resource version: ", asked, ", current: ", current)));
  response.causes.push_back({"ResourceVersionTooLarge", "Too large resource version", ""});
  response.retry_after_seconds = 1;
  return response;
}

ApiResponse invalid_version(std::string_view text) {
  ApiResponse response = failure(internal_error(str_cat("resourceVersion: Invalid value: \"", text, "\": strconv.ParseUint: parsing \"",
                                                        text, "\": invalid syntax")));
  response.unclassified = true;
  return response;
}

void Server::get(uint64_t id) {
  const ApiRequest& request = flights_.at(id).request;
  if (!request.resource_version.empty() && request.resource_version != "0") {
    const auto version = parse_version(request.resource_version);
    if (!version) return finish(id, invalid_version(request.resource_version));
    if (waits_for(id, *version)) return;
    if (*version > revision_) return finish(id, too_large_version(*version, revision_));
  }
  const api::KindDesc& kind = storage_kind(*request.kind);
  ApiResponse response = readable(store_key(kind, request.ns, request.name));
  if (!response.status.is_ok()) return finish(id, std::move(response));
  response.object = find(kind, request.ns, request.name);
  const bool scales = request.kind->subresources.find("scale") != std::string_view::npos;
  const bool found = response.object && (request.subresource != "scale" || scales);
  if (found && request.subresource == "scale" && api::is_custom(kind) && scale_of_custom(response.object).spec->replicas == kNoReplicas) {
    const std::string_view field = custom_replicas_field(response.object);
    return finish(id, internal_response(str_cat("the spec replicas field ", api::quoted(field), " does not exist")));
  }
  finish(id, found ? std::move(response) : not_found_response(request));
}

void Server::list(uint64_t id) {
  const ApiRequest& request = flights_.at(id).request;
  auto selection = Selection::make(*request.kind, request.ns, request.label_selector, request.field_selector);
  if (!selection.is_ok()) return finish(id, failure(selection.status()));
  std::string after;
  int64_t exact = 0;
  const std::string prefix = list_prefix(request);
  ApiResponse problem = all_readable(prefix);
  if (!problem.status.is_ok()) return finish(id, std::move(problem));
  if (!request.continue_token.empty()) {
    const auto token = ContinueToken::decode(request.continue_token);
    if (!token.is_ok()) return finish(id, failure(token.status()));
    if (!request.resource_version.empty() && request.resource_version != "0")
      return finish(id, failure(bad_request("specifying resource version is not allowed when using continue")));
    exact = token->revision;
    after = token->after(*request.kind);
  } else if (!request.resource_version.empty() && request.resource_version != "0") {
    const auto version = parse_version(request.resource_version);
    if (!version) return finish(id, invalid_version(request.resource_version));
    const bool asks_exact = request.resource_version_match == "Exact";
    if (asks_exact && *version > revision_ && options_.shares_store && !flights_.at(id).newest) return ask_revision(id);
    if (!asks_exact && waits_for(id, *version)) return;
    if (*version > revision_) return finish(id, asks_exact ? future_revision() : too_large_version(*version, revision_));
    const bool legacy_exact = request.resource_version_match.empty() && request.limit > 0;
    if (asks_exact || legacy_exact) exact = *version;
  }
  // A list that any version satisfies comes from the cache, whole.
  if (request.resource_version == "0" && request.continue_token.empty()) flights_.at(id).request.limit = 0;
  if (exact < 0) {  // the rest of a list whose own revision is gone
    if (options_.shares_store && !flights_.at(id).newest) return ask_revision(id);
    exact = revision_;
  }
  if (waits_for(id, exact)) return;
  if (exact == 0 || exact >= revision_) return finish(id, list_page(request, *selection, after, exact ? exact : revision_));
  read_past(id, after, exact);
}

// Of what has not changed since only the store can say whether it still knows the revision: it is asked for one key.
void Server::read_past(uint64_t id, std::string_view after, int64_t revision) {
  InFlight& flight = flights_.at(id);
  Outside& outside = flight.outside.mut();
  const std::string prefix = list_prefix(flight.request);
  outside.unchanged = revision >= caches_[storage_kind(*flight.request.kind).id].last_change();
  RangeRequest range;
  range.key = after.empty() ? Str(prefix) : Str(str_cat(after, std::string_view("\0", 1)));
  if (!outside.unchanged) {
    std::string end = prefix;
    ++end.back();
    range.range_end = Str(end);
  }
  range.revision = revision;
  flight.ranges = true;
  outside.asked = timers_->now();
  store_->range({lane_, id}, range);
}

ApiResponse Server::list_page(const ApiRequest& request, const Selection& selection, std::string_view after,
                              int64_t revision) const {
  const api::KindDesc& kind = storage_kind(*request.kind);
  ApiResponse response;
  WatchCache::Page page = caches_[kind.id].page(selection, list_prefix(request), after, request.limit);
  response.items = std::move(page.items);
  response.resource_version = Str(str_cat(revision));
  if (page.rest == 0) return response;
  response.continue_token =
      Str(ContinueToken{revision, std::string(page.last.view().substr(kind.storage_prefix.size())) + '\0'}.encode());
  if (selection.labels.empty() && selection.fields.empty()) response.remaining = page.rest;
  return response;
}

void Server::on_old_list(uint64_t id, const StoreOutcome& outcome) {
  const ApiRequest& request = flights_.at(id).request;
  const auto token = ContinueToken::decode(request.continue_token);
  if (!outcome.status.is_ok()) {
    if (outcome.status.code() != Code::kExpired) return finish(id, failure(outcome.status));
    if (!token.is_ok())
      return finish(id, failure(Status(Code::kExpired, "The resourceVersion for the provided list is too old.")));
    ApiResponse response = failure(Status(Code::kExpired,
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
        "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
        "modified, or deleted between the time the first chunk was returned and now may show up in the list."));
    response.continue_token = Str(ContinueToken{-1, token->start}.encode());
    return finish(id, std::move(response));
  }
  const int64_t revision = token.is_ok() ? token->revision : *parse_version(request.resource_version);
  auto selection = Selection::make(*request.kind, request.ns, request.label_selector, request.field_selector);
  if (flights_.at(id).outside->unchanged) {
    const std::string after = token.is_ok() ? token->after(*request.kind) : "";
    if (revision < caches_[storage_kind(*request.kind).id].last_change()) return read_past(id, after, revision);
    return finish(id, list_page(request, *selection, after, revision));
  }
  ApiResponse response;
  response.resource_version = Str(str_cat(revision));
  std::string last;
  int64_t rest = 0;
  for (const KeyValue& kv : outcome.range.kvs) {
    api::Object object = object_of(kv, storage_kind(*request.kind));
    if (!object) continue;
    object.mut_meta().resource_version = Str(str_cat(kv.mod_revision));
    if (request.limit > 0 && static_cast<int64_t>(response.items.size()) == request.limit) {
      ++rest;
      continue;
    }
    if (!selection->matches(object)) continue;
    response.items.push_back(std::move(object));
    last = kv.key.view().substr(storage_kind(*request.kind).storage_prefix.size());
  }
  if (rest > 0 && !selection->is_of(list_prefix(request), str_cat(storage_kind(*request.kind).storage_prefix, last))) {
    response.continue_token = Str(ContinueToken{revision, last + '\0'}.encode());
    if (selection->labels.empty() && selection->fields.empty()) response.remaining = rest;
  }
  finish(id, std::move(response));
}

// Each matching object gets a delete of its own, one after the other, until one fails; the answer
// lists what was selected. Source: Kubernetes v1.32, DeleteCollection with one worker.
void Server::delete_collection(uint64_t id) {
  const ApiRequest request = flights_.at(id).request;
  auto selection = Selection::make(*request.kind, request.ns, request.label_selector, request.field_selector);
  if (!selection.is_ok()) return finish(id, failure(selection.status()));
  ApiResponse problem = all_readable(list_prefix(request));
  if (!problem.status.is_ok()) return finish(id, std::move(problem));
  ApiResponse response = list_page(request, *selection, "", revision_);
  if (response.items.empty()) return finish(id, std::move(response));
  flights_.at(id).answer = Ref<ApiResponse>::make(std::move(response));
  begin_next_delete(id);
}

// The next one need not wait for the store, only for what is decided of the one before.
void Server::begin_next_delete(uint64_t collection) {
  InFlight& all = flights_.at(collection);
  const size_t begun = all.outside->deletes_begun;
  if (!all.answer->status.is_ok() || begun == all.answer->items.size()) return;
  ++all.outside.mut().deletes_begun;
  const metav1::ObjectMeta& meta = all.answer->items[begun].meta();
  InFlight one;
  one.outside.mut().collection = collection;
  one.request = all.request;
  one.request.verb = ApiVerb::kDelete;
  one.request.ns = meta.namespace_;
  one.request.name = meta.name;
  lanes_->post(lane_, {EventKind::kUser, kBegin, flights_.put(std::move(one)), 0});
}

// One delete of a collection has been answered. What went meanwhile is no failure.
void Server::on_collected(uint64_t collection, bool passed_on, ApiResponse response) {
  InFlight& flight = flights_.at(collection);
  ApiResponse& answer = flight.answer.mut();
  if (!response.status.is_ok() && response.status.code() != Code::kNotFound && answer.status.is_ok()) {
    response.warnings = std::move(answer.warnings);
    answer = std::move(response);
  } else {
    for (Str& warning : response.warnings) answer.warnings.push_back(std::move(warning));
  }
  ++flight.outside.mut().deletes_answered;
  if (!passed_on) begin_next_delete(collection);
  InFlight& all = flights_.at(collection);
  if (all.outside->deletes_answered == all.outside->deletes_begun) finish(collection, std::move(all.answer.mut()));
}

}  // namespace orrery::server
