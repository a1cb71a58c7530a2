#pragma once

#include <atomic>
#include <map>
#include <string>
#include <thread>

namespace orrery::contract {

/// Passes TCP connections on to a port of this machine, until told otherwise: a network that can be
/// cut. One thread of its own.
class TcpProxy {
 public:
  explicit TcpProxy(int target_port);
  ~TcpProxy();
  int port() const { return port_; }
  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// Ends all connections; new ones are taken.
  void cut() { command_ = kCut; }
  /// Ends all connections and refuses new ones until open().
  void shut() { command_ = kShut; }
  void open() { command_ = kOpen; }
  /// Connections are kept but nothing passes until open(): a network that swallows packets.
  void stall() { command_ = kStall; }

 private:
  enum Command { kOpen, kCut, kShut, kStall };
  void run();
  void obey();
  void accept_one();
  void pump(int from);
  void end(int descriptor);

  const int target_port_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<Command> command_ = kOpen;
  std::atomic<bool> stopping_ = false;
  std::map<int, int> peers_;  // both directions
  std::thread thread_;
};

}  // namespace orrery::contract
