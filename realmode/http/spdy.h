#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct z_stream_s;

namespace orrery::realmode {

/// The client's side of a SPDY/3.1 connection (draft-mbelshe-httpbis-spdy-00), as far as streams of a
/// container need it: it opens streams, sends and gets data. Flow control is not done, as the
/// implementations that kubelets use (moby/spdystream) do not do it either.
class SpdyClient {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;
  SpdyClient();
  ~SpdyClient();
  SpdyClient(const SpdyClient&) = delete;
  SpdyClient& operator=(const SpdyClient&) = delete;

  /// The frame that opens the next stream: 1, 3, 5, ...
  std::string open(const Fields& fields);
  /// Data of at most 16 MiB; `last`: we send no more on this stream.
  static std::string data(uint32_t stream, std::string_view bytes, bool last);

  struct Event {
    uint32_t stream;
    std::string bytes;
    bool last;  // the peer sends no more on this stream
  };
  /// Reads what the peer sends. What has to be answered at once is put behind `reply`. False if the
  /// peer breaks the protocol.
  bool feed(std::string_view bytes, std::vector<Event>& out, std::string& reply);

 private:
  static constexpr size_t kFrameMax = 1 << 20;
  void on_control(uint16_t type, uint8_t flags, std::string_view payload, std::vector<Event>& out,
                  std::string& reply);
  std::string deflate_fields(const Fields& fields);

  std::unique_ptr<z_stream_s> deflate_;  // one for all heads of the connection
  uint32_t next_stream_ = 1;
  std::string buffer_;
};

/// What both sides put into their compressors first (section 2.6.10.1).
std::string spdy_dictionary();

}  // namespace orrery::realmode
