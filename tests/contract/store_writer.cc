// Writes to a SQLite store until it is killed: store_writer PATH FIRST
//
// Write number i puts two keys in one transaction: "log-i" and "key-(i mod 16)", both with value i.
// Several are in flight; each line of the output is the number of a write that was acknowledged.
// Now and then the past is compacted.
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "realmode/loop/loop.h"
#include "realmode/sqlite/sqlite_store.h"

namespace orrery {
namespace {

constexpr uint64_t kInFlight = 8;
constexpr uint64_t kKeys = 16;
constexpr uint64_t kCompactEvery = 50;
constexpr uint64_t kCompaction = UINT64_MAX;

class Writer : public LaneHandler {
 public:
  Writer(Lanes* lanes, Store* store, uint64_t first)
      : store_(store), next_(first), lane_(lanes->open("writer", this)) {
    for (uint64_t i = 0; i < kInFlight; ++i) write();
  }
  void handle(const Ctx&, const Event& event) override {
    const StoreOutcome outcome = store_->take(event.b);
    if (event.a == kCompaction) return;
    CHECK(outcome.status.is_ok()) << outcome.status.message();
    const std::string line = str_cat(event.a, '\n');
    CHECK(::write(STDOUT_FILENO, line.data(), line.size()) > 0) << "nobody listens";
    if (event.a % kCompactEvery == 0) store_->compact({lane_, kCompaction}, outcome.revision - 1);
    write();
  }

 private:
  void write() {
    const uint64_t i = next_++;
    StoreOp log, key;
    log.range.key = Str(str_cat("log-", i));
    log.value.bytes = Str(str_cat(i));
    key.range.key = Str(str_cat("key-", i % kKeys));
    key.value.bytes = log.value.bytes;
    store_->txn({lane_, i}, {{}, {log, key}, {}});
  }

  Store* store_;
  uint64_t next_;
  LaneId lane_;
};

}  // namespace
}  // namespace orrery

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: store_writer PATH FIRST\n";
    return 2;
  }
  orrery::realmode::Loop loop;
  auto store = orrery::realmode::SqliteStore::open(&loop, {argv[1], {}});
  if (!store.is_ok()) {
    std::cerr << store.status().message() << '\n';
    return 1;
  }
  orrery::Writer writer(&loop, store->get(), std::strtoull(argv[2], nullptr, 10));
  loop.run();
}
