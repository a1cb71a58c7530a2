#include "engine/server/connect/kubelet_answer.h"

#include "engine/api/names.h"
#include "engine/server/errors.h"

namespace orrery::server {
namespace {

constexpr size_t kTextMax = 50'000;  // upstream's maxReadLength

struct Meaning {
  int code;
  std::string_view reason;
  std::string_view message;
};
constexpr Meaning kMeanings[] = {
    {401, "Unauthorized", "the server has asked for the client to provide credentials"},
    {404, "NotFound", "the server could not find the requested resource"},
    {405, "MethodNotAllowed", "the server does not allow this method on the requested resource"},
    {406, "NotAcceptable", "the server was unable to respond with a content type that the client supports"},
    {409, "Conflict", "the server reported a conflict"},
    {415, "UnsupportedMediaType", "the server was unable to respond with a content type that the client supports"},
    {422, "Invalid", "the server rejected our request due to an error in our request"},
    {429, "TooManyRequests", "the server has received too many requests and has asked us to try again later"},
    {503, "ServiceUnavailable", "the server is currently unable to handle the request"},
    {504, "Timeout", "the server was unable to return a response in the time allotted, but may still be processing the request"}};

Meaning meaning_of(int code) {
  for (const Meaning& one : kMeanings)
    if (one.code == code) return one;
  return {code, "", ""};
}

}  // namespace

ApiResponse missing_object(const api::KindDesc& kind, std::string_view name) {
  ApiResponse response;
  response.status = not_found_error(kind, name);
  auto& details = response.details.mut();
  details.name = Str(name);
  details.group = Str(kind.group);
  details.kind = Str(kind.plural);
  return response;
}

ApiResponse plain_failure(std::string_view why) {
  ApiResponse response;
  response.status = internal_error(std::string(why));
  response.unclassified = true;
  return response;
}

ApiResponse refused_log(const HttpResponse& from_kubelet, std::string_view pod) {
  const std::string text = from_kubelet.body.substr(0, kTextMax);
  ApiResponse response;
  if (from_kubelet.code == 500) return internal_response(text);
  if (from_kubelet.code == 400) {
    response.status = bad_request(text);
    return response;
  }
  const Meaning meaning = meaning_of(from_kubelet.code);
  std::string reason(meaning.reason), message(meaning.message);
  if (from_kubelet.code == 403) {
    reason = "Forbidden";
    message = text;
  } else if (reason.empty() && from_kubelet.code >= 500) {
    reason = "InternalError";
    message = str_cat("an error on the server (", api::quoted(text), ") has prevented the request from succeeding");
  } else if (reason.empty()) {
    reason = "Unknown";
    message = str_cat("the server responded with the status code ", from_kubelet.code, " but did not return more information");
  }
  metav1::Status status;
  status.status = "Failure";
  status.message = Str(str_cat(message, " ( pods/log ", pod, ")"));
  status.reason = Str(reason);
  status.code = from_kubelet.code;
  auto& details = status.details.mut();
  details.name = Str(pod);
  details.kind = "pods/log";
  response.object = api::Object::of(status);
  response.status = internal_error(status.message.str());
  return response;
}

}  // namespace orrery::server
