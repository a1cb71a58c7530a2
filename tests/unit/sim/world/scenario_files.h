#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "engine/api/gen/batchv1.h"
#include "sim/world/world.h"

namespace orrery::sim {

/// A file of its own with that text; its path.
inline std::string temporary(const std::string& text) {
  static int count = 0;
  const auto name = "orrery-scenario-" + std::to_string(getpid()) + "-" + std::to_string(count++);
  const std::string path = (std::filesystem::temp_directory_path() / (name + ".yaml")).string();
  std::ofstream(path) << text;
  return path;
}

inline std::shared_ptr<const Scenario> scenario_of(const std::string& path,
                                                   const std::vector<Override>& overrides = {}) {
  auto loaded = load_scenario(path, overrides);
  EXPECT_TRUE(loaded.is_ok()) << loaded.status().message();
  return std::make_shared<const Scenario>(std::move(*loaded));
}

/// An object as the API server has it, or nullptr.
template <typename T>
const server::WatchCache::Entry* find_stored(const World& world, const std::string& ns,
                                             const std::string& name) {
  const api::KindDesc& kind = *T::descriptor().kind;
  return world.server().cache(kind).find(server::Server::store_key(kind, ns, name));
}

}  // namespace orrery::sim
