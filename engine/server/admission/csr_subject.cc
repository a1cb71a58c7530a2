#include "engine/server/admission/csr_subject.h"

#include <optional>

#include "engine/api/base64.h"

namespace orrery::server {
namespace {

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE REQUEST-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE REQUEST-----";
constexpr unsigned char kSequence = 0x30, kSet = 0x31, kInteger = 0x02, kOid = 0x06,
                        kBmpString = 0x1e;
constexpr std::string_view kOrganizationOid = "\x55\x04\x0a";  // 2.5.4.10

/// Reads the elements of a DER text one after the other.
class DerReader {
 public:
  explicit DerReader(std::string_view text) : text_(text) {}
  bool at_end() const { return text_.empty(); }

  /// Tag and contents of the next element; nullopt if there is none.
  struct Element {
    unsigned char tag;
    std::string_view contents;
  };
  std::optional<Element> next() {
    if (text_.size() < 2) return std::nullopt;
    const auto tag = static_cast<unsigned char>(text_[0]);
    size_t length = static_cast<unsigned char>(text_[1]), header = 2;
    if (length >= 0x80) {
      const size_t bytes = length & 0x7f;
      if (bytes == 0 || bytes > 4 || text_.size() < 2 + bytes) return std::nullopt;
      length = 0;
      for (size_t i = 0; i < bytes; ++i)
        length = length << 8 | static_cast<unsigned char>(text_[2 + i]);
      header += bytes;
    }
    if (text_.size() - header < length) return std::nullopt;
    const Element element{tag, text_.substr(header, length)};
    text_.remove_prefix(header + length);
    return element;
  }
  /// The contents of the next element if it has this tag.
  std::optional<std::string_view> next(unsigned char tag) {
    const auto element = next();
    if (!element || element->tag != tag) return std::nullopt;
    return element->contents;
  }

 private:
  std::string_view text_;
};

std::optional<std::string> der_of(std::string_view pem) {
  const size_t begin = pem.find(kBegin);
  const size_t end = pem.find(kEnd);
  if (begin == pem.npos || end == pem.npos || end < begin + kBegin.size()) return std::nullopt;
  std::string text;
  for (const char c : pem.substr(begin + kBegin.size(), end - begin - kBegin.size()))
    if (c != '\n' && c != '\r' && c != ' ' && c != '\t') text += c;
  std::string der;
  if (!api::base64_decode(text, &der)) return std::nullopt;
  return der;
}

// The text of a value. UTF-16 (BMPString) must not hide a name.
std::string text_of(const DerReader::Element& value) {
  if (value.tag != kBmpString) return std::string(value.contents);
  std::string text;
  for (size_t i = 0; i + 1 < value.contents.size(); i += 2)
    text += value.contents[i] == 0 ? value.contents[i + 1] : '?';
  return text;
}

// Name ::= SEQUENCE OF SET OF SEQUENCE { type OBJECT IDENTIFIER, value }.
bool read_name(std::string_view name, std::vector<std::string>& organizations) {
  for (DerReader sets(name); !sets.at_end();) {
    const auto set = sets.next(kSet);
    if (!set) return false;
    for (DerReader pairs(*set); !pairs.at_end();) {
      const auto pair = pairs.next(kSequence);
      if (!pair) return false;
      DerReader parts(*pair);
      const auto type = parts.next(kOid);
      const auto value = parts.next();
      if (!type || !value) return false;
      if (*type == kOrganizationOid) organizations.push_back(text_of(*value));
    }
  }
  return true;
}

}  // namespace

Result<std::vector<std::string>> csr_organizations(std::string_view pem) {
  const auto der = der_of(pem);
  if (!der) return bad_request("PEM block type must be CERTIFICATE REQUEST");
  const Status broken = bad_request("malformed certificate request");
  // CertificationRequest ::= SEQUENCE { info SEQUENCE { version INTEGER, subject Name, ... }, ...
  // }.
  const auto request = DerReader(*der).next(kSequence);
  if (!request) return broken;
  const auto info = DerReader(*request).next(kSequence);
  if (!info) return broken;
  DerReader fields(*info);
  if (!fields.next(kInteger)) return broken;
  const auto subject = fields.next(kSequence);
  std::vector<std::string> organizations;
  if (!subject || !read_name(*subject, organizations)) return broken;
  return organizations;
}

}  // namespace orrery::server
