#include "realmode/http/compressor.h"

#include <zlib.h>

#include "engine/base/check.h"

namespace orrery::realmode {
namespace {

constexpr int kLevel = 1;  // Kubernetes v1.32 apiserver, defaultGzipContentEncodingLevel
constexpr int kGzipWindow = 15 + 16;

}  // namespace

std::string gzip(std::string_view body) {
  z_stream stream{};
  CHECK(deflateInit2(&stream, kLevel, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK)
      << "zlib";
  std::string out(deflateBound(&stream, body.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(body.size() <= UINT32_MAX && deflate(&stream, Z_FINISH) == Z_STREAM_END) << "zlib";
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Compressor::Compressor(Done done) : done_(std::move(done)), thread_([this] { run(); }) {}

Compressor::~Compressor() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Compressor::submit(uint64_t exchange, HttpResponse response) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.emplace_back(exchange, std::move(response));
  }
  wake_.notify_one();
}

void Compressor::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    auto [exchange, response] = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    response.body = gzip(response.body);
    response.headers.emplace_back("content-encoding", "gzip");
    response.headers.emplace_back("vary", "Accept-Encoding");
    done_(exchange, std::move(response));
    lock.lock();
  }
}

}  // namespace orrery::realmode
