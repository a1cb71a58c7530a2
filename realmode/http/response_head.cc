#include "realmode/http/response_head.h"

#include <openssl/evp.h>

#include <array>
#include <ctime>

#include "engine/base/str.h"

namespace orrery::realmode {
namespace {

struct Reason {
  int code;
  std::string_view phrase;
};
constexpr std::array kReasons = {Reason{100, "Continue"},
                                 Reason{101, "Switching Protocols"},
                                 Reason{200, "OK"},
                                 Reason{201, "Created"},
                                 Reason{202, "Accepted"},
                                 Reason{204, "No Content"},
                                 Reason{206, "Partial Content"},
                                 Reason{301, "Moved Permanently"},
                                 Reason{302, "Found"},
                                 Reason{304, "Not Modified"},
                                 Reason{307, "Temporary Redirect"},
                                 Reason{400, "Bad Request"},
                                 Reason{401, "Unauthorized"},
                                 Reason{403, "Forbidden"},
                                 Reason{404, "Not Found"},
                                 Reason{405, "Method Not Allowed"},
                                 Reason{406, "Not Acceptable"},
                                 Reason{408, "Request Timeout"},
                                 Reason{409, "Conflict"},
                                 Reason{410, "Gone"},
                                 Reason{413, "Request Entity Too Large"},
                                 Reason{415, "Unsupported Media Type"},
                                 Reason{417, "Expectation Failed"},
                                 Reason{422, "Unprocessable Entity"},
                                 Reason{429, "Too Many Requests"},
                                 Reason{431, "Request Header Fields Too Large"},
                                 Reason{500, "Internal Server Error"},
                                 Reason{501, "Not Implemented"},
                                 Reason{502, "Bad Gateway"},
                                 Reason{503, "Service Unavailable"},
                                 Reason{504, "Gateway Timeout"},
                                 Reason{505, "HTTP Version Not Supported"}};

void append_name(std::string& out, std::string_view name) {
  bool start = true;
  for (const char c : name) {
    out += start && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    start = c == '-';
  }
}

void append_value(std::string& out, std::string_view value) {
  const size_t begin = out.size();
  out += value;
  for (size_t i = begin; i < out.size(); ++i)
    if (out[i] == '\r' || out[i] == '\n' || out[i] == '\0') out[i] = ' ';
}

}  // namespace

std::string_view reason_phrase(int code) {
  for (const Reason& reason : kReasons)
    if (reason.code == code) return reason.phrase;
  return "Status";
}

bool code_without_body(int code) { return code < 200 || code == 204 || code == 304; }

bool is_connection_field(std::string_view name) {
  return name == "content-length" || name == "transfer-encoding" || name == "connection" ||
         name == "keep-alive" || name == "proxy-connection" || name == "upgrade";
}

std::string http_date() {
  // One line a second: formatting costs more than the rest of a head.
  thread_local time_t last = 0;
  thread_local std::string text;
  const time_t now = ::time(nullptr);
  if (now != last) {
    tm parts{};
    gmtime_r(&now, &parts);
    char buffer[64];
    text.assign(buffer, strftime(buffer, sizeof(buffer), "%a, %d %b %Y %H:%M:%S GMT", &parts));
    last = now;
  }
  return text;
}

std::string http1_head(const HttpResponse& response, Framing framing, size_t body_bytes,
                       bool keep_alive) {
  std::string out;
  out.reserve(256 + (body_bytes < 4096 ? body_bytes : 0));
  str_append(out, "HTTP/1.1 ");
  str_append(out, response.code);
  out += ' ';
  out += reason_phrase(response.code);
  out += "\r\nDate: ";
  out += http_date();
  for (const auto& [name, value] : response.headers) {
    if (is_connection_field(name) || name == "date") continue;
    out += "\r\n";
    append_name(out, name);
    out += ": ";
    append_value(out, value);
  }
  if (framing == Framing::kChunked) {
    out += "\r\nTransfer-Encoding: chunked";
  } else if (framing == Framing::kLength && !code_without_body(response.code)) {
    out += "\r\nContent-Length: ";
    str_append(out, uint64_t{body_bytes});
  }
  if (!keep_alive) out += "\r\nConnection: close";
  out += "\r\n\r\n";
  return out;
}

std::string switching_head(const HttpResponse& response) {
  std::string out = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade";
  for (const auto& [name, value] : response.headers) {
    if (is_connection_field(name) && name != "upgrade") continue;
    out += "\r\n";
    append_name(out, name);
    out += ": ";
    append_value(out, value);
  }
  out += "\r\n\r\n";
  return out;
}

std::string websocket_accept(std::string_view key) {
  const std::string text = str_cat(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr);
  std::string out(4 * ((size + 2) / 3) + 1, '\0');  // and the terminating zero
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), digest, static_cast<int>(size));
  out.pop_back();
  return out;
}

HttpResponse refusal(int code, std::string_view why, size_t body_limit) {
  HttpResponse response;
  response.code = code;
  if (code != 413) {
    response.headers.emplace_back("content-type", "text/plain; charset=utf-8");
    response.body = str_cat(code, ' ', reason_phrase(code), ": ", why, "\n");
    return response;
  }
  response.headers.emplace_back("content-type", "application/json");
  response.body =
      str_cat(R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":")",
              "Request entity too large: limit is ", uint64_t{body_limit},
              R"(","reason":"RequestEntityTooLarge","code":413})", "\n");
  return response;
}

}  // namespace orrery::realmode
