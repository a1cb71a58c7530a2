#include "engine/server/rest/event_texts.h"

namespace orrery::server {

bool EventTexts::Text::fits(const Encoding& encoding, const WatchEvent& event) const {
  return object.same(event.object) && type == event.type && kind == encoding.kind &&
         format == encoding.representation.format && transform == encoding.representation.transform &&
         transform_version == encoding.representation.transform_version;
}

std::string_view EventTexts::of(const Encoding& encoding, const WatchEvent& event, bool first_table) {
  const bool changes = event.type == WatchEventType::kAdded || event.type == WatchEventType::kModified ||
                       event.type == WatchEventType::kDeleted;
  // Tables show ages, and their first row is preceded by columns.
  if (!changes || encoding.representation.transform == Transform::kTable) {
    apart_ = encode_watch_event(encoding, event, first_table);
    return apart_;
  }
  for (size_t i = 0; i < kKept; ++i) {
    const Text& known = texts_[(newest_ + kKept - i) % kKept];
    if (known.fits(encoding, event)) return known.text;
  }
  newest_ = (newest_ + 1) % kKept;
  Text& text = texts_[newest_];
  text = {event.object, event.type, encoding.kind, encoding.representation.format, encoding.representation.transform,
          encoding.representation.transform_version, encode_watch_event(encoding, event, first_table)};
  return text.text;
}

}  // namespace orrery::server
