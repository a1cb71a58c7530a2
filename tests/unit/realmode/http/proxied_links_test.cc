#include "realmode/http/proxied_links.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace orrery::realmode {
namespace {

const ProxiedLinks kLinks{"/api/v1/namespaces/n/services/s/proxy", "10.0.0.1:80", "api:6443"};

TEST(ProxiedLinks, RootedPathsOfTheServerGoThroughTheProxy) {
  const std::pair<const char*, const char*> cases[] = {
      {"/a", "/api/v1/namespaces/n/services/s/proxy/a"},
      {"/", "/api/v1/namespaces/n/services/s/proxy/"},
      {"/a/./b/../c/?q=/x#/y", "/api/v1/namespaces/n/services/s/proxy/a/c/?q=/x#/y"},
      {"http://10.0.0.1:80/a", "/api/v1/namespaces/n/services/s/proxy/a"},
      {"//10.0.0.1:80/a", "/api/v1/namespaces/n/services/s/proxy/a"},
      {"https://api:6443/a", "https://api:6443/api/v1/namespaces/n/services/s/proxy/a"},
      {"/api/v1/namespaces/n/services/s/proxy/a", "/api/v1/namespaces/n/services/s/proxy/a"},
  };
  for (const auto& [url, seen] : cases) EXPECT_EQ(kLinks.through(url), seen) << url;
  for (const char* same : {"", "a/b", "../a", "?q", "#f", "http://example.com/a", "http://10.0.0.1:81/a", "mailto:a/b", "/%zz",
                           "http://10.0.0.1:80", "javascript:/a\n"})
    EXPECT_EQ(kLinks.through(same), same);
}

std::string page(std::string_view html, size_t portion) {
  HtmlLinks links({"/p", "s", "h"});
  std::string out;
  for (size_t at = 0; at < html.size(); at += portion) links.feed(html.substr(at, portion), &out);
  links.end(&out);
  return out;
}

TEST(HtmlLinks, OnlyUrlsInTagsChange) {
  const std::pair<const char*, const char*> cases[] = {
      {"<!DOCTYPE html><a href=\"/x\">/x</a>", "<!DOCTYPE html><a href=\"/p/x\">/x</a>"},
      {"<A HREF='/x' id=/x>", "<A HREF='/p/x' id=/x>"},
      {"<img src=/x alt=\"a > /b\" longdesc = /y>", "<img src=/p/x alt=\"a > /b\" longdesc = /p/y>"},
      {"<link/href=\"/x\"/>", "<link/href=\"/p/x\"/>"},
      {"<!-- <a href=\"/x\"> --><a href=\"/x\">", "<!-- <a href=\"/x\"> --><a href=\"/p/x\">"},
      {"<!--><a href=\"/x\">", "<!--><a href=\"/p/x\">"},
      {"<script src=\"/x\">if (a</b/) '<a href=\"/x\">'</script ><a href=\"/x\">",
       "<script src=\"/p/x\">if (a</b/) '<a href=\"/x\">'</script ><a href=\"/p/x\">"},
      {"<div href=\"/x\"><form action=\"/x\" method=post>", "<div href=\"/x\"><form action=\"/p/x\" method=post>"},
      {"1 < 2 <? php /x ?> <a href=\"/x", "1 < 2 <? php /x ?> <a href=\"/x"},
  };
  for (const auto& [html, seen] : cases)
    for (const size_t portion : {1, 2, 3, 7, 1000}) EXPECT_EQ(page(html, portion), seen) << portion;
}

std::string zip(std::string_view text, int window_bits) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string unzip(std::string_view text, int window_bits, size_t size_max) {
  z_stream stream{};
  inflateInit2(&stream, window_bits);
  std::string out(size_max, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST(LinkedBody, CompressedPagesAreUnpackedAndPackedAgain) {
  const std::string html = "<a href=\"/x\">" + std::string(100'000, 'y') + "<a href=\"/x\">";
  for (const auto& [encoding, bits] : {std::pair<const char*, int>{"gzip", 16 + MAX_WBITS}, {"deflate", -MAX_WBITS}}) {
    const auto body = LinkedBody::of({{"content-type", "text/html; charset=utf-8"}, {"content-encoding", encoding}}, {"/p", "s", "h"});
    ASSERT_NE(body, nullptr);
    const std::string sent = zip(html, bits);
    std::string got;
    for (size_t at = 0; at < sent.size(); at += 100) EXPECT_TRUE(body->feed(std::string_view(sent).substr(at, 100), &got));
    EXPECT_TRUE(body->end(&got));
    EXPECT_EQ(unzip(got, bits, 200'000), "<a href=\"/p/x\">" + std::string(100'000, 'y') + "<a href=\"/p/x\">");
  }
}

TEST(LinkedBody, WhatIsNoPageOrNotWhatItSaysIsNotGuessedAt) {
  const ProxiedLinks links{"/p", "s", "h"};
  EXPECT_EQ(LinkedBody::of({{"content-type", "application/json"}}, links), nullptr);
  EXPECT_EQ(LinkedBody::of({{"content-type", "text/html"}, {"content-encoding", "br"}}, links), nullptr);
  const HttpHeaders packed = {{"content-type", "text/html"}, {"content-encoding", "gzip"}};
  std::string out;
  EXPECT_FALSE(LinkedBody::of(packed, links)->feed("no gzip at all", &out));
  const auto cut = LinkedBody::of(packed, links);
  EXPECT_TRUE(cut->feed(zip("<html>", 16 + MAX_WBITS).substr(0, 12), &out));
  EXPECT_FALSE(cut->end(&out));
}

TEST(ProxiedHead, LosesWhatLetsOtherOriginsIn) {
  HttpHeaders headers = {{"location", "/x"}, {"access-control-allow-origin", "*"}, {"x", "y"}};
  rewrite_head({"/p", "s", "h"}, &headers);
  EXPECT_EQ(headers, (HttpHeaders{{"location", "/p/x"}, {"x", "y"}}));
}

}  // namespace
}  // namespace orrery::realmode
