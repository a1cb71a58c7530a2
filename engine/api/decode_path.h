#pragma once

#include <string>
#include <string_view>

#include "engine/api/go_decode_text.h"
#include "engine/api/schema.h"

namespace orrery::api {

/// Where in a document a decoder is, for the errors that it reports. The steps lie on the stack.
class DecodePath {
 public:
  /// One step into the document, for as long as it lives.
  class Step {
   public:
    /// `owner`: the struct that has the field `name`; nullptr: a key of a map, an item of a list.
    Step(DecodePath& path, const TypeDesc* owner, std::string_view name, size_t index = 0)
        : path_(path), outer_(path.at_), owner_(owner), name_(name), index_(index) {
      path.at_ = this;
      ++path.depth_;
    }
    ~Step() {
      path_.at_ = outer_;
      --path_.depth_;
    }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    friend class DecodePath;
    void append_to(std::string& text) const;
    void append_fields_to(std::string& text) const;
    std::string_view struct_name() const;

    DecodePath& path_;
    const Step* outer_;
    const TypeDesc* owner_;
    std::string_view name_;  // data() is null: an item of a list
    size_t index_;
  };

  /// For as long as it lives nothing below this place is named in Go's words: upstream's type reads
  /// itself, and its reader knows only the text that it was given.
  class Unnamed {
   public:
    explicit Unnamed(DecodePath& path) : path_(path), outer_(path.named_) {
      if (!outer_) path.named_ = path.at_;
    }
    ~Unnamed() { path_.named_ = outer_; }
    Unnamed(const Unnamed&) = delete;
    Unnamed& operator=(const Unnamed&) = delete;

   private:
    DecodePath& path_;
    const Step* outer_;
  };

  /// Whether all steps to this place are named.
  bool all_named() const { return named_ == nullptr; }
  bool at_root() const { return at_ == nullptr; }
  size_t depth() const { return depth_; }
  /// "spec.containers[0].name"; "" at the root.
  std::string text() const;
  /// The innermost struct and the fields on the way, as Go's encoding/json names them.
  void name_place(GoMismatch& mismatch) const;

 private:
  const Step* at_ = nullptr;
  const Step* named_ = nullptr;  // the last step that is named; nullptr: all are
  size_t depth_ = 0;
};

}  // namespace orrery::api
