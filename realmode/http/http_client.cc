#include "realmode/http/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/str.h"

namespace orrery::realmode {
namespace {

constexpr int kWaitMs = 60'000;  // new calls wake the thread

CURL* easy_of(void* handle) { return static_cast<CURL*>(handle); }

std::string_view trim_line(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n' || line.back() == ' '))
    line.remove_suffix(1);
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  return line;
}

// "10.0.0.7:8443"
std::string place_of(const HttpCall& call) {
  if (!call.connect_to.empty()) return call.connect_to;
  const size_t scheme = call.url.find("://");
  const size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  return call.url.substr(begin, call.url.find('/', begin) - begin);
}

// In the words of Go's net package, which clients of Kubernetes know.
std::string failure_of(CURL* easy, int code, const HttpCall& call, const char* said) {
  long cause = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &cause);
  if (code == CURLE_COULDNT_CONNECT && cause == ECONNREFUSED)
    return str_cat("dial tcp ", place_of(call), ": connect: connection refused");
  return said[0] != 0 ? said : curl_easy_strerror(static_cast<CURLcode>(code));
}

}  // namespace

struct CurlHttpClient::Transfer {
  Transfer(Ticket to, HttpCall what) : ticket(to), call(std::move(what)), easy(curl_easy_init()) {}
  ~Transfer() {
    curl_easy_cleanup(easy);
    curl_slist_free_all(fields);
    curl_slist_free_all(places);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  static size_t on_body(char* bytes, size_t, size_t size, void* user) {
    auto* self = static_cast<Transfer*>(user);
    if (self->response.body.size() + size > kAnswerBytesMax) return 0;  // an error to curl
    self->response.body.append(bytes, size);
    return size;
  }
  static size_t on_field(char* bytes, size_t, size_t size, void* user) {
    auto* self = static_cast<Transfer*>(user);
    const std::string_view line = trim_line({bytes, size});
    if (line.starts_with("HTTP/")) self->response.headers.clear();  // after 100 Continue
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return size;
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    self->response.headers.emplace_back(std::move(name), trim_line(line.substr(colon + 1)));
    return size;
  }
  void prepare();
  void prepare_tls();

  Ticket ticket;
  HttpCall call;
  CURL* easy;
  curl_slist* fields = nullptr;
  curl_slist* places = nullptr;
  char error[CURL_ERROR_SIZE] = "";
  HttpResponse response;
};

void CurlHttpClient::Transfer::prepare() {
  curl_easy_setopt(easy, CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  if (!call.body.empty() || call.method == "POST" || call.method == "PUT") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  }
  for (const auto& [name, value] : call.headers)
    fields = curl_slist_append(fields, str_cat(name, ": ", value).c_str());
  fields = curl_slist_append(fields, "Expect:");  // no round trip before the body
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                   static_cast<long>(std::max<int64_t>(call.timeout.ns / 1'000'000, 1)));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_field);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  if (!call.connect_to.empty()) {
    places = curl_slist_append(nullptr, str_cat("::", call.connect_to).c_str());
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, places);
  }
  prepare_tls();
}

void CurlHttpClient::Transfer::prepare_tls() {
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, call.any_server ? 0L : 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, call.any_server ? 0L : 2L);
  if (!call.certificate_pem.empty()) {
    curl_blob certificate{call.certificate_pem.data(), call.certificate_pem.size(), CURL_BLOB_COPY};
    curl_blob key{call.key_pem.data(), call.key_pem.size(), CURL_BLOB_COPY};
    curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &certificate);
    curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &key);
  }
  if (call.ca_bundle.empty()) return;
  curl_blob bundle{call.ca_bundle.data(), call.ca_bundle.size(), CURL_BLOB_COPY};
  curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &bundle);
  // Or the system's folder of authorities would be believed beside the bundle.
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
}

CurlHttpClient::CurlHttpClient(Lanes* lanes) : lanes_(lanes) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  multi_ = curl_multi_init();
  CHECK(multi_ != nullptr) << "out of memory";
  curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, kConnectionsMax);
  curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, kConnectionsPerHostMax);
  thread_ = std::thread([this] { run(); });
}

CurlHttpClient::~CurlHttpClient() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  curl_multi_wakeup(multi_);
  thread_.join();
  for (const auto& [easy, transfer] : transfers_) curl_multi_remove_handle(multi_, easy_of(easy));
  transfers_.clear();
  curl_multi_cleanup(multi_);
}

void CurlHttpClient::call(Ticket ticket, HttpCall call) {
  auto transfer = std::make_unique<Transfer>(ticket, std::move(call));
  CHECK(transfer->easy != nullptr) << "out of memory";
  transfer->prepare();
  {
    const std::lock_guard lock(mutex_);
    fresh_.push_back(std::move(transfer));
  }
  curl_multi_wakeup(multi_);
}

HttpCallOutcome CurlHttpClient::take(uint64_t handle) {
  const std::lock_guard lock(mutex_);
  return outcomes_.take(handle);
}

void CurlHttpClient::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    begin_new();
    int running = 0;
    curl_multi_perform(multi_, &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left))
      if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result);
    curl_multi_poll(multi_, nullptr, 0, kWaitMs, nullptr);
  }
}

void CurlHttpClient::begin_new() {
  std::vector<std::unique_ptr<Transfer>> fresh;
  {
    const std::lock_guard lock(mutex_);
    fresh.swap(fresh_);
  }
  for (auto& transfer : fresh) {
    CURL* easy = transfer->easy;
    transfers_[easy] = std::move(transfer);
    curl_multi_add_handle(multi_, easy);
  }
}

void CurlHttpClient::finish(void* easy, int code) {
  curl_multi_remove_handle(multi_, easy_of(easy));
  const auto found = transfers_.find(easy);
  const std::unique_ptr<Transfer> transfer = std::move(found->second);
  transfers_.erase(found);
  HttpCallOutcome outcome;
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(easy_of(easy), CURLINFO_RESPONSE_CODE, &status);
    outcome.response = std::move(transfer->response);
    outcome.response.code = static_cast<int>(status);
  } else {
    outcome.status = {code == CURLE_OPERATION_TIMEDOUT ? Code::kTimeout : Code::kServiceUnavailable,
                      failure_of(easy_of(easy), code, transfer->call, transfer->error)};
  }
  uint64_t handle = 0;
  {
    const std::lock_guard lock(mutex_);
    handle = outcomes_.put(std::move(outcome));
  }
  lanes_->post(transfer->ticket.lane, {EventKind::kDone, 0, transfer->ticket.op, handle});
}

}  // namespace orrery::realmode
