#include "realmode/http/channel.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace orrery::realmode {

Channel::Channel(int fd, const TlsServer* tls) : fd_(fd) {
  if (tls != nullptr) session_ = tls->accept(fd);
}

Channel::~Channel() {
  SSL_free(session_);
  ::close(fd_);
}

IoResult Channel::outcome(int result) {
  switch (SSL_get_error(session_, result)) {
    case SSL_ERROR_WANT_READ:
      wants_write_ = false;
      return IoResult::kBlocked;
    case SSL_ERROR_WANT_WRITE:
      wants_write_ = true;
      return IoResult::kBlocked;
    case SSL_ERROR_ZERO_RETURN:
      return IoResult::kEnd;
    default:
      return IoResult::kFailed;
  }
}

IoResult Channel::handshake() {
  if (session_ == nullptr) return IoResult::kOk;
  ERR_clear_error();
  const int result = SSL_do_handshake(session_);
  if (result != 1) return outcome(result);
  wants_write_ = false;
  return IoResult::kOk;
}

IoResult Channel::read(char* buffer, size_t size, size_t* got, bool* more) {
  *more = false;
  if (session_ != nullptr) {
    ERR_clear_error();
    if (const int result = SSL_read_ex(session_, buffer, size, got); result != 1)
      return outcome(result);
    *more = SSL_has_pending(session_) == 1;
    return IoResult::kOk;
  }
  const ssize_t result = ::recv(fd_, buffer, size, 0);
  if (result > 0) {
    *got = static_cast<size_t>(result);
    *more = *got == size;
    return IoResult::kOk;
  }
  if (result == 0) return IoResult::kEnd;
  return errno == EAGAIN || errno == EINTR ? IoResult::kBlocked : IoResult::kFailed;
}

IoResult Channel::write(std::string_view bytes, size_t* sent) {
  // OpenSSL would take what follows a failed write as misuse, and read no more either.
  if (write_failed_) return IoResult::kFailed;
  if (session_ != nullptr) {
    ERR_clear_error();
    if (const int result = SSL_write_ex(session_, bytes.data(), bytes.size(), sent); result != 1) {
      const IoResult why = outcome(result);
      write_failed_ = why != IoResult::kBlocked;
      return why;
    }
    wants_write_ = false;
    return IoResult::kOk;
  }
  const ssize_t result = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  wants_write_ = result < 0 && errno == EAGAIN;
  if (result > 0) {
    *sent = static_cast<size_t>(result);
    return IoResult::kOk;
  }
  return errno == EAGAIN || errno == EINTR ? IoResult::kBlocked : IoResult::kFailed;
}

void Channel::finish_sending() {
  if (session_ != nullptr && SSL_is_init_finished(session_) == 1 && !write_failed_) {
    ERR_clear_error();
    SSL_shutdown(session_);
    ERR_clear_error();
  }
  ::shutdown(fd_, SHUT_WR);
}

void Channel::reset_on_close() {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

std::string_view Channel::protocol() const {
  if (session_ == nullptr) return {};
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(session_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string Channel::failure() const {
  return session_ == nullptr ? "EOF" : handshake_error(session_);
}

CertificateSubject Channel::subject() const {
  return session_ == nullptr ? CertificateSubject() : peer_subject(session_);
}

}  // namespace orrery::realmode
