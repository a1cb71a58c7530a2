#include "engine/api/cel/programs.h"

namespace orrery::api::cel {

std::shared_ptr<const Programs::Parsed> Programs::of(std::string_view source) {
  std::string text(source);
  if (const auto known = recent_.find(text); known != recent_.end()) return known->second;
  std::shared_ptr<const Parsed> program;
  if (const auto known = older_.find(text); known != older_.end()) {
    program = known->second;
  } else {
    program = std::make_shared<const Parsed>(parse(source));
    ++parsed_;
  }
  if (recent_.size() >= kKept) older_ = std::exchange(recent_, {});
  recent_.emplace(std::move(text), program);
  return program;
}

}  // namespace orrery::api::cel
