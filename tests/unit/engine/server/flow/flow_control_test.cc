#include "engine/server/flow/flow_control.h"

#include <gtest/gtest.h>

#include <set>

#include "engine/api/codec_json.h"
#include "engine/server/bootstrap/bootstrap_objects.h"
#include "engine/server/flow/flow_schema.h"

namespace orrery::server {
namespace {

using Verdict = FlowControl::Verdict;

ApiUser user(std::string_view name, List<Str> groups = {"system:authenticated"}) {
  ApiUser out;
  out.name = Str(name);
  out.groups = std::move(groups);
  return out;
}

RequestInfo request(std::string_view method, std::string_view path) {
  return *RequestInfo::resolve(method, path, Query());
}

const RequestInfo kList = request("GET", "/api/v1/namespaces/default/pods");

/// Flow control with the objects that an API server starts with, and whoever asks.
class Flows : public ::testing::Test {
 protected:
  explicit Flows(int seats = 600) : flow_({seats, Duration::seconds(15)}) {
    for (api::Object& object : bootstrap_objects()) {
      if (!FlowControl::watches(*object.kind())) continue;
      object.mut_meta().uid = Str(str_cat("uid-", object.kind()->kind, "-", object.meta().name));
      flow_.on_change(*object.kind(), {}, object);
    }
  }
  void put(std::string_view json) {
    auto object = api::decode_json(json);
    ASSERT_TRUE(object.is_ok()) << object.status().message();
    flow_.on_change(*object->kind(), {}, *object);
  }
  /// The id of the request, which is kept in `tickets_`.
  uint64_t arrive(const ApiUser& who, const RequestInfo& what = kList, int seats = 1) {
    const uint64_t id = ++last_;
    last_verdict_ = flow_.arrive(id, what, who, seats, now_, tickets_[id]);
    return id;
  }
  std::string level_of(const ApiUser& who, const RequestInfo& what) {
    const uint64_t id = arrive(who, what);
    const Str uid = tickets_[id].level_uid;
    flow_.leave(tickets_[id], now_);
    return uid.str().substr(uid.view().rfind('-') == uid.view().npos
                                ? 0
                                : std::string("uid-PriorityLevelConfiguration-").size());
  }
  bool runs(uint64_t id) { return tickets_[id].state == FlowControl::Ticket::State::kRunning; }
  /// The next of those who wait, running; 0: nobody can.
  uint64_t next() {
    const auto id = flow_.next(now_);
    if (!id) return 0;
    flow_.begin(tickets_[*id], now_);
    return *id;
  }
  void end(uint64_t id) { flow_.leave(tickets_[id], now_); }

