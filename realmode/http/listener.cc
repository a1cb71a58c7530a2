#include "realmode/http/listener.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/base/str.h"

namespace orrery::realmode {
namespace {

constexpr int kBacklog = 1024;
constexpr int kKeepAliveSeconds = 15;  // as net/http of Go: dead peers are found in some minutes

union Address {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

bool is_loopback(const Address& address) {
  if (address.any.sa_family == AF_INET) return (ntohl(address.v4.sin_addr.s_addr) >> 24) == 127;
  return IN6_IS_ADDR_LOOPBACK(&address.v6.sin6_addr);
}

int port_of(const Address& address) {
  return ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
}

std::string text_of(const Address& address) {
  char text[INET6_ADDRSTRLEN] = "";
  const bool v4 = address.any.sa_family == AF_INET;
  const void* bytes = v4 ? static_cast<const void*>(&address.v4.sin_addr) : &address.v6.sin6_addr;
  inet_ntop(address.any.sa_family, bytes, text, sizeof(text));
  return v4 ? str_cat(text, ":", port_of(address)) : str_cat("[", text, "]:", port_of(address));
}

Result<Address> parse(const std::string& text, int port) {
  Address address{};
  if (inet_pton(AF_INET, text.c_str(), &address.v4.sin_addr) == 1) {
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(static_cast<uint16_t>(port));
  } else if (inet_pton(AF_INET6, text.c_str(), &address.v6.sin6_addr) == 1) {
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_port = htons(static_cast<uint16_t>(port));
  } else {
    return invalid(str_cat("\"", text, "\" is no IP address"));
  }
  return address;
}

void set(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof(value));
}

}  // namespace

Result<Listener> Listener::open(const std::string& text, int port) {
  ORRERY_ASSIGN(Address address, parse(text, port));
  const int family = address.any.sa_family;
  const int fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return invalid(str_cat("no socket: ", std::strerror(errno)));
  Listener listener(fd, port, is_loopback(address));
  set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  socklen_t size = family == AF_INET ? sizeof(address.v4) : sizeof(address.v6);
  if (::bind(fd, &address.any, size) != 0 || ::listen(fd, kBacklog) != 0)
    return invalid(str_cat("cannot listen on ", text, " port ", port, ": ", std::strerror(errno)));
  size = sizeof(address);
  ::getsockname(fd, &address.any, &size);
  listener.port_ = port_of(address);
  return listener;
}

Listener::Listener(Listener&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), port_(other.port_), loopback_(other.loopback_) {}

Listener::~Listener() { close(); }

void Listener::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Listener::Accepted Listener::accept() const {
  Address address{};
  socklen_t size = sizeof(address);
  const int fd = ::accept4(fd_, &address.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return {-1, errno, ""};
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveSeconds);
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveSeconds);
  return {fd, 0, text_of(address)};
}

std::string url_of(const std::string& scheme, const std::string& address, int port) {
  std::string host = address;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != std::string::npos) host = str_cat("[", host, "]");
  return str_cat(scheme, "://", host, ":", port);
}

}  // namespace orrery::realmode
