#include "engine/base/cow.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "engine/base/str_pool.h"

namespace orrery {
namespace {

struct Part {
  int number = 0;
  Str text;
};

TEST(Ref, CopiesShareUntilOneIsWritten) {
  Ref<Part> a = Ref<Part>::make({1, "x"}), b = a;
  EXPECT_TRUE(a.same(b));
  b.mut().number = 2;
  EXPECT_FALSE(a.same(b));
  EXPECT_EQ(a->number, 1);
  EXPECT_EQ(b->number, 2);
  EXPECT_TRUE(a->text.same(b->text)) << "what hangs below stays shared";
}

TEST(Ref, AbsentReadsAsZeroAndIsMadeByWriting) {
  Ref<Part> absent;
  EXPECT_FALSE(absent);
  EXPECT_EQ(absent->number, 0);
  absent.mut().number = 3;
  EXPECT_EQ(absent->number, 3);
}

TEST(List, NilAndEmptyDifferAndCopiesAreIndependent) {
  List<Str> nil, empty;
  empty.clear();
  EXPECT_TRUE(nil.is_nil());
  EXPECT_FALSE(empty.is_nil());
  EXPECT_TRUE(nil == empty) << "equal in content";
  List<Str> a = {"1", "2", "3"}, b = a;
  b.erase(1);
  b.insert(0, "0");
  EXPECT_EQ(a, (List<Str>{"1", "2", "3"}));
  EXPECT_EQ(b, (List<Str>{"0", "1", "3"}));
  EXPECT_EQ(b.erase_if([](const Str& s) { return s == "1"; }), 1u);
  EXPECT_EQ(b.size(), 2u);
}

TEST(Map, IsSortedByBytesAndFindsWhatWasSet) {
  Map<int> map = {{"b", 2}, {"a", 1}, {"B", 3}, {"", 0}};
  std::vector<std::string> keys;
  for (const auto& entry : map) keys.push_back(entry.key.str());
  EXPECT_EQ(keys, (std::vector<std::string>{"", "B", "a", "b"}));
  EXPECT_EQ(map.get("a"), 1);
  EXPECT_EQ(map.find("c"), nullptr);
  Map<int> copy = map;
  EXPECT_TRUE(copy.erase("a"));
  EXPECT_FALSE(copy.erase("a"));
  EXPECT_TRUE(map.contains("a"));
}

TEST(Str, EqualTextsAreEqualHoweverTheyWereMade) {
  const Str a("text"), b(std::string("te") + "xt"), c = a;
  EXPECT_EQ(a, b);
  EXPECT_EQ(a.hash(), b.hash());
  EXPECT_FALSE(a.same(b));
  EXPECT_TRUE(a.same(c));
  EXPECT_TRUE(Str().empty());
  EXPECT_EQ(Str(std::string_view("a\0b", 3)).size(), 3u);
}

TEST(StrPool, GivesEveryTextOneMemory) {
  StrPool pool;
  EXPECT_TRUE(pool.intern("a").same(pool.intern(std::string("a"))));
  EXPECT_EQ(pool.size(), 1u);
}

// Worlds in several threads share the objects of a scenario.
TEST(Ref, CopiesInSeveralThreadsCountRight) {
  const Ref<Part> shared = Ref<Part>::make({7, "seven"});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&shared] {
      for (int i = 0; i < 10'000; ++i) {
        Ref<Part> copy = shared;
        if (i % 100 == 0) copy.mut().number = i;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(shared->number, 7);
}

}  // namespace
}  // namespace orrery
