// Requests that are answered without the store: reviews and tokens.
#include "engine/server/auth/access_review.h"
#include "engine/server/auth/token_request.h"
#include "engine/server/errors.h"
#include "engine/server/managed_fields/managed_fields.h"
#include "engine/server/rest/rest.h"
#include "engine/server/rest/setup.h"

namespace orrery::server {

bool Rest::is_review(const Exchange& exchange) const {
  if (exchange.info.verb != "create") return false;
  return exchange.info.subresource == "token" ||
         (exchange.info.subresource.empty() && (exchange.kind->group == "authorization.k8s.io" || exchange.kind->group == "authentication.k8s.io"));
}

void Rest::serve_review(uint64_t id, Exchange& exchange, ApiRequest& request, Time now) {
  if (request.subresource.empty() && exchange.kind->namespaced && request.object.meta().namespace_.empty())
    request.object.mut_meta().namespace_ = request.ns;
  // Nothing is stored, but what comes back says who has set its fields.
  managed::FieldWrite write;
  write.manager = request.field_manager;
  write.subresource = request.subresource;
  write.now = now;
  if (exchange.info.subresource == "token") default_token_request(request.object);
  managed::update_managed_fields({}, request.object, write);
  Review review;
  if (exchange.info.subresource == "token") {
    if (!signer_) return fail(id, no_such_resource());
    TokenRequestOptions options;
    options.issuer = authenticator_.options().issuers.empty() ? Str() : authenticator_.options().issuers[0];
    options.audiences = authenticator_.options().api_audiences.is_nil() ? authenticator_.options().issuers
                                                                         : authenticator_.options().api_audiences;
    review = request_token(request.object, exchange.info.ns, exchange.info.name, random_uid(rng_), options, *signer_, *server_, now);
  } else if (exchange.kind->kind == "TokenReview") {
    review = token_review(request.object, authenticator_, now);
  } else if (exchange.kind->kind == "SelfSubjectReview") {
    review = self_review(request.object, *exchange.user, now);
  } else {
    review = access_review(request.object, *exchange.user, exchange.info.ns, authorizer_);
  }
  if (!review.refusal.is_ok()) return fail(id, response_of(review.refusal));
  exchange.kind = review.object.kind();
  show(id, 201, review.object, now);
}

}  // namespace orrery::server
