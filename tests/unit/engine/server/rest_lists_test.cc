// Lists with their pages, and watches.
#include "engine/server/rest/encode.h"
#include "tests/unit/engine/server/rest_fixture.h"

namespace orrery::server {
namespace {

TEST_F(RestTest, PagesOfAListContinueAtTheirRevision) {
  for (const char* name : {"a", "b", "c", "d"}) call("POST", kMaps, str_cat("{\"metadata\":{\"name\":\"", name, "\"}}"));
  const Answer first = call("GET", std::string(kMaps) + "?limit=2");
  ASSERT_EQ(first.body["items"].size(), 2u);
  EXPECT_EQ(first.body["metadata"]["remainingItemCount"].as_int(), 2);
  call("DELETE", std::string(kMaps) + "/c");
  const Answer second = call("GET", str_cat(kMaps, "?limit=2&continue=", first.body["metadata"]["continue"].as_string()));
  ASSERT_EQ(second.body["items"].size(), 2u) << second.raw.body;
  EXPECT_EQ(second.body["items"].items().at(0)["metadata"]["name"].as_string(), "c");
  EXPECT_EQ(second.body["metadata"]["resourceVersion"], first.body["metadata"]["resourceVersion"]);
}

TEST_F(RestTest, TheVersionOfAListWithPagesIsTheStoresToJudge) {
  call("POST", kMaps, R"({"metadata":{"name":"a"}})");
  const std::string wrong = "resourceVersion: Invalid value: \"x\": strconv.ParseUint: parsing \"x\": invalid syntax";
  const auto list = [&](const char* query) { return call("GET", str_cat(kMaps, query)); };
  EXPECT_EQ(list("?resourceVersion=x").body["message"].as_string().str(), wrong);
  EXPECT_EQ(list("?resourceVersion=x&limit=2").body["message"].as_string().str(), "invalid resource version: " + wrong);
  EXPECT_EQ(list("?resourceVersion=9999&limit=2").body["message"].as_string(), "etcdserver: mvcc: required revision is a future revision");
  EXPECT_EQ(list("?resourceVersion=9999&limit=2&fieldSelector=metadata.name%3Da").code, 504) << "a list of one name is as new as can be";
  EXPECT_EQ(list("?resourceVersion=1&limit=2&fieldSelector=metadata.name%3Da").body["items"].size(), 1u);
}

/// Its store forgets what is older than a few writes.
class ForgetfulStoreRestTest : public RestTest {
 protected:
  ForgetfulStoreRestTest() : RestTest(options_with_tokens(), {.latency = {}, .watch_latency = {}, .history_max = 8}) {}
};

TEST_F(ForgetfulStoreRestTest, APageOfAForgottenRevisionIsExpiredAlsoIfNothingOfTheKindHasChanged) {
  for (const char* name : {"a", "b", "c"}) call("POST", kMaps, str_cat("{\"metadata\":{\"name\":\"", name, "\"}}"));
  const std::string token = call("GET", std::string(kMaps) + "?limit=1").body["metadata"]["continue"].as_string().str();
  const auto secret = [&](int i) { call("POST", "/api/v1/namespaces/default/secrets", str_cat(R"({"metadata":{"name":"s)", i, R"("}})")); };
  secret(100);
  EXPECT_EQ(call("GET", str_cat(kMaps, "?limit=1&continue=", token)).body["items"].size(), 1u) << "the store still knows it";
  for (int i = 0; i < 20; ++i) secret(i);
  const Answer gone = call("GET", str_cat(kMaps, "?limit=1&continue=", token));
  EXPECT_EQ(gone.code, 410);
  const Answer rest = call("GET", str_cat(kMaps, "?limit=5&continue=", gone.body["metadata"]["continue"].as_string()));
  ASSERT_EQ(rest.body["items"].size(), 2u) << rest.raw.body;
}

/// Its store tells of a write five seconds later.
class SlowStoreRestTest : public RestTest {
 protected:
  SlowStoreRestTest() : RestTest(options_with_tokens(), {.latency = {}, .watch_latency = Duration::seconds(5), .history_max = 4096}) {}
};

TEST_F(RestTest, APageIsFollowedByWhateverCouldMatch) {
  for (const char* name : {"a", "b", "c"})
    call("POST", kMaps, str_cat(R"({"metadata":{"name":")", name, R"(","labels":{"last":")", *name == 'c' ? "y" : "n", R"("}}})"));
  const auto continues = [&](std::string_view query) {
    return call("GET", str_cat(kMaps, "?", query)).body["metadata"].find("continue") != nullptr;
  };
  EXPECT_TRUE(continues("limit=2&labelSelector=last%3Dn"));
  EXPECT_FALSE(continues("limit=1&labelSelector=last%3Dy"));
  EXPECT_FALSE(continues("limit=3&labelSelector=last%3Dn"));
  EXPECT_TRUE(continues("limit=1&fieldSelector=metadata.name%21%3Db"));
  EXPECT_FALSE(continues("limit=1&fieldSelector=metadata.name%3Db"));
}

TEST_F(SlowStoreRestTest, ABookmarkFollowsTheEventsThatItSpeaksOf) {
  send("POST", kMaps, R"({"metadata":{"name":"late"}})");
  // The write becomes known in the very moment in which the bookmark is due, two seconds before the end.
  const uint64_t watch = send("GET", std::string(kMaps) + "?watch=1&allowWatchBookmarks=true&timeoutSeconds=7");
  kernel_.run_until(kernel_.now() + Duration::seconds(6));
  const std::string& stream = transport_.streams[watch];
  const size_t event = stream.find("\"name\":\"late\""), bookmark = stream.find("BOOKMARK");
  ASSERT_NE(event, std::string::npos) << stream;
  ASSERT_NE(bookmark, std::string::npos) << stream;
  EXPECT_LT(event, bookmark) << stream;
}

TEST_F(RestTest, WatchFromAVersionTellsWhatCameAfterIt) {
  const Answer a = call("POST", kMaps, R"({"metadata":{"name":"a"}})");
  call("PATCH", std::string(kMaps) + "/a", R"({"data":{"x":"1"}})", "application/merge-patch+json");
  const uint64_t watch = send("GET", str_cat(kMaps, "?watch=1&resourceVersion=", a.body["metadata"]["resourceVersion"].as_string()));
  EXPECT_NE(transport_.streams[watch].find("\"type\":\"MODIFIED\""), std::string::npos) << transport_.streams[watch];
  EXPECT_EQ(transport_.streams[watch].find("\"type\":\"ADDED\""), std::string::npos);
  call("DELETE", std::string(kMaps) + "/a");
  EXPECT_NE(transport_.streams[watch].find("\"type\":\"DELETED\""), std::string::npos);
  kernel_.run_until(kernel_.now() + Duration::hours(2));
  EXPECT_TRUE(transport_.ended[watch]);
}

/// A client's frame, masked with zeros.
std::string masked(WebSocketKind kind, std::string_view payload) {
  std::string frame = websocket_frame(kind, payload);
  frame[1] = static_cast<char>(frame[1] | 0x80);
  return frame.insert(2, 4, '\0');
}

TEST_F(RestTest, WatchOverWebSocketIsOneMessageForEachEvent) {
  const std::vector<std::pair<std::string, std::string>> upgrade = {
      {"connection", "keep-alive, Upgrade"}, {"upgrade", "websocket"}, {"sec-websocket-protocol", "base64url.bearer.authorization.k8s.io.cm9vdA, mine"}};
  const uint64_t watch = send("GET", std::string(kMaps) + "?watch=1", "", "", "root", upgrade);
  EXPECT_EQ(transport_.answers[watch].code, 101);
  EXPECT_EQ(find_header(transport_.answers[watch].headers, "upgrade"), "websocket");
  EXPECT_EQ(find_header(transport_.answers[watch].headers, "sec-websocket-protocol"), "mine");
  call("POST", kMaps, R"({"metadata":{"name":"a"}})");
  const std::string& stream = transport_.streams[watch];
  EXPECT_NE(stream.find("\"type\":\"ADDED\""), std::string::npos);
  EXPECT_EQ(stream.front(), '\x81') << "one whole text message";
  transport_.send_input(watch, masked(WebSocketKind::kPing, "hm"));
  kernel_.run_until(kernel_.now());
  EXPECT_TRUE(stream.ends_with("\x8a\x02hm"));
  transport_.send_input(watch, masked(WebSocketKind::kClose, ""));
  kernel_.run_until(kernel_.now());
  EXPECT_TRUE(transport_.ended[watch]);
  EXPECT_TRUE(stream.ends_with(websocket_close(kWebSocketNormal)));
}

TEST_F(RestTest, EventsHavePagesInAnyVersion) {
  const std::string events = "/api/v1/namespaces/default/events", object = R"("involvedObject":{"kind":"Pod","name":"p","namespace":"default"})";
  for (const char* name : {"a", "b"}) ASSERT_EQ(call("POST", events, str_cat(R"({"metadata":{"name":")", name, R"("},)", object, "}")).code, 201);
  EXPECT_EQ(call("GET", events + "?limit=1&resourceVersion=0").body["items"].size(), 1u);
  for (const char* name : {"a", "b"}) call("POST", kMaps, str_cat(R"({"metadata":{"name":")", name, R"("}})"));
  EXPECT_EQ(call("GET", str_cat(kMaps, "?limit=1&resourceVersion=0")).body["items"].size(), 2u);
}

TEST_F(RestTest, AWatchFromTheStartOfTimeHasNoContinueToken) {
  const Answer answer = call("GET", str_cat(kMaps, "?watch=true&continue=x"));
  EXPECT_EQ(answer.code, 422);
  EXPECT_EQ(answer.body["details"]["causes"].items().at(0)["message"].as_string(),
            "Forbidden: resourceVersionMatch is forbidden when continue is provided");
}

TEST_F(RestTest, ListsOfVersionsAreOnlyRead) {
  EXPECT_EQ(call("POST", "/api").code, 405);
  EXPECT_EQ(call("DELETE", "/apis/apps/v1").code, 405);
  EXPECT_EQ(call("PUT", "/version").code, 405);
  EXPECT_EQ(call("POST", "/apis").code, 200);
}

}  // namespace
}  // namespace orrery::server
