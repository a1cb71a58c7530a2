#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/ports/http.h"
#include "realmode/http/limits.h"

namespace orrery::realmode {

/// What is written to streams, in order; never changed, so that streams share it.
using Texts = std::vector<std::shared_ptr<const std::string>>;

/// What the engine asks of the I/O thread.
struct HttpCommand {
  enum class Kind : uint8_t { kRespond, kBegin, kPiece, kEnd, kCut, kForward, kInputTaken };
  Kind kind;
  uint64_t exchange;
  HttpResponse response;  // kRespond, kBegin
  Texts texts;            // kPiece, kEnd
  std::unique_ptr<HttpForward> forward;
};

/// The exchanges under way, between the lanes' thread and the I/O thread: every function may be
/// called from both. What is written to a stream collects here until the I/O thread fetches it: a
/// stream costs one system call however many writes there were. An event is written to all who watch
/// for it, one after the other: the newest texts are kept once for all streams.
class Exchanges {
 public:
  /// `wake` wakes the I/O thread; it is called with no lock held.
  struct Waker {
    virtual ~Waker() = default;
    virtual void wake() = 0;
  };
  Exchanges(const HttpLimits& limits, Lanes* lanes, Waker* waker)
      : limits_(limits), lanes_(lanes), waker_(waker) {}

  // For the lanes: see HttpTransport.
  void subscribe(LaneId lane);
  HttpRequest take(uint64_t exchange);
  bool wants_gzip(uint64_t exchange) const;
  void respond(uint64_t exchange, HttpResponse response);
  void begin_stream(uint64_t exchange, HttpResponse head);
  bool write(uint64_t exchange, std::string_view piece);
  void end_stream(uint64_t exchange);
  std::string take_input(uint64_t exchange);
  void forward(uint64_t exchange, HttpForward to);
  HttpForwardOutcome take_forward(uint64_t exchange);

  // For the I/O thread.
  uint64_t announce(HttpRequest request);
  /// Appends what has been asked since the last call, of pieces at most `pieces`: the number of
  /// those appended. Streams whose pieces stay behind come first the next time.
  size_t collect(std::vector<HttpCommand>& out, size_t pieces);
  bool pieces_wait() const;
  void gone(uint64_t exchange);
  /// Bytes came through a tunnel that ends in the engine.
  void input(uint64_t exchange, std::string_view bytes);
  /// So many of them have not been taken.
  size_t waiting_input(uint64_t exchange) const;
  void forwarded(uint64_t exchange, HttpForwardOutcome outcome);
  /// The I/O thread holds `bytes` of these streams that have not been sent.
  struct Queued {
    uint64_t exchange;
    size_t bytes;
  };
  void update(const std::vector<Queued>& streams);
  size_t open() const;

 private:
  static constexpr size_t kSharedTexts = 8;
  static constexpr size_t kSharedTextMax = 64 << 10;  // longer ones are not compared, nor kept
  struct Exchange {
    std::optional<HttpRequest> request;  // until taken
    bool accepts_gzip = false;
    bool answered = false;
    bool streaming = false;
    bool cut = false;
    bool gone = false;
    bool listed = false;      // among those whose pieces wait
    Texts texts;              // written, not fetched
    size_t written = 0;       // bytes of them
    size_t fetched = 0;       // fetched, not sent
    size_t since_notice = 0;  // written since the last kHttpDrained
    std::string input;        // of a tunnel, not taken
    std::unique_ptr<HttpForwardOutcome> outcome;  // until taken
  };
  /// `text`, shared with those who have been written the same a moment ago.
  std::shared_ptr<const std::string> shared(std::string_view text);
  static size_t unsent(const Exchange& exchange) { return exchange.fetched + exchange.written; }
  Exchange* find(uint64_t exchange);
  void forget_if_over(uint64_t id);
  /// True: it is the first since the I/O thread has looked.
  bool command(HttpCommand::Kind kind, uint64_t id);

  const HttpLimits& limits_;
  Lanes* lanes_;
  Waker* waker_;

  mutable std::mutex mutex_;  // all below
  LaneId lane_;
  uint64_t next_ = 1;
  std::unordered_map<uint64_t, Exchange> exchanges_;
  std::vector<HttpCommand> commands_;
  std::deque<uint64_t> listed_;  // streams with pieces
  size_t all_unsent_ = 0;
  std::array<std::shared_ptr<const std::string>, kSharedTexts> newest_;
  size_t next_newest_ = 0;
};

}  // namespace orrery::realmode
