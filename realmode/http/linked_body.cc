// Bodies of pages whose links are rewritten, plain or compressed.
#include <zlib.h>

#include <algorithm>

#include "engine/base/check.h"
#include "realmode/http/proxied_links.h"

namespace orrery::realmode {
namespace {

class PlainBody final : public LinkedBody {
 public:
  explicit PlainBody(const ProxiedLinks& links) : page_(links) {}
  bool feed(std::string_view bytes, std::string* out) override { return page_.feed(bytes, out), true; }
  bool end(std::string* out) override { return page_.end(out), true; }

 private:
  HtmlLinks page_;
};

/// Unpacked, rewritten and packed again, in portions.
class PackedBody final : public LinkedBody {
 public:
  PackedBody(const ProxiedLinks& links, int window_bits) : page_(links) {
    CHECK(inflateInit2(&unpack_, window_bits) == Z_OK) << "out of memory";
    CHECK(deflateInit2(&pack_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK)
        << "out of memory";
  }
  ~PackedBody() override {
    inflateEnd(&unpack_);
    deflateEnd(&pack_);
  }
  bool feed(std::string_view bytes, std::string* out) override {
    if (over_) return true;  // what follows the end means nothing
    unpack_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    unpack_.avail_in = static_cast<uInt>(bytes.size());
    do {
      char portion[kPortion];
      unpack_.next_out = reinterpret_cast<Bytef*>(portion);
      unpack_.avail_out = kPortion;
      const int result = inflate(&unpack_, Z_NO_FLUSH);
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return false;
      over_ = result == Z_STREAM_END;
      std::string page;
      page_.feed({portion, kPortion - unpack_.avail_out}, &page);
      pack(page, Z_SYNC_FLUSH, out);
    } while (!over_ && unpack_.avail_out == 0);
    return true;
  }
  bool end(std::string* out) override {
    std::string page;
    page_.end(&page);
    pack(page, Z_FINISH, out);
    return over_;
  }

 private:
  static constexpr uInt kPortion = 16 << 10;
  void pack(std::string_view page, int flush, std::string* out) {
    if (page.empty() && flush != Z_FINISH) return;
    pack_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(page.data()));
    pack_.avail_in = static_cast<uInt>(page.size());
    do {
      char portion[kPortion];
      pack_.next_out = reinterpret_cast<Bytef*>(portion);
      pack_.avail_out = kPortion;
      deflate(&pack_, flush);
      out->append(portion, kPortion - pack_.avail_out);
    } while (pack_.avail_out == 0);
  }

  HtmlLinks page_;
  z_stream unpack_{}, pack_{};
  bool over_ = false;
};

constexpr int kGzip = 16 + MAX_WBITS, kDeflate = -MAX_WBITS;  // as zlib numbers them

}  // namespace

std::unique_ptr<LinkedBody> LinkedBody::of(const HttpHeaders& head, const ProxiedLinks& links) {
  if (!find_header(head, "location").empty()) return nullptr;
  std::string_view type = find_header(head, "content-type");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  if (type != "text/html") return nullptr;
  const std::string_view encoding = find_header(head, "content-encoding");
  if (encoding.empty()) return std::make_unique<PlainBody>(links);
  if (encoding == "gzip") return std::make_unique<PackedBody>(links, kGzip);
  if (encoding == "deflate") return std::make_unique<PackedBody>(links, kDeflate);
  return nullptr;
}

}  // namespace orrery::realmode
