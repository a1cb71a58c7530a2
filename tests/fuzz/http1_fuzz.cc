// Whatever arrives, in whatever pieces: the parser neither reads past its bounds nor depends on how
// the bytes were cut.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "realmode/http/http1_parser.h"

namespace {

using orrery::realmode::Http1Parser;
using orrery::realmode::HttpLimits;

size_t feed(Http1Parser& parser, std::string_view text, size_t step) {
  size_t used = 0;
  while (used < text.size() && !parser.done() && !parser.failed())
    used += parser.feed(text.substr(used, step));
  return used;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  HttpLimits limits;
  limits.head_bytes = 1024;
  limits.head_fields = 16;
  limits.body_bytes = 2048;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  Http1Parser whole(limits), pieces(limits);
  const size_t used = feed(whole, text, SIZE_MAX);
  const size_t used_in_pieces = feed(pieces, text, 1 + data[0] % 16);
  if (whole.done() != pieces.done() || whole.body_bytes() > limits.body_bytes) std::abort();
  if (!whole.done()) return 0;
  if (used != used_in_pieces || whole.request().headers != pieces.request().headers ||
      whole.request().path != pieces.request().path ||
      whole.request().body != pieces.request().body)
    std::abort();
  return 0;
}
