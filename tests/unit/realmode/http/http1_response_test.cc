#include "realmode/http/http1_response.h"

#include <gtest/gtest.h>

namespace orrery::realmode {
namespace {

struct Read {
  Http1Response::State state;
  HttpResponse head;
  std::string body;
  std::string rest;
};

Read read(std::string_view bytes, size_t step, bool end = false, bool head_only = false) {
  Http1Response response(head_only, 1024);
  Read out;
  std::string waiting;
  for (size_t at = 0; at < bytes.size(); at += step) {
    waiting += bytes.substr(at, step);
    for (size_t used = 1; used > 0 && !waiting.empty();) waiting.erase(0, used = response.feed(waiting, &out.body));
  }
  if (end) response.on_end();
  out.state = response.state();
  out.head = response.head();
  out.rest = waiting;
  return out;
}

TEST(Http1Response, BodiesEndInTheirThreeWays) {
  for (size_t step : {1, 3, 1000}) {
    const Read counted = read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-A: b\r\n\r\nabcMORE", step);
    EXPECT_EQ(counted.state, Http1Response::State::kDone);
    EXPECT_EQ(counted.body, "abc");
    EXPECT_EQ(counted.rest, "MORE");
    EXPECT_EQ(find_header(counted.head.headers, "x-a"), "b");
    const Read chunked = read("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nTrailer: x\r\n\r\n", step);
    EXPECT_EQ(chunked.state, Http1Response::State::kDone);
    EXPECT_EQ(chunked.body, "abc");
    EXPECT_EQ(chunked.head.code, 404);
    const Read open = read("HTTP/1.0 200 OK\n\nabc", step, true);
    EXPECT_EQ(open.state, Http1Response::State::kDone);
    EXPECT_EQ(open.body, "abc");
  }
}

TEST(Http1Response, InterimAnswersArePassedOverAndSwitchesAreSeen) {
  const Read late = read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 5);
  EXPECT_EQ(late.state, Http1Response::State::kDone);
  EXPECT_EQ(late.head.code, 204);
  const Read switched = read("HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\n\r\n\x80\x03", 1000);
  EXPECT_EQ(switched.state, Http1Response::State::kSwitched);
  EXPECT_EQ(switched.rest, "\x80\x03");
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 1000, false, true).state, Http1Response::State::kDone);
}

TEST(Http1Response, RefusesWhatCouldBeReadInTwoWaysAndWhatBreaksOff) {
  for (std::string_view bytes : {"HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000\r\n\r\n", "nonsense\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
                                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"})
    EXPECT_EQ(read(bytes, 1000).state, Http1Response::State::kFailed) << bytes;
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nX: " + std::string(2000, 'x'), 1000).state, Http1Response::State::kFailed);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", 1000, true).state, Http1Response::State::kFailed);
}

}  // namespace
}  // namespace orrery::realmode
