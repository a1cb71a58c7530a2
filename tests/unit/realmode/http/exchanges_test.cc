#include "realmode/http/exchanges.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "realmode/loop/loop.h"

namespace orrery::realmode {
namespace {

class ExchangesTest : public testing::Test, public LaneHandler, public Exchanges::Waker {
 protected:
  ExchangesTest() { exchanges_.subscribe(loop_.open("test", this)); }
  void handle(const Ctx&, const Event&) override {}
  void wake() override { ++woken_; }

  uint64_t stream() {
    const uint64_t id = exchanges_.announce(HttpRequest());
    exchanges_.take(id);
    exchanges_.begin_stream(id, HttpResponse());
    return id;
  }
  std::vector<HttpCommand> pieces(size_t count) {
    std::vector<HttpCommand> all;
    exchanges_.collect(all, count);
    std::erase_if(all, [](const HttpCommand& c) { return c.kind != HttpCommand::Kind::kPiece; });
    return all;
  }
  static std::string joined(const HttpCommand& piece) {
    std::string text;
    for (const auto& one : piece.texts) text += *one;
    return text;
  }

  HttpLimits limits_;
  Loop loop_;
  Exchanges exchanges_{limits_, &loop_, this};
  int woken_ = 0;
};

TEST_F(ExchangesTest, WritesOfAStreamAreFetchedAsOnePieceInTheirOrder) {
  const uint64_t one = stream();
  for (const char* text : {"first ", "second ", "first "}) EXPECT_TRUE(exchanges_.write(one, text));
  const std::vector<HttpCommand> fetched = pieces(10);
  ASSERT_EQ(fetched.size(), 1u);
  EXPECT_EQ(joined(fetched[0]), "first second first ");
}

TEST_F(ExchangesTest, WhatManyStreamsAreWrittenIsKeptOnce) {
  const uint64_t one = stream(), other = stream();
  for (const uint64_t id : {one, other}) {
    EXPECT_TRUE(exchanges_.write(id, "one event"));
    EXPECT_TRUE(exchanges_.write(id, "another event"));
  }
  const std::vector<HttpCommand> fetched = pieces(10);
  ASSERT_EQ(fetched.size(), 2u);
  EXPECT_EQ(joined(fetched[1]), "one eventanother event");
  EXPECT_EQ(fetched[0].texts, fetched[1].texts);
}

TEST_F(ExchangesTest, StreamsBeyondTheAllowanceKeepWhatIsWrittenMeanwhile) {
  const uint64_t one = stream(), other = stream();
  exchanges_.write(one, "a");
  exchanges_.write(other, "b");
  ASSERT_EQ(pieces(1).size(), 1u);
  EXPECT_TRUE(exchanges_.pieces_wait());
  exchanges_.write(other, "c");
  const std::vector<HttpCommand> fetched = pieces(10);
  ASSERT_EQ(fetched.size(), 1u);
  EXPECT_EQ(fetched[0].exchange, other);
  EXPECT_EQ(joined(fetched[0]), "bc");
}

TEST_F(ExchangesTest, AStreamThatIsNotReadIsCutAtItsBound) {
  limits_.stream_queue_bytes = 10;
  const uint64_t id = stream();
  EXPECT_TRUE(exchanges_.write(id, "eleven bytes"));
  EXPECT_EQ(pieces(10).size(), 1u);
  EXPECT_FALSE(exchanges_.write(id, "more"));
  std::vector<HttpCommand> commands;
  exchanges_.collect(commands, 10);
  ASSERT_EQ(commands.size(), 1u);
  EXPECT_EQ(commands[0].kind, HttpCommand::Kind::kCut);
}

TEST_F(ExchangesTest, TheEndOfAStreamTakesAlongWhatWaits) {
  const uint64_t id = stream();
  pieces(10);
  exchanges_.write(id, "last words");
  exchanges_.end_stream(id);
  std::vector<HttpCommand> commands;
  exchanges_.collect(commands, 10);
  ASSERT_EQ(commands.size(), 1u);
  EXPECT_EQ(commands[0].kind, HttpCommand::Kind::kEnd);
  EXPECT_EQ(joined(commands[0]), "last words");
  EXPECT_EQ(exchanges_.open(), 0u);
}

}  // namespace
}  // namespace orrery::realmode