  FlowControl flow_;
  Time now_ = Time::from_unix_seconds(1'700'000'000);
  std::map<uint64_t, FlowControl::Ticket> tickets_;
  uint64_t last_ = 0;
  Verdict last_verdict_ = Verdict::kRun;
};

TEST_F(Flows, RequestsBelongToTheLevelsOfKubernetes) {
  const RequestInfo lease =
      request("PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x");
  const RequestInfo node = request("PATCH", "/api/v1/nodes/n1/status");
  EXPECT_EQ(level_of(user("admin", {"system:masters", "system:authenticated"}), kList), "exempt");
  EXPECT_EQ(level_of(user("alice"), request("GET", "/healthz")), "exempt");
  EXPECT_EQ(level_of(user("alice"), request("GET", "/version")), "global-default");
  EXPECT_EQ(level_of(user("alice"), kList), "global-default");
  EXPECT_EQ(level_of(user("system:node:n1", {"system:nodes", "system:authenticated"}), node),
            "node-high");
  EXPECT_EQ(level_of(user("system:node:n1", {"system:nodes", "system:authenticated"}), kList),
            "system");
  EXPECT_EQ(level_of(user("system:kube-scheduler"), lease), "leader-election");
  EXPECT_EQ(level_of(user("system:kube-scheduler"), kList), "workload-high");
  EXPECT_EQ(
      level_of(user("system:serviceaccount:kube-system:x", {"system:serviceaccounts"}), kList),
      "workload-high");
  EXPECT_EQ(level_of(user("system:serviceaccount:default:x", {"system:serviceaccounts"}), kList),
            "workload-low");
  EXPECT_EQ(level_of(user("nobody", {}), kList), "catch-all");
}

TEST_F(Flows, SeatsAreSharedOutAsInKubernetes) {
  arrive(user("alice"));
  const std::string text = flow_.metrics();
  // 600 seats, 245 shares. Nominal and lower limits that kube-apiserver v1.32 shows with its
  // defaults.
  for (const char* line : {"nominal_limit_seats{priority_level=\"catch-all\"} 13\n",
                           "nominal_limit_seats{priority_level=\"global-default\"} 49\n",
                           "nominal_limit_seats{priority_level=\"workload-low\"} 245\n",
                           "nominal_limit_seats{priority_level=\"system\"} 74\n",
                           "lower_limit_seats{priority_level=\"workload-low\"} 24\n",
                           "lower_limit_seats{priority_level=\"system\"} 50\n",
                           "lower_limit_seats{priority_level=\"leader-election\"} 25\n",
                           "lower_limit_seats{priority_level=\"catch-all\"} 13\n",
                           "upper_limit_seats{priority_level=\"catch-all\"} 600\n",
                           "current_executing_requests{flow_schema=\"global-default\",priority_"
                           "level=\"global-default\"} 1\n"})
    EXPECT_NE(text.find(std::string("apiserver_flowcontrol_") + line), std::string::npos)
        << line << text;
}

TEST_F(Flows, AFlowMayWaitInAFewOfTheQueues) {
  std::set<std::vector<uint32_t>> hands;
  for (uint64_t flow = 0; flow < 500; ++flow) {
    std::vector<uint32_t> hand;
    deal_queues(mix64(flow), 64, 6, hand);
    EXPECT_EQ(std::set<uint32_t>(hand.begin(), hand.end()).size(), 6u);
    EXPECT_LT(*std::max_element(hand.begin(), hand.end()), 64u);
    hands.insert(hand);
  }
  EXPECT_EQ(hands.size(), 500u);
  std::vector<uint32_t> all;
  deal_queues(12345, 3, 3, all);
  EXPECT_EQ(std::set<uint32_t>(all.begin(), all.end()).size(), 3u);
}

/// Two seats for one level; one queue is two requests long.
class SmallLevel : public Flows {
 protected:
  SmallLevel() : Flows(20) {
    put(R"({"apiVersion":"flowcontrol.apiserver.k8s.io/v1","kind":"PriorityLevelConfiguration","metadata":{"name":"small"},
      "spec":{"type":"Limited","limited":{"nominalConcurrencyShares":25,"lendablePercent":0,"borrowingLimitPercent":0,
      "limitResponse":{"type":"Queue","queuing":{"queues":64,"handSize":4,"queueLengthLimit":50}}}}})");
    put(R"({"apiVersion":"flowcontrol.apiserver.k8s.io/v1","kind":"FlowSchema","metadata":{"name":"small"},
      "spec":{"priorityLevelConfiguration":{"name":"small"},"matchingPrecedence":50,"distinguisherMethod":{"type":"ByUser"},
      "rules":[{"subjects":[{"kind":"Group","group":{"name":"small"}}],
      "resourceRules":[{"verbs":["*"],"apiGroups":["*"],"resources":["*"],"clusterScope":true,"namespaces":["*"]}]}]}})");
  }
  static ApiUser small(std::string_view name) { return user(name, {"small"}); }
};

TEST_F(SmallLevel, ANoisyUserDoesNotStarveAnother) {
  std::vector<uint64_t> noise;
  for (int i = 0; i < 150; ++i) {
    noise.push_back(arrive(small("noisy")));
    EXPECT_NE(last_verdict_, Verdict::kRefused) << i;
  }
  EXPECT_TRUE(runs(noise[0]) && runs(noise[1]) && !runs(noise[2]));
  const uint64_t quiet = arrive(small("quiet"));
  EXPECT_EQ(last_verdict_, Verdict::kWait);
  now_ = now_ + Duration::millis(3);
  end(noise[0]);
  const uint64_t first = next();
  EXPECT_EQ(next(), 0u) << "two seats are two seats";
  now_ = now_ + Duration::millis(3);
  end(noise[1]);
  const uint64_t second = next();
  EXPECT_TRUE(first == quiet || second == quiet) << first << " " << second;
}

TEST_F(SmallLevel, LongRequestsOfAFlowArePaidForByThatFlow) {
  std::vector<uint64_t> slow, fast;
  for (int i = 0; i < 60; ++i) slow.push_back(arrive(small("slow")));
  for (int i = 0; i < 60; ++i) fast.push_back(arrive(small("fast")));
  std::set<uint64_t> of_slow(slow.begin(), slow.end());
  std::map<uint64_t, Time> ends = {{slow[0], now_ + Duration::millis(100)},
                                   {slow[1], now_ + Duration::millis(100)}};
  Duration slow_time, fast_time;
  for (int i = 0; i < 100; ++i) {
    const auto first = std::min_element(ends.begin(), ends.end(),
                                        [](auto& a, auto& b) { return a.second < b.second; });
    now_ = first->second;
    end(first->first);
    ends.erase(first);
    const uint64_t id = next();
    if (id == 0) break;
    const Duration time = of_slow.contains(id) ? Duration::millis(100) : Duration::millis(10);
    (of_slow.contains(id) ? slow_time : fast_time) =
        (of_slow.contains(id) ? slow_time : fast_time) + time;
    ends[id] = now_ + time;
    if (fast_time.ns >= Duration::millis(550).ns) break;
  }
  EXPECT_LT(slow_time.ns, 3 * fast_time.ns) << "seat time is shared, not the number of requests";
}

TEST_F(SmallLevel, AFullQueueRefusesAndAnEmptySeatIsTaken) {
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    arrive(small("noisy"));
    refused += last_verdict_ == Verdict::kRefused;
  }
  EXPECT_EQ(refused, 300 - 2 - 4 * 50);
  EXPECT_NE(flow_.metrics().find("rejected_requests_total{flow_schema=\"small\",priority_level="
                                 "\"small\",reason=\"queue-full\"} 98\n"),
            std::string::npos);
  arrive(user("alice"));
  EXPECT_EQ(last_verdict_, Verdict::kRun) << "another level";
}

