#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "engine/base/check.h"
#include "realmode/loop/loop.h"
#include "tests/contract/store_contract.h"

namespace orrery::contract {

/// A new empty folder, removed with all that is in it at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "orrery-store-XXXXXX";
    CHECK(mkdtemp(pattern.data())) << pattern;
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A loop whose worker is the test's own thread, so that tests read `events` without locks.
class RealTimeFixture : public StoreFixture, public LaneHandler {
 public:
  LaneId lane() override { return lane_; }
  void run_until(const std::function<bool()>& done) override {
    const Time limit = loop_.now() + kPatience;
    while (!done() && loop_.step(limit)) {
    }
  }
  void settle() override {
    while (loop_.step(loop_.now() + Duration::millis(50))) {
    }
  }
  void pass(Duration time) override {
    const Time limit = loop_.now() + time;
    while (loop_.step(limit)) {
    }
  }
  Duration lease_ttl() const override { return Duration::seconds(5); }
  Duration lease_slack() const override { return Duration::seconds(2); }
  void handle(const Ctx&, const Event& event) override { events.push_back(event); }

 protected:
  static constexpr Duration kPatience = Duration::seconds(30);
  realmode::Loop loop_;
  LaneId lane_ = loop_.open("client", this);
};

}  // namespace orrery::contract
