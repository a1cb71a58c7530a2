#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace orrery::api {

/// The inner loop of everything that writes JSON texts.

/// True if a JSON string holds `c` as it is: no control, quote, backslash, <, >, & or non-ASCII.
constexpr bool is_plain_json(unsigned char c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

/// The same for eight characters at once.
constexpr bool all_plain_json(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101, kHigh = kOnes << 7;
  // Zero bytes of x show in the high bits (exact for x without high bits, which are refused anyway).
  constexpr auto zeros = [](uint64_t x) { return (x - kOnes) & ~x; };
  const uint64_t quote_or_amp = (word | kOnes * 4) ^ (kOnes * '&');  // '"' | 4 == '&'
  const uint64_t angle = (word | kOnes * 2) ^ (kOnes * '>');         // '<' | 2 == '>'
  const uint64_t backslash = word ^ (kOnes * '\\');
  const uint64_t control = word - kOnes * 0x20;
  return ((word | control | zeros(quote_or_amp) | zeros(angle) | zeros(backslash)) & kHigh) == 0;
}

/// How many characters at the beginning of `text` are plain.
inline size_t plain_prefix(std::string_view text) {
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    if (!all_plain_json(word)) break;
  }
  while (i < text.size() && is_plain_json(static_cast<unsigned char>(text[i]))) ++i;
  return i;
}

/// Appends `text` with Go's escapes, without quotes.
void append_json_escaped(std::string& out, std::string_view text);

}  // namespace orrery::api
