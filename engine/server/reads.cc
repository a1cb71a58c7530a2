// Gets and lists: from the caches, or from the store where a past revision is asked for.
#include "engine/api/custom_object.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/names.h"
#include "engine/server/continue_token.h"
#include "engine/server/custom/custom_scale.h"
#include "engine/server/errors.h"
#include "engine/server/server.h"
#include "engine/server/storage.h"

namespace orrery::server {
namespace {

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

// Without more words a version is that of the list if it has pages, unless it is a list of one name.
// Source: Kubernetes v1.32 apiserver/pkg/storage/etcd3/store.go, GetList.
bool is_exact(const ApiRequest& request, const Selection& selection) {
  if (!request.resource_version_match.empty()) return request.resource_version_match == "Exact";
  const bool homed = !storage_kind(*request.kind).namespaced || !request.ns.empty();
  const bool one = homed && selection.fields.exact_match("metadata.name");
  return request.limit > 0 && !one;
}

// The store and its cache say it each in their own way; lists with pages, and exact ones, are the store's.
ApiResponse unreadable_version(const ApiRequest& request) {
  ApiResponse response = invalid_version(request.resource_version);
  const Str& match = request.resource_version_match;
  const bool of_store = match == "Exact" || (match.empty() && request.limit > 0);
  return of_store ? failure(bad_request(str_cat("invalid resource version: ", response.status.message()))) : response;
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
  std::string from;
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
    from = token->key(prefix);
  } else if (!request.resource_version.empty() && request.resource_version != "0") {
    const auto version = parse_version(request.resource_version);
    if (!version) return finish(id, unreadable_version(request));
    const bool means_exact = is_exact(request, *selection);
    if (means_exact) exact = *version;
    if (!means_exact && waits_for(id, *version)) return;
    if (!means_exact && *version > revision_) return finish(id, too_large_version(*version, revision_));
  }
  // A list that any version satisfies comes from the cache, whole; events have none.
  const bool cached = storage_kind(*request.kind).type != &corev1::Event::descriptor();
  if (cached && request.resource_version == "0" && request.continue_token.empty()) flights_.at(id).request.limit = 0;
  const bool goes_on = exact < 0;  // with the rest of a list whose own revision is gone
  if ((goes_on || exact > revision_) && options_.shares_store && !flights_.at(id).newest) return ask_revision(id);
  if (exact > revision_) return finish(id, future_revision());
  if (exact <= 0 || exact == revision_) return finish(id, list_page(request, *selection, from, revision_));
  read_past(id, from, exact);
}

// Of what has not changed since only the store can say whether it still knows the revision: it is asked for one key.
void Server::read_past(uint64_t id, std::string_view from, int64_t revision) {
  InFlight& flight = flights_.at(id);
  Outside& outside = flight.outside.mut();
  const std::string prefix = list_prefix(flight.request);
  outside.unchanged = revision >= caches_[storage_kind(*flight.request.kind).id].last_change();
  RangeRequest range;
  range.key = from.empty() ? Str(prefix) : Str(from);
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

ApiResponse Server::list_page(const ApiRequest& request, const Selection& selection, std::string_view from,
                              int64_t revision) const {
  const std::string prefix = list_prefix(request);
  ApiResponse response;
  WatchCache::Page page = caches_[storage_kind(*request.kind).id].page(selection, prefix, from, request.limit);
  response.items = std::move(page.items);
  response.resource_version = Str(str_cat(revision));
  if (page.rest == 0) return response;
  response.continue_token = Str(ContinueToken::following(page.last, prefix, revision).encode());
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
    const std::string from = token.is_ok() ? token->key(list_prefix(request)) : "";
    if (revision < caches_[storage_kind(*request.kind).id].last_change()) return read_past(id, from, revision);
    return finish(id, list_page(request, *selection, from, revision));
  }
  ApiResponse response;
  response.resource_version = Str(str_cat(revision));
  Str last;
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
    last = kv.key;
  }
  if (rest > 0 && !selection->is_of(list_prefix(request), last)) {
    response.continue_token = Str(ContinueToken::following(last, list_prefix(request), revision).encode());
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
