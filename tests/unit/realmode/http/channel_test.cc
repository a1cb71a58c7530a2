#include "realmode/http/channel.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include "realmode/crypto/certificates.h"

namespace orrery::realmode {
namespace {

/// Both ends of a TCP connection on loopback, with TLS, after their handshake.
class ChannelTest : public testing::Test {
 protected:
  void SetUp() override {
    CertificateSpec spec;
    spec.common_name = "server";
    spec.for_server = true;
    const Time now = Time::from_unix_seconds(1'700'000'000);
    const Identity identity = *issue(*make_authority("ca", now), spec, now);
    tls_ = std::move(*TlsServer::make({identity.certificate_pem, identity.key_pem, ""}));
    tls_client_ = std::move(*TlsClient::make({}));
    ASSERT_NO_FATAL_FAILURE(connect());
    IoResult ours = IoResult::kBlocked, theirs = IoResult::kBlocked;
    while (ours != IoResult::kOk || theirs != IoResult::kOk) {
      ours = client_->handshake();
      theirs = server_->handshake();
      ASSERT_NE(ours, IoResult::kFailed) << client_->failure();
      ASSERT_NE(theirs, IoResult::kFailed) << server_->failure();
    }
  }
  void connect() {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(where);
    auto* address = reinterpret_cast<sockaddr*>(&where);
    ASSERT_EQ(bind(listener, address, size), 0);
    ASSERT_EQ(listen(listener, 1), 0);
    ASSERT_EQ(getsockname(listener, address, &size), 0);
    const int ours = socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_EQ(::connect(ours, address, size), 0);
    const int theirs = accept(listener, nullptr, nullptr);
    close(listener);
    for (const int fd : {ours, theirs}) fcntl(fd, F_SETFL, O_NONBLOCK);
    client_ = std::make_unique<Channel>(ours, tls_client_->connect(ours, "127.0.0.1", false));
    server_ = std::make_unique<Channel>(theirs, tls_.get());
  }

  std::unique_ptr<TlsServer> tls_;
  std::unique_ptr<TlsClient> tls_client_;
  std::unique_ptr<Channel> client_, server_;
};

TEST_F(ChannelTest, WhatAPeerSaidBeforeItResetIsReadAlthoughWritesFailed) {
  signal(SIGPIPE, SIG_IGN);
  size_t count = 0;
  ASSERT_EQ(client_->write("nobody reads this", &count), IoResult::kOk);
  ASSERT_EQ(server_->write("answer", &count), IoResult::kOk);
  pollfd arrival{client_->fd(), POLLIN, 0};
  ASSERT_EQ(poll(&arrival, 1, 10'000), 1);
  server_.reset();  // with input that it has not read: the connection is reset
  pollfd reset{client_->fd(), 0, 0};
  ASSERT_EQ(poll(&reset, 1, 10'000), 1);
  EXPECT_EQ(client_->write("late", &count), IoResult::kFailed);
  // Shorter: a library that keeps the first for another try takes it as misuse.
  EXPECT_EQ(client_->write("x", &count), IoResult::kFailed);
  char buffer[64];
  bool more = false;
  ASSERT_EQ(client_->read(buffer, sizeof(buffer), &count, &more), IoResult::kOk);
  EXPECT_EQ(std::string_view(buffer, count), "answer");
}

}  // namespace
}  // namespace orrery::realmode
