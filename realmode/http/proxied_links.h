#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/ports/http.h"

namespace orrery::realmode {

/// How the links of an answer that came through a proxy lead through the proxy again.
/// Source of the rules: Kubernetes v1.32 apimachinery/pkg/util/proxy/transport.go.
struct ProxiedLinks {
  std::string prefix;  // ".../proxy": what stands before the other server's paths
  std::string server;  // "10.0.0.7:80"
  std::string host;    // the Host that it was asked for
  /// Rooted paths and URLs of the other server get the prefix; all else stays.
  std::string through(std::string_view url) const;
};

/// An HTML page on its way through a proxy: the URLs in its tags are rewritten, all other bytes stay.
/// Holds at most the tag that it is in the middle of.
class HtmlLinks {
 public:
  explicit HtmlLinks(ProxiedLinks links) : links_(std::move(links)) {}
  void feed(std::string_view bytes, std::string* out);
  void end(std::string* out);

 private:
  enum class State : uint8_t { kText, kRawText, kComment, kDeclaration };
  /// How much of `text` has been dealt with; 0: there must come more.
  size_t step(std::string_view text, std::string* out);
  size_t step_markup(std::string_view text, std::string* out);
  size_t step_raw_text(std::string_view text, std::string* out);
  void begin_tag(std::string_view tag, std::string* out);

  ProxiedLinks links_;
  State state_ = State::kText;
  std::string element_;  // kRawText: whose end is looked for
  std::string pending_;
};

/// The body of an answer with the links in it rewritten, piece by piece.
class LinkedBody {
 public:
  /// nullptr: the body is no HTML, or in an encoding that is not understood, and passes as it is.
  static std::unique_ptr<LinkedBody> of(const HttpHeaders& head, const ProxiedLinks& links);
  virtual ~LinkedBody() = default;
  /// Appends to `out`. False: the body is not what its encoding says.
  virtual bool feed(std::string_view bytes, std::string* out) = 0;
  virtual bool end(std::string* out) = 0;
};

/// The head of an answer, with its Location through the proxy and without what allows scripts of
/// other origins to read it.
void rewrite_head(const ProxiedLinks& links, HttpHeaders* headers);

}  // namespace orrery::realmode
