#include "tests/contract/tcp_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "engine/base/check.h"

namespace orrery::contract {
namespace {

constexpr int kPollMs = 2;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

}  // namespace

TcpProxy::TcpProxy(int target_port) : target_port_(target_port) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0) << "bind";
  CHECK(listen(listener_, 64) == 0) << "listen";
  CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0) << "getsockname";
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

TcpProxy::~TcpProxy() {
  stopping_ = true;
  thread_.join();
  while (!peers_.empty()) end(peers_.begin()->first);
  close(listener_);
}

void TcpProxy::run() {
  while (!stopping_) {
    obey();
    std::vector<pollfd> polled = {{listener_, POLLIN, 0}};
    if (command_ != kStall)
      for (const auto& [from, to] : peers_) polled.push_back({from, POLLIN, 0});
    poll(polled.data(), polled.size(), kPollMs);
    for (size_t i = 1; i < polled.size(); ++i)
      if (polled[i].revents != 0 && peers_.contains(polled[i].fd)) pump(polled[i].fd);
    if (polled[0].revents != 0) accept_one();
  }
}

void TcpProxy::obey() {
  if (command_ != kCut && command_ != kShut) return;
  while (!peers_.empty()) end(peers_.begin()->first);
  Command cut = kCut;
  command_.compare_exchange_strong(cut, kOpen);
}

void TcpProxy::accept_one() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(target_port_);
  const bool refused = command_ == kShut;
  if (refused ||
      connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    close(client);
    close(server);
    return;
  }
  peers_[client] = server;
  peers_[server] = client;
}

void TcpProxy::pump(int from) {
  std::array<char, 65536> buffer;
  const ssize_t size = recv(from, buffer.data(), buffer.size(), 0);
  if (size <= 0) return end(from);
  const int to = peers_.at(from);
  for (ssize_t sent = 0; sent < size;) {
    const ssize_t more =
        send(to, buffer.data() + sent, static_cast<size_t>(size - sent), MSG_NOSIGNAL);
    if (more <= 0) return end(from);
    sent += more;
  }
}

void TcpProxy::end(int descriptor) {
  const int peer = peers_.at(descriptor);
  peers_.erase(descriptor);
  peers_.erase(peer);
  close(descriptor);
  close(peer);
}

}  // namespace orrery::contract
