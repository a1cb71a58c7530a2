#pragma once

#include <array>
#include <string>
#include <string_view>

#include "engine/server/rest/encode.h"

namespace orrery::server {

/// The texts of the newest events of watches: an event is written once for all streams that are told
/// of it in one form.
class EventTexts {
 public:
  /// As encode_watch_event. Valid until the next call.
  std::string_view of(const Encoding& encoding, const WatchEvent& event, bool first_table);

 private:
  static constexpr size_t kKept = 64;  // streams fall behind each other by so many events at most
  struct Text {
    api::Object object;
    WatchEventType type = WatchEventType::kAdded;
    const api::KindDesc* kind = nullptr;
    Format format = Format::kJson;
    Transform transform = Transform::kNone;
    std::string transform_version;
    std::string text;
    bool fits(const Encoding& encoding, const WatchEvent& event) const;
  };
  std::array<Text, kKept> texts_;
  size_t newest_ = 0;
  std::string apart_;
};

}  // namespace orrery::server
