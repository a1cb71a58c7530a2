#include "realmode/http/blocking_call.h"

#include <curl/curl.h>

#include "engine/base/str.h"

namespace orrery::realmode {
namespace {

size_t append(char* bytes, size_t, size_t size, void* body) {
  static_cast<std::string*>(body)->append(bytes, size);
  return size;
}

struct Easy {
  CURL* handle = curl_easy_init();
  curl_slist* fields = nullptr;
  ~Easy() {
    curl_easy_cleanup(handle);
    curl_slist_free_all(fields);
  }
};

}  // namespace

Result<HttpResponse> call_and_wait(const HttpCall& call) {
  Easy easy;
  CHECK(easy.handle != nullptr) << "out of memory";
  HttpResponse response;
  char error[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(easy.handle, CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(easy.handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy.handle, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  curl_easy_setopt(easy.handle, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy.handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.handle, CURLOPT_TIMEOUT_MS, static_cast<long>(call.timeout.ns / 1'000'000));
  curl_easy_setopt(easy.handle, CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(easy.handle, CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(easy.handle, CURLOPT_WRITEDATA, &response.body);
  if (!call.body.empty()) {
    curl_easy_setopt(easy.handle, CURLOPT_POSTFIELDS, call.body.data());
    curl_easy_setopt(easy.handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(call.body.size()));
  }
  for (const auto& [name, value] : call.headers)
    easy.fields = curl_slist_append(easy.fields, str_cat(name, ": ", value).c_str());
  curl_easy_setopt(easy.handle, CURLOPT_HTTPHEADER, easy.fields);
  const CURLcode result = curl_easy_perform(easy.handle);
  if (result != CURLE_OK) {
    const Code code =
        result == CURLE_OPERATION_TIMEDOUT ? Code::kTimeout : Code::kServiceUnavailable;
    return Status(code, error[0] != 0 ? error : curl_easy_strerror(result));
  }
  long status = 0;
  curl_easy_getinfo(easy.handle, CURLINFO_RESPONSE_CODE, &status);
  response.code = static_cast<int>(status);
  return response;
}

}  // namespace orrery::realmode
