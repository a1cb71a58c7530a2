#pragma once

#include <string>

#include "engine/base/status.h"

namespace orrery::realmode {

/// A listening TCP socket, non-blocking.
class Listener {
 public:
  /// `address` is a numeric IPv4 or IPv6 address; port 0 picks a free one. Invalid, with the
  /// system's reason, if it cannot be had.
  static Result<Listener> open(const std::string& address, int port);
  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

  int fd() const { return fd_; }
  int port() const { return port_; }
  /// Only this machine can reach it.
  bool loopback() const { return loopback_; }

  struct Accepted {
    int fd = -1;          // -1: none
    int error = 0;        // errno, if none
    std::string address;  // "127.0.0.1:40312", "[::1]:40312"
  };
  Accepted accept() const;
  void close();

 private:
  Listener(int fd, int port, bool loopback) : fd_(fd), port_(port), loopback_(loopback) {}
  int fd_;
  int port_;
  bool loopback_;
};

/// "https://127.0.0.1:6443": IPv6 addresses in brackets, "any" addresses as loopback.
std::string url_of(const std::string& scheme, const std::string& address, int port);

}  // namespace orrery::realmode
