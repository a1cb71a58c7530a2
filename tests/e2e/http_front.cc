// The HTTP front with a small handler behind it, for tests and measurements of the front alone.
// usage: http_front [--tls CERT KEY [CLIENT_CA]] [--fast-limits] [--goaway] [--long-grace]; prints
// its URL, ends at SIGTERM.
//
//   /echo          the request as it arrived, JSON
//   /bytes?N       N bytes
//   /hold          never answered
//   /flood?N       a stream of N KiB written as fast as possible, in portions (kHttpDrained)
//   /spill         a stream that is written to without regard for the reader, until it is cut
//   /stats         {"gone": n, "drained": n, "cut": n, "open": n}
//   POST           201 and the body again; PATCH: 200 and the body, which every watch gets as a
//   line ?watch=true    a stream anything else  an object of 3 KB
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "engine/base/check.h"
#include "engine/base/str.h"
#include "realmode/http/http_server.h"
#include "realmode/loop/loop.h"

namespace {

using orrery::Ctx;
using orrery::Event;
using orrery::EventKind;
using orrery::HttpRequest;
using orrery::HttpResponse;
using orrery::HttpTransport;
using orrery::str_cat;

constexpr size_t kPortion = 512 << 10;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

class Handler final : public orrery::LaneHandler {
 public:
  explicit Handler(HttpTransport* http) : http_(http) {}
  void handle(const Ctx&, const Event& event) override {
    if (event.kind != EventKind::kUser) return;
    if (event.a == orrery::kHttpRequestArrived) arrived(event.b, http_->take_request(event.b));
    if (event.a == orrery::kHttpPeerGone) {
      ++gone_;
      watches_.erase(event.b);
      floods_.erase(event.b);
    }
    if (event.a == orrery::kHttpDrained) {
      ++drained_;
      pump(event.b);
    }
  }

 private:
  static HttpResponse json(int code, std::string body) {
    return {code, {{"content-type", "application/json"}}, std::move(body)};
  }
  void arrived(uint64_t id, HttpRequest request) {
    if (request.query.find("watch=true") != std::string::npos) return begin_watch(id);
    if (request.path == "/echo") return http_->respond(id, json(200, echo(request)));
    if (request.path == "/hold") return;
    if (request.path == "/stats")
      return http_->respond(id, json(200, str_cat(R"({"gone":)", gone_, R"(,"drained":)", drained_,
                                                  R"(,"cut":)", cut_, "}")));
    if (request.path == "/bytes")
      return http_->respond(
          id, json(200, std::string(std::strtoul(request.query.c_str(), nullptr, 10), 'x')));
    if (request.path == "/flood")
      return begin_flood(id, std::strtoul(request.query.c_str(), nullptr, 10));
    if (request.path == "/spill") return spill(id);
    if (request.method == "POST") return http_->respond(id, json(201, std::move(request.body)));
    if (request.method == "PATCH") return broadcast(id, std::move(request.body));
    http_->respond(id, json(200, object_));
  }
  void begin_watch(uint64_t id) {
    http_->begin_stream(id, json(200, ""));
    watches_.insert(id);
  }
  void broadcast(uint64_t id, std::string body) {
    const std::string line =
        str_cat(R"({"type":"MODIFIED","object":)", body, R"(,"more":)", object_, "}\n");
    for (const uint64_t watch : watches_) http_->write(watch, line);
    http_->respond(id, json(200, std::move(body)));
  }
  void begin_flood(uint64_t id, size_t kilobytes) {
    http_->begin_stream(id, json(200, ""));
    floods_[id] = kilobytes << 10;
    pump(id);
  }
  void pump(uint64_t id) {
    const auto found = floods_.find(id);
    if (found == floods_.end()) return;
    const size_t portion = std::min(found->second, kPortion);
    for (size_t done = 0; done < portion; done += 1024) http_->write(id, std::string(1024, 'f'));
    found->second -= portion;
    if (found->second > 0) return;
    http_->end_stream(id);
    floods_.erase(found);
  }
  void spill(uint64_t id) {
    http_->begin_stream(id, json(200, ""));
    const std::string piece(64 << 10, 's');
    while (http_->write(id, piece)) {
    }
    ++cut_;
  }
  static std::string echo(const HttpRequest& request) {
    std::string out =
        str_cat(R"({"method":)", quoted(request.method), R"(,"path":)", quoted(request.path),
                R"(,"query":)", quoted(request.query), R"(,"body":)", quoted(request.body),
                R"(,"remote":)", quoted(request.remote_address), R"(,"cn":)",
                quoted(request.certificate_common_name), R"(,"groups":[)");
    for (const std::string& group : request.certificate_organizations)
      out += (out.back() == '[' ? "" : ",") + quoted(group);
    out += R"(],"headers":{)";
    for (const auto& [name, value] : request.headers)
      out += (out.back() == '{' ? "" : ",") + quoted(name) + ":" + quoted(value);
    return out + "}}";
  }

  HttpTransport* http_;
  std::set<uint64_t> watches_;
  std::map<uint64_t, size_t> floods_;
  int gone_ = 0, drained_ = 0, cut_ = 0;
  std::string object_ =
      str_cat(R"({"metadata":{"resourceVersion":"1"},"pad":")", std::string(3000, 'p'), "\"}");
};

std::string slurp(const char* path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

struct Arguments {
  orrery::realmode::HttpServer::Options options;
  orrery::Duration grace = orrery::Duration::seconds(5);
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  auto& options = arguments.options;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--tls") == 0 && i + 2 < argc) {
      options.tls.emplace();
      options.tls->certificate_pem = slurp(argv[i + 1]);
      options.tls->key_pem = slurp(argv[i + 2]);
      if (i + 3 < argc && argv[i + 3][0] != '-') options.tls->client_ca_pem = slurp(argv[i + 3]);
    }
    if (std::strcmp(argv[i], "--long-grace") == 0) arguments.grace = orrery::Duration::hours(1);
    if (std::strcmp(argv[i], "--goaway") == 0) options.limits.goaway_chance = 1;
    if (std::strcmp(argv[i], "--fast-limits") == 0) {
      options.limits.handshake_timeout = options.limits.head_timeout = orrery::Duration::seconds(1);
      options.limits.body_timeout = options.limits.idle_timeout = orrery::Duration::seconds(2);
      options.limits.write_timeout = orrery::Duration::seconds(2);
      options.limits.connections = 50;
    }
  }
  return arguments;
}

}  // namespace

int main(int argc, char** argv) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  orrery::realmode::Loop loop;
  Arguments arguments = parse(argc, argv);
  auto server = orrery::realmode::HttpServer::make(std::move(arguments.options), &loop);
  if (!server) {
    std::fprintf(stderr, "%s\n", server.status().message().c_str());
    return 2;
  }
  Handler handler(server->get());
  (*server)->subscribe(loop.open("handler", &handler));
  loop.start();
  (*server)->start();
  std::printf("%s\n", (*server)->url().c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  (*server)->shut_down(arguments.grace);
  loop.stop();
  return 0;
}
