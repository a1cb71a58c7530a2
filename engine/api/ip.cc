#include "engine/api/ip.h"

#include <algorithm>
#include <cstdio>

#include "engine/base/str.h"

namespace orrery::api {
namespace {

// Decimal or hexadecimal digits up to `max`; false if there are none, or others.
bool parse_number(std::string_view text, int base, uint32_t max, uint32_t* out) {
  if (text.empty()) return false;
  uint32_t value = 0;
  for (const char c : text) {
    uint32_t digit = 99;
    if (c >= '0' && c <= '9') digit = static_cast<uint32_t>(c - '0');
    if (base == 16 && c >= 'a' && c <= 'f') digit = static_cast<uint32_t>(c - 'a') + 10;
    if (base == 16 && c >= 'A' && c <= 'F') digit = static_cast<uint32_t>(c - 'A') + 10;
    if (digit >= static_cast<uint32_t>(base)) return false;
    value = value * static_cast<uint32_t>(base) + digit;
    if (value > max) return false;
  }
  *out = value;
  return true;
}

bool parse_v4(std::string_view text, uint8_t* out) {
  for (int i = 0; i < 4; ++i) {
    const size_t dot = text.find('.');
    if ((dot == std::string_view::npos) != (i == 3)) return false;
    uint32_t value = 0;
    if (!parse_number(text.substr(0, dot), 10, 255, &value)) return false;
    out[i] = static_cast<uint8_t>(value);
    if (i < 3) text.remove_prefix(dot + 1);
  }
  return true;
}

// Groups of 16 bits between colons, the last 32 of them maybe as IPv4; false if there are too many.
bool parse_groups(std::string_view text, std::array<uint8_t, 16>& out, size_t* count) {
  *count = 0;
  if (text.empty()) return true;
  for (;;) {
    const size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    if (colon == std::string_view::npos && group.find('.') != group.npos) {
      if (*count + 4 > 16 || !parse_v4(group, out.data() + *count)) return false;
      *count += 4;
      return true;
    }
    uint32_t value = 0;
    if (group.size() > 4 || *count + 2 > 16 || !parse_number(group, 16, 0xffff, &value)) return false;
    out[(*count)++] = static_cast<uint8_t>(value >> 8);
    out[(*count)++] = static_cast<uint8_t>(value & 0xff);
    if (colon == std::string_view::npos) return true;
    text.remove_prefix(colon + 1);
  }
}

bool parse_v6(std::string_view text, std::array<uint8_t, 16>& out) {
  const size_t gap = text.find("::");
  size_t count = 0;
  if (gap == std::string_view::npos) return parse_groups(text, out, &count) && count == 16;
  std::array<uint8_t, 16> tail{};
  size_t tail_count = 0;
  if (!parse_groups(text.substr(0, gap), out, &count) || !parse_groups(text.substr(gap + 2), tail, &tail_count)) return false;
  if (count + tail_count > 14) return false;
  std::fill(out.begin() + static_cast<ptrdiff_t>(count), out.end(), uint8_t{0});
  std::copy_n(tail.begin(), tail_count, out.end() - static_cast<ptrdiff_t>(tail_count));
  return true;
}

constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

bool IpAddress::is_unspecified() const {
  const size_t first = is_v4 ? 12 : 0;
  return std::all_of(bytes.begin() + static_cast<ptrdiff_t>(first), bytes.end(), [](uint8_t b) { return b == 0; });
}

bool IpAddress::is_loopback() const {
  if (is_v4) return bytes[12] == 127;
  return bytes[15] == 1 && std::all_of(bytes.begin(), bytes.end() - 1, [](uint8_t b) { return b == 0; });
}

bool IpAddress::is_link_local_unicast() const {
  return is_v4 ? bytes[12] == 169 && bytes[13] == 254 : bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

bool IpAddress::is_link_local_multicast() const {
  return is_v4 ? bytes[12] == 224 && bytes[13] == 0 && bytes[14] == 0 : bytes[0] == 0xff && (bytes[1] & 0x0f) == 0x02;
}

bool IpAddress::is_multicast() const { return is_v4 ? (bytes[12] & 0xf0) == 0xe0 : bytes[0] == 0xff; }

bool IpAddress::is_global_unicast() const {
  const bool broadcast = is_v4 && std::all_of(bytes.begin() + 12, bytes.end(), [](uint8_t b) { return b == 0xff; });
  return !broadcast && !is_unspecified() && !is_loopback() && !is_multicast() && !is_link_local_unicast();
}

std::string IpAddress::to_string() const {
  if (is_v4) return str_cat(int{bytes[12]}, ".", int{bytes[13]}, ".", int{bytes[14]}, ".", int{bytes[15]});
  std::array<unsigned, 8> groups{};
  for (size_t i = 0; i < 8; ++i) groups[i] = static_cast<unsigned>(bytes[2 * i]) << 8 | bytes[2 * i + 1];
  // The first longest run of zeros, if there are two at least, is left out.
  size_t gap = 8, gap_size = 1;
  for (size_t i = 0; i < 8; ++i) {
    size_t end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > gap_size) gap = i, gap_size = end - i;
  }
  std::string out;
  for (size_t i = 0; i < 8; ++i) {
    if (i == gap) {
      out += "::";
      i += gap_size - 1;
      continue;
    }
    std::array<char, 5> text{};
    std::snprintf(text.data(), text.size(), "%x", groups[i]);
    if (!out.empty() && !out.ends_with(':')) out += ':';
    out += text.data();
  }
  return out;
}

IpNetwork IpNetwork::masked() const {
  IpNetwork out = *this;
  int bits = address.is_v4 ? prefix + 96 : prefix;
  for (uint8_t& byte : out.address.bytes) {
    const auto mask = static_cast<uint8_t>(bits >= 8 ? 0xff : bits <= 0 ? 0 : 0xff << (8 - bits));
    byte &= mask;
    bits -= 8;
  }
  return out;
}

bool IpNetwork::contains(const IpAddress& ip) const {
  if (ip.is_v4 != address.is_v4) return false;
  int bits = address.is_v4 ? prefix + 96 : prefix;
  for (size_t i = 0; i < 16 && bits > 0; ++i, bits -= 8) {
    const auto mask = static_cast<uint8_t>(bits >= 8 ? 0xff : 0xff << (8 - bits));
    if ((ip.bytes[i] & mask) != (address.bytes[i] & mask)) return false;
  }
  return true;
}

std::optional<IpAddress> parse_ip(std::string_view text) {
  IpAddress ip;
  if (text.find(':') == text.npos) {
    std::copy(kMapped.begin(), kMapped.end(), ip.bytes.begin());
    ip.is_v4 = true;
    if (!parse_v4(text, ip.bytes.data() + 12)) return std::nullopt;
    return ip;
  }
  if (!parse_v6(text, ip.bytes)) return std::nullopt;
  ip.is_v4 = std::equal(kMapped.begin(), kMapped.end(), ip.bytes.begin());
  return ip;
}

std::optional<IpNetwork> parse_cidr(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto ip = parse_ip(text.substr(0, slash));
  uint32_t prefix = 0;
  if (!ip || !parse_number(text.substr(slash + 1), 10, ip->is_v4 ? 32 : 128, &prefix)) return std::nullopt;
  return IpNetwork{*ip, static_cast<int>(prefix)};
}

}  // namespace orrery::api
