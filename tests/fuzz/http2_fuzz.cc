// A whole HTTP/2 connection without its socket: requests are answered at once, watches stream a
// little; whatever the peer sends, the session ends or goes on within its bounds.
#include <cstdint>
#include <map>
#include <memory>

#include "engine/base/check.h"
#include "realmode/http/http2_session.h"

namespace {

using namespace orrery::realmode;

class Host final : public SessionHost {
 public:
  Host() {
    limits_.head_bytes = 2048;
    limits_.head_fields = 16;
    limits_.body_bytes = 4096;
    limits_.http2_streams = 8;
  }
  const HttpLimits& limits() const override { return limits_; }
  Millis now() const override { return now_; }
  OutputQueue& output() override { return output_; }
  uint64_t announce(orrery::HttpRequest request, int32_t stream) override {
    CHECK(request.body.size() <= limits_.body_bytes && request.headers.size() <= limits_.head_fields + 1);
    announced[++last_] = {stream, std::move(request)};
    return last_;
  }
  void gone(uint64_t exchange) override { CHECK(announced.erase(exchange) == 1); }
  void queued(uint64_t, size_t) override {}
  void finished(uint64_t) override {}
  bool forwarded(uint64_t) const override { return false; }
  void tunnelled(uint64_t, std::string_view) override {}
  bool tunnel_wants_input(uint64_t) const override { return false; }
  bool reserve_body(size_t bytes) override {
    reserved += bytes;
    return reserved <= 1 << 16;
  }
  void release_body(size_t bytes) override {
    CHECK(bytes <= reserved);
    reserved -= bytes;
  }
  void pass(Millis time) { now_ += time; }

  std::map<uint64_t, std::pair<int32_t, orrery::HttpRequest>> announced;  // not answered yet
  size_t reserved = 0;

 private:
  HttpLimits limits_;
  OutputQueue output_;
  Millis now_ = 0;
  uint64_t last_ = 0;
};

void answer(Host& host, Http2Session& session) {
  const auto requests = std::exchange(host.announced, {});
  for (const auto& [exchange, request] : requests) {
    orrery::HttpResponse response;
    response.headers = {{"content-type", "text/plain"}};
    response.body = std::string(request.second.path.size() * 10, 'x');
    if (request.second.query.empty()) {
      session.respond(request.first, std::move(response));
      continue;
    }
    session.begin_stream(request.first, std::move(response));
    session.write(request.first, std::string(kPieceHeadroom, ' ') + "piece");
    session.end_stream(request.first);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  Host host;
  Http2Session session(&host);
  std::string bytes(kHttp2Preface);
  bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t step = 1 + data[0] % 64;
  for (size_t at = 0; at < bytes.size() && !session.over(); at += step) {
    session.on_bytes(std::string_view(bytes).substr(at, step));
    answer(host, session);
    session.produce();
    while (!host.output().empty()) host.output().pop(host.output().front().size());
    host.pass(10);
    session.on_tick();
  }
  if (data[0] & 128) session.shut_down();
  session.abandon();
  return 0;
}
