#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "engine/api/codec_json.h"
#include "engine/api/decode_path.h"
#include "engine/api/json_source.h"

namespace orrery::api {

/// What a decoder of nodes (json_source.h) has found wrong, in the words that its options ask for.
template <typename Node>
class NodeErrors {
 protected:
  using Step = DecodePath::Step;

  explicit NodeErrors(const DecodeOptions& options) : options_(options) {}

  /// A strict error at this place: "unknown" or "duplicate". What reads itself does so without.
  void strict_error(std::string_view what) {
    if (!options_.strict || !path_.all_named() || strict_errors_.size() >= kStrictErrorsMax) return;
    std::string text = str_cat(what, " field \"", path_.text(), "\"");
    if (std::find(strict_errors_.begin(), strict_errors_.end(), text) == strict_errors_.end()) strict_errors_.push_back(std::move(text));
  }
  bool fail(const Node& node, std::string_view what) {
    std::string message = path_.at_root() ? "object" : path_.text();
    if (node.line() > 0) message = str_cat("line ", node.line(), ": ", message);
    error_ = bad_request(message + ": " + std::string(what));
    return false;
  }
  // A text or number whose form is wrong: `what` in our words, `go_words` in Go's.
  bool fail_value(const Node& node, std::string_view what, std::string_view go_words) {
    if (options_.wording == DecodeWording::kPath) return fail(node, what);
    error_ = bad_request(std::string(go_words));
    return false;
  }
  bool mismatch(const Node& node, std::string_view allowed, GoTarget target, std::string_view go_type, bool number_text = false) {
    if (options_.wording == DecodeWording::kPath)
      return fail(node, str_cat("found ", type_name(node.type()), ", must be ", allowed));
    GoMismatch wrong{target, go_found(node, number_text), go_type.starts_with('*') ? go_type.substr(1) : go_type, {}, {}};
    path_.name_place(wrong);
    error_ = bad_request(options_.wording == DecodeWording::kGoJson ? go_json_mismatch(wrong) : go_converter_mismatch(wrong));
    return false;
  }

  const DecodeOptions& options_;
  DecodePath path_;
  std::vector<std::string> strict_errors_;
  Status error_;

 private:
  // Source: Kubernetes' JSON decoder keeps so many strict errors, each once.
  static constexpr size_t kStrictErrorsMax = 100;

  // In Go's words; of a number its text too, if the number is the trouble.
  static std::string go_found(const Node& node, bool number_text) {
    switch (node.type()) {
      case NodeType::kNull: return "null";
      case NodeType::kBool: return "bool";
      case NodeType::kString: return "string";
      case NodeType::kArray: return "array";
      case NodeType::kObject: return "object";
      default: return number_text ? "number " + node.raw() : "number";
    }
  }
};

}  // namespace orrery::api