TEST_F(SmallLevel, WhoWaitsTooLongOrGoesIsNotServed) {
  const uint64_t a = arrive(small("u")), b = arrive(small("u")), c = arrive(small("u")),
                 d = arrive(small("v")), e = arrive(small("w"));
  end(d);  // has hung up
  now_ = now_ + Duration::seconds(14);
  EXPECT_FALSE(flow_.out_of_patience(now_));
  now_ = now_ + Duration::seconds(1);
  EXPECT_EQ(flow_.out_of_patience(now_), c);
  EXPECT_EQ(flow_.out_of_patience(now_), e);
  EXPECT_FALSE(flow_.out_of_patience(now_));
  EXPECT_FALSE(flow_.anyone_waits());
  end(a);
  end(b);
  EXPECT_EQ(next(), 0u);
}

TEST_F(SmallLevel, ALevelThatRefusesMakesNobodyWait) {
  std::vector<Verdict> verdicts;
  for (int i = 0; i < 30; ++i) {
    arrive(user("nobody", {}));  // catch-all: Reject
    verdicts.push_back(last_verdict_);
  }
  EXPECT_EQ(std::count(verdicts.begin(), verdicts.end(), Verdict::kWait), 0);
  EXPECT_GT(std::count(verdicts.begin(), verdicts.end(), Verdict::kRefused), 0);
}

TEST_F(Flows, SeatsAreLentAndThoseOfOthersAreKept) {
  std::vector<uint64_t> low;
  for (int i = 0; i < 700; ++i)
    low.push_back(arrive(user("system:serviceaccount:a:x", {"system:serviceaccounts"})));
  const auto running = std::count_if(low.begin(), low.end(), [&](uint64_t id) { return runs(id); });
  // Its own 245 and what others lend: half of 49 and of 98, a quarter of 98, a third of 74.
  EXPECT_EQ(running, 245 + 25 + 49 + 25 + 24);
  const uint64_t urgent = arrive(user("system:kube-scheduler"));
  EXPECT_TRUE(runs(urgent)) << "what a level keeps for itself is there";
  for (int i = 0; i < 48; ++i) arrive(user("system:kube-scheduler"));
  const uint64_t late = arrive(user("system:kube-scheduler"));
  EXPECT_FALSE(runs(late)) << "what it has lent comes back when a request ends";
  end(low[0]);
  EXPECT_EQ(next(), late) << "who has less than is his own comes first";
}

TEST_F(Flows, ObjectsThatGoLeaveTheirRequestsAlone) {
  put(R"({"apiVersion":"flowcontrol.apiserver.k8s.io/v1","kind":"FlowSchema","metadata":{"name":"mine"},
    "spec":{"priorityLevelConfiguration":{"name":"system"},"matchingPrecedence":50,
    "rules":[{"subjects":[{"kind":"User","user":{"name":"alice"}}],
    "resourceRules":[{"verbs":["list"],"apiGroups":[""],"resources":["pods"],"namespaces":["default"]}]}]}})");
  EXPECT_EQ(level_of(user("alice"), kList), "system");
  EXPECT_EQ(level_of(user("alice"), request("GET", "/api/v1/namespaces/other/pods")),
            "global-default");
  EXPECT_EQ(level_of(user("alice"), request("GET", "/api/v1/namespaces/default/pods/p/status")),
            "global-default");
  const uint64_t held = arrive(user("alice"));
  const auto mine = api::decode_json(
      R"({"apiVersion":"flowcontrol.apiserver.k8s.io/v1","kind":"FlowSchema","metadata":{"name":"mine"}})");
  flow_.on_change(*mine->kind(), *mine, {});
  EXPECT_EQ(level_of(user("alice"), kList), "global-default");
  end(held);
  for (api::Object& object : bootstrap_objects())
    if (FlowControl::watches(*object.kind())) flow_.on_change(*object.kind(), object, {});
  EXPECT_TRUE(runs(arrive(user("alice")))) << "exempt and catch-all are always there";
}

}  // namespace
}  // namespace orrery::server
