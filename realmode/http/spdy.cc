#include "realmode/http/spdy.h"

#include <zlib.h>

#include "engine/base/check.h"

namespace orrery::realmode {
namespace {

enum Type : uint16_t { kOpen = 1, kReset = 3, kPing = 6 };
constexpr uint8_t kFin = 1;
constexpr uint32_t kStreamMask = 0x7fffffff;
constexpr size_t kHead = 8;

constexpr std::string_view kWords[] = {
    "options", "head", "post", "put", "delete", "trace", "accept", "accept-charset",
    "accept-encoding", "accept-language", "accept-ranges", "age", "allow", "authorization",
    "cache-control", "connection", "content-base", "content-encoding", "content-language",
    "content-length", "content-location", "content-md5", "content-range", "content-type", "date",
    "etag", "expect", "expires", "from", "host", "if-match", "if-modified-since", "if-none-match",
    "if-range", "if-unmodified-since", "last-modified", "location", "max-forwards", "pragma",
    "proxy-authenticate", "proxy-authorization", "range", "referer", "retry-after", "server", "te",
    "trailer", "transfer-encoding", "upgrade", "user-agent", "vary", "via", "warning",
    "www-authenticate", "method", "get", "status", "200 OK", "version", "HTTP/1.1", "url", "public",
    "set-cookie", "keep-alive", "origin"};
constexpr std::string_view kTail =
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 "
    "Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 "
    "Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service "
    "UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, "
    "Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/"
    "xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset="
    "utf-8charset=iso-8859-1,utf-,*,enq=0.";

void append_u32(std::string& out, uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xff);
}

uint32_t read_u32(std::string_view bytes, size_t at) {
  uint32_t number = 0;
  for (size_t i = at; i < at + 4; ++i) number = number << 8 | static_cast<uint8_t>(bytes[i]);
  return number;
}

std::string control_frame(Type type, uint8_t flags, std::string_view payload) {
  std::string out("\x80\x03\0", 3);
  out += static_cast<char>(type);
  append_u32(out, uint32_t{flags} << 24 | static_cast<uint32_t>(payload.size()));
  out += payload;
  return out;
}

}  // namespace

std::string spdy_dictionary() {
  std::string out;
  for (const std::string_view word : kWords) {
    append_u32(out, static_cast<uint32_t>(word.size()));
    out += word;
  }
  out += kTail;
  return out;
}

SpdyClient::SpdyClient() : deflate_(std::make_unique<z_stream>()) {
  *deflate_ = {};
  CHECK(deflateInit(deflate_.get(), Z_DEFAULT_COMPRESSION) == Z_OK) << "out of memory";
  const std::string dictionary = spdy_dictionary();
  deflateSetDictionary(deflate_.get(), reinterpret_cast<const Bytef*>(dictionary.data()),
                       static_cast<uInt>(dictionary.size()));
}

SpdyClient::~SpdyClient() { deflateEnd(deflate_.get()); }

std::string SpdyClient::deflate_fields(const Fields& fields) {
  std::string plain;
  append_u32(plain, static_cast<uint32_t>(fields.size()));
  for (const auto& [name, value] : fields) {
    append_u32(plain, static_cast<uint32_t>(name.size()));
    plain += name;
    append_u32(plain, static_cast<uint32_t>(value.size()));
    plain += value;
  }
  std::string out(deflateBound(deflate_.get(), plain.size()) + 64, '\0');
  deflate_->next_in = reinterpret_cast<Bytef*>(plain.data());
  deflate_->avail_in = static_cast<uInt>(plain.size());
  deflate_->next_out = reinterpret_cast<Bytef*>(out.data());
  deflate_->avail_out = static_cast<uInt>(out.size());
  CHECK(deflate(deflate_.get(), Z_SYNC_FLUSH) == Z_OK) << "deflate";
  out.resize(out.size() - deflate_->avail_out);
  return out;
}

std::string SpdyClient::open(const Fields& fields) {
  std::string payload;
  append_u32(payload, next_stream_);
  append_u32(payload, 0);  // associated with no other stream
  payload.append(2, '\0');  // priority, credential slot
  payload += deflate_fields(fields);
  next_stream_ += 2;
  return control_frame(kOpen, 0, payload);
}

std::string SpdyClient::data(uint32_t stream, std::string_view bytes, bool last) {
  std::string out;
  append_u32(out, stream & kStreamMask);
  append_u32(out, uint32_t{last ? kFin : uint8_t{0}} << 24 | static_cast<uint32_t>(bytes.size()));
  out += bytes;
  return out;
}

bool SpdyClient::feed(std::string_view bytes, std::vector<Event>& out, std::string& reply) {
  buffer_ += bytes;
  size_t used = 0;
  while (buffer_.size() - used >= kHead) {
    const std::string_view frame = std::string_view(buffer_).substr(used);
    const uint32_t first = read_u32(frame, 0), second = read_u32(frame, 4);
    const size_t size = second & 0xffffff;
    const auto flags = static_cast<uint8_t>(second >> 24);
    if (size > kFrameMax) return false;
    if (frame.size() - kHead < size) break;
    const std::string_view payload = frame.substr(kHead, size);
    if (first >> 31 == 0) {
      out.push_back({first, std::string(payload), (flags & kFin) != 0});
    } else {
      on_control(static_cast<uint16_t>(first & 0xffff), flags, payload, out, reply);
    }
    used += kHead + size;
  }
  buffer_.erase(0, used);
  return true;
}

// Heads of answers say nothing that is needed, so they are not inflated.
void SpdyClient::on_control(uint16_t type, uint8_t flags, std::string_view payload,
                            std::vector<Event>& out, std::string& reply) {
  if (payload.size() < 4) return;
  const uint32_t id = read_u32(payload, 0);
  if (type == kPing && id % 2 == 0) reply += control_frame(kPing, 0, payload.substr(0, 4));
  const bool ends = type == kReset || (type == kOpen + 1 && (flags & kFin) != 0);
  if (ends) out.push_back({id & kStreamMask, "", true});
}

}  // namespace orrery::realmode
