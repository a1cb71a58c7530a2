#pragma once

#include <string>
#include <string_view>

#include "realmode/http/tls.h"

namespace orrery::realmode {

enum class IoResult { kOk, kBlocked, kEnd, kFailed };  // kEnd: the peer sends no more

/// A connected non-blocking socket, with or without TLS. Never raises SIGPIPE as long as the
/// calling thread blocks that signal.
class Channel {
 public:
  /// Owns `fd`; `tls` nullptr: plain.
  Channel(int fd, const TlsServer* tls);
  /// Owns both; `session` nullptr: plain.
  Channel(int fd, ssl_st* session) : fd_(fd), session_(session) {}
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  int fd() const { return fd_; }
  bool secure() const { return session_ != nullptr; }
  /// kOk: read and write may begin. Plain channels are ready at once.
  IoResult handshake();
  /// kOk: *got > 0. *more: bytes may be waiting that no poll of the socket would report.
  IoResult read(char* buffer, size_t size, size_t* got, bool* more);
  /// kOk: *sent > 0. After kBlocked the same bytes (or more) must be offered again. After kFailed
  /// what the peer sent before may still be read.
  IoResult write(std::string_view bytes, size_t* sent);
  /// Tells the peer that nothing more is sent; reading goes on.
  void finish_sending();
  /// Closing will tell the peer that something is missing, and the kernel drops what it has not
  /// sent.
  void reset_on_close();
  /// What the handshake agreed on: "h2", "http/1.1" or "".
  std::string_view protocol() const;
  CertificateSubject subject() const;
  /// handshake() has failed: why.
  std::string failure() const;
  /// True if an operation is blocked on the socket becoming writable.
  bool wants_write() const { return wants_write_; }

 private:
  IoResult outcome(int result);
  int fd_;
  ssl_st* session_ = nullptr;
  bool wants_write_ = false;
  bool write_failed_ = false;
};

}  // namespace orrery::realmode
