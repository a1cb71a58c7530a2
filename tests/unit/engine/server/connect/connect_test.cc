#include <gtest/gtest.h>

#include "engine/server/connect/kubelet_answer.h"
#include "engine/server/connect/kubelet_request.h"
#include "engine/server/connect/url.h"

namespace orrery::server {
namespace {

TEST(ProxyName, HasSchemeNameAndPort) {
  EXPECT_EQ(split_proxy_name("web")->name, "web");
  EXPECT_EQ(split_proxy_name("web:80")->port, "80");
  const auto all = split_proxy_name("https:web:named");
  EXPECT_EQ(all->scheme + all->name + all->port, "httpswebnamed");
  for (const char* wrong : {"", ":80", "ftp:web:80", "a:b:c:d", "http::80"}) EXPECT_FALSE(split_proxy_name(wrong)) << wrong;
}

TEST(Url, QueriesAndPathsAreWrittenAsGoWritesThem) {
  EXPECT_EQ(encode_query({{"b", "x y&z"}, {"a", "ü/~"}, {"a", "2"}}), "a=%C3%BC%2F~&a=2&b=x+y%26z");
  EXPECT_EQ(escape_path("/a b/ü?#%"), "/a%20b/%C3%BC%3F%23%25");
  EXPECT_EQ(clean_path("/a/./b//../../../c/"), "/c");
  EXPECT_EQ(clean_path("/.."), "/");
}

corev1::Pod pod_at(const char* ip) {
  corev1::Pod pod;
  corev1::PodIP address;
  address.ip = ip;
  pod.status.mut().pod_ips.push_back(address);
  return pod;
}

TEST(PodLocation, OnlyOrdinaryAddressesAreReached) {
  const ProxyName name{"", "p", "80"};
  EXPECT_EQ(pod_location(name, pod_at("10.1.2.3"))->host, "10.1.2.3");
  EXPECT_EQ(pod_location(name, pod_at("fd00::1"))->port, 80);
  for (const char* local : {"", "127.0.0.1", "::1", "169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "ff02::1", "::ffff:127.0.0.1"})
    EXPECT_EQ(pod_location(name, pod_at(local)).status().message(), "address not allowed") << local;
}

TEST(ForwardedHeaders, NameTheClientButCarryNoneOfItsCredentials) {
  HttpRequest client;
  client.method = "GET";
  client.remote_address = "[::1]:4711";
  client.headers = {{"host", "api"}, {"authorization", "Bearer t"}, {"impersonate-user", "x"}, {"impersonate-extra-a", "x"},
                    {"connection", "upgrade"}, {"upgrade", "websocket"}, {"x-forwarded-for", "9.9.9.9"}, {"accept", "a/b"},
                    {"sec-websocket-protocol", "base64url.bearer.authorization.k8s.io.dA, v4.channel.k8s.io"}};
  corev1::Pod pod;
  pod.metadata.mut().name = "p";
  pod.metadata.mut().namespace_ = "n";
  const HttpForward to = command_request({"h", 1}, pod, "c", "exec", {}, client);
  EXPECT_EQ(to.tunnel, HttpForward::Tunnel::kBytes);
  for (const char* secret : {"authorization", "impersonate-user", "impersonate-extra-a", "host"}) EXPECT_EQ(find_header(to.headers, secret), "") << secret;
  EXPECT_EQ(find_header(to.headers, "sec-websocket-protocol"), "v4.channel.k8s.io");
  EXPECT_EQ(find_header(to.headers, "x-forwarded-for"), "9.9.9.9, ::1");
  EXPECT_EQ(find_header(to.headers, "upgrade"), "websocket");
  EXPECT_EQ(find_header(to.headers, "accept"), "a/b");
}

TEST(RefusedLog, IsToldAsUpstreamTellsIt) {
  const auto told = [](int code) {
    HttpResponse answer;
    answer.code = code;
    answer.body = "why";
    const ApiResponse response = refused_log(answer, "p");
    const auto* whole = response.object.as<metav1::Status>();
    return whole ? str_cat(whole->reason, ": ", whole->message) : response.status.message();
  };
  EXPECT_EQ(told(400), "why");
  EXPECT_EQ(told(500), "Internal error occurred: why");
  EXPECT_EQ(told(403), "Forbidden: why ( pods/log p)");
  EXPECT_EQ(told(502), "InternalError: an error on the server (\"why\") has prevented the request from succeeding ( pods/log p)");
  EXPECT_EQ(told(302), "Unknown: the server responded with the status code 302 but did not return more information ( pods/log p)");
}

}  // namespace
}  // namespace orrery::server
