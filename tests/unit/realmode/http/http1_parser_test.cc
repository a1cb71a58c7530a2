#include "realmode/http/http1_parser.h"

#include <gtest/gtest.h>

#include "realmode/http/output_queue.h"
#include "realmode/http/response_head.h"

namespace orrery::realmode {
namespace {

constexpr std::string_view kPost =
    "POST /a/b?c=d HTTP/1.1\r\nHost: x\r\nX-Some: v\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3\r\nabc\r\n2\r\nde\r\n0\r\nT: t\r\n\r\n";

TEST(Http1Parser, ReadsTheSameRequestInPiecesOfAnySize) {
  const HttpLimits limits;
  for (size_t step = 1; step <= kPost.size(); ++step) {
    Http1Parser parser(limits);
    size_t at = 0;
    while (at < kPost.size()) {
      const std::string_view piece = kPost.substr(at, step);
      ASSERT_EQ(parser.feed(piece), piece.size());
      at += piece.size();
    }
    ASSERT_TRUE(parser.done()) << step;
    const HttpRequest request = parser.take();
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.path, "/a/b");
    EXPECT_EQ(request.query, "c=d");
    EXPECT_EQ(request.body, "abcde");
    EXPECT_EQ(find_header(request.headers, "x-some"), "v");
    EXPECT_EQ(request.headers.size(), 3u) << "trailers are dropped";
  }
}

TEST(Http1Parser, LeavesWhatFollowsTheRequest) {
  const HttpLimits limits;
  Http1Parser parser(limits);
  const std::string two = std::string(kPost) + "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_EQ(parser.feed(two), kPost.size());
  parser.reset();
  EXPECT_TRUE(parser.idle());
  parser.feed(std::string_view(two).substr(kPost.size()));
  ASSERT_TRUE(parser.done());
  EXPECT_EQ(parser.take().method, "GET");
}

TEST(Http1Parser, AbsoluteTargetsLoseTheirAuthority) {
  const HttpLimits limits;
  Http1Parser parser(limits);
  parser.feed("GET https://other:1/p?q HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(parser.done());
  EXPECT_EQ(parser.request().path, "/p");
  EXPECT_EQ(parser.request().query, "q");
}

TEST(Http1Parser, KeepAliveFollowsVersionAndConnection) {
  const HttpLimits limits;
  const auto keeps = [&](std::string_view text) {
    Http1Parser parser(limits);
    parser.feed(text);
    EXPECT_TRUE(parser.done());
    return parser.keep_alive();
  };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: x\r\nConnection: foo, Close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(ResponseHead, ValuesCannotBreakOutOfTheirField) {
  HttpResponse response;
  response.headers = {
      {"x-note", "a\r\nSet-Cookie: b"}, {"content-length", "99"}, {"connection", "close"}};
  const std::string head = http1_head(response, Framing::kLength, 5, true);
  EXPECT_NE(head.find("\r\nX-Note: a  Set-Cookie: b\r\n"), std::string::npos);
  EXPECT_NE(head.find("\r\nContent-Length: 5\r\n"), std::string::npos);
  EXPECT_EQ(head.find("99"), std::string::npos);
  EXPECT_EQ(head.find("Connection"), std::string::npos);
}

TEST(OutputQueue, KeepsOrderAndCountsBytes) {
  OutputQueue queue;
  std::string expected;
  for (size_t size : {0, 1, 100, 5000, 20000, 3, 16384, 7}) {
    const std::string text(size, static_cast<char>('a' + size % 26));
    queue.push("skip" + text, 4);
    queue.append(text);
    expected += text + text;
  }
  EXPECT_EQ(queue.bytes(), expected.size());
  std::string got;
  while (!queue.empty()) {
    const size_t count = std::min<size_t>(queue.front().size(), 777);
    got += queue.front().substr(0, count);
    queue.pop(count);
  }
  EXPECT_EQ(got, expected);
  EXPECT_EQ(queue.bytes(), 0u);
}

}  // namespace
}  // namespace orrery::realmode
