#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/api/codec_json.h"
#include "engine/api/json_value.h"

namespace orrery::api {

/// Whether a float holds the number, be it as zero.
bool fits_float(std::string_view text);

/// The numbers of a JSON text that are no plain integers, as they stand there: Go's encoding/json
/// takes no "1.0" or "1e3" for an integer, shows what it refuses, and leaves quantities as written.
class NumberTexts {
 public:
  /// As Json::parse; floats of the tree are told apart by a number in place of their line (trees of
  /// JSON have no lines), which copies keep. What no float holds is zero, unless it is asked for.
  Result<Json> parse(std::string_view json, std::vector<std::string>* duplicates);
  bool empty() const { return texts_.empty(); }
  /// Of a number of the tree; "" if it came from elsewhere.
  std::string_view of(const Json& value) const;
  /// The first number in a part of the tree that no float holds; "" if there is none.
  std::string_view beyond_floats(const Json& value) const;

  /// The text that has been parsed, with each such number replaced by one that tells its index, for
  /// readers of text; and what they find there: the number, or a piece of text.
  const std::string& numbered() const { return numbered_; }
  std::string_view of_index(double number) const { return texts_[static_cast<size_t>(number)]; }
  std::string restored(std::string_view numbered_json) const;

  /// Json::dump with the numbers as they were written.
  std::string dump(const Json& value) const;

 private:
  void restore(Json& value) const;
  void dump_to(const Json& value, std::string& out) const;

  std::vector<std::string> texts_;
  std::string numbered_;
};

/// As those of codec_json.h, of a tree with such numbers, or of numbers.numbered().
Status from_json(const Json& json, const TypeDesc& type, void* object, const DecodeOptions& options, const NumberTexts& numbers);
Status decode_numbered_json_into(const NumberTexts& numbers, const TypeDesc& type, void* object, const DecodeOptions& options);

}  // namespace orrery::api
