#include "engine/runtime/controller.h"

#include <gtest/gtest.h>

#include "engine/api/gen/corev1.h"
#include "engine/runtime/api_requests.h"
#include "sim/kernel/kernel.h"
#include "tests/support/scripted_api.h"

namespace orrery {
namespace {

api::Object config_map(std::string_view name, std::string_view version) {
  corev1::ConfigMap object;
  object.metadata.mut().namespace_ = "default";
  object.metadata.mut().name = name;
  object.metadata.mut().resource_version = version;
  return api::Object::of(std::move(object));
}

struct MirrorInputs {
  Time now;
  api::Object object;
};

/// Creates a Secret for each ConfigMap, then three Services together, then reports.
class Mirror final : public Reconciler<Mirror, MirrorInputs> {
 public:
  Mirror(const Env& env, const ControllerOptions& options, std::string_view event_source = {})
      : Reconciler(env, "mirror", options, event_source) {
    add_informer({&kind_of<corev1::ConfigMap>(), {}, {}, {}});
  }
  int runs = 0;
  int effects = 0;

 protected:
  void on_change(const Ctx&, size_t, const Change& change) override {
    enqueue(api::object_key(change.newest().meta()));
  }
  MirrorInputs gather(const Ctx& ctx, const Str& key) override {
    const api::Object* found = informer(0).find(key);
    return {ctx.now, found ? *found : api::Object()};
  }
  Status sync(const MirrorInputs& in, WriteLog& log) override {
    ++runs;
    if (!in.object) return Status();
    const ApiResponse& secret =
        log.call([&] { return create_request(copy_as<corev1::Secret>(in)); });
    if (!secret.status) return secret.status;
    log.once([&] { ++effects; });
    for (const auto& made :
         log.batch(3, [&](size_t) { return create_request(copy_as<corev1::Service>(in)); }))
      if (!made.status) return made.status;
    log.event(in.object, "Normal", "Mirrored", "done");
    return Status();
  }

 private:
  template <typename T>
  static api::Object copy_as(const MirrorInputs& in) {
    T object;
    object.metadata.mut().namespace_ = in.object.meta().namespace_;
    object.metadata.mut().name = in.object.meta().name;
    return api::Object::of(std::move(object));
  }
};

struct ControllerTest : testing::Test {
  sim::Kernel kernel;
  test::ScriptedApi api{&kernel};
  ControllerOptions options;
  Env env{&kernel, &kernel, &api, Rng(1)};

  void start(Mirror& mirror) {
    kernel.post(mirror.lane(), {EventKind::kStart, 0, 0, 0});
    kernel.run();
  }
  int count(const api::KindDesc& kind, const std::vector<ApiRequest>& calls) const {
    int n = 0;
    for (const auto& call : calls) n += call.kind == &kind;
    return n;
  }
};

TEST_F(ControllerTest, SyncsBeginWhenTheCachesAreComplete) {
  Mirror mirror(env, options);
  start(mirror);
  api.deliver(WatchEventType::kAdded, config_map("a", "1"));
  kernel.run();
  EXPECT_EQ(mirror.runs, 0);
  api.sync_all();
  kernel.run();
  EXPECT_EQ(mirror.syncs_finished(), 1u);
}

TEST_F(ControllerTest, ASyncIsReplayedForEachStepAndItsEffectsHappenOnce) {
  Mirror mirror(env, options);
  start(mirror);
  api.deliver(WatchEventType::kAdded, config_map("a", "1"));
  api.sync_all();
  kernel.run();
  EXPECT_EQ(mirror.runs, 3) << "to the first write, to the batch, to the end";
  EXPECT_EQ(mirror.effects, 1);
  EXPECT_EQ(count(kind_of<corev1::Secret>(), api.calls), 1);
  EXPECT_EQ(count(kind_of<corev1::Service>(), api.calls), 3);
  EXPECT_EQ(count(kind_of<corev1::Event>(), api.calls), 1);
  EXPECT_EQ(api.calls[0].user, "system:serviceaccount:kube-system:mirror");
}

TEST_F(ControllerTest, EventsNameTheControllerOrTheSourceThatItDeclares) {
  const std::pair<std::string_view, std::string_view> expected[] = {
      {"", "mirror"}, {"controllermanager", "controllermanager"}};
  for (const auto& [declared, source] : expected) {
    test::ScriptedApi one{&kernel};
    Mirror mirror({&kernel, &kernel, &one, Rng(1)}, options, declared);
    start(mirror);
    one.deliver(WatchEventType::kAdded, config_map("a", "1"));
    one.sync_all();
    kernel.run();
    std::vector<Str> sources;
    for (const ApiRequest& call : one.calls)
      if (const auto* event = call.object.as<corev1::Event>())
        sources.push_back(event->source.component);
    EXPECT_EQ(sources, std::vector<Str>{Str(source)}) << declared;
  }
}

TEST(WriteLog, ALastCallThatSucceedsEndsTheSync) {
  WriteLog log;
  log.rewind();
  log.call([] { return ApiRequest(); });
  EXPECT_EQ(log.outgoing().size(), 1u);
  log.sent();
  EXPECT_EQ(log.answer(0, ApiResponse()), WriteLog::Next::kRunAgain);
  for (const bool fails : {true, false}) {
    WriteLog copy = log;
    copy.rewind();
    EXPECT_TRUE(copy.call([] { return ApiRequest(); }).status.is_ok());
    EXPECT_FALSE(copy.call_last([] { return ApiRequest(); }).status.is_ok());
    EXPECT_TRUE(copy.pending());
    ApiResponse response;
    if (fails) response.status = internal_error("no");
    EXPECT_EQ(copy.answer(0, response), fails ? WriteLog::Next::kRunAgain : WriteLog::Next::kDone);
  }
}

TEST_F(ControllerTest, AFailedSyncIsTriedAgainAfterTheBackOff) {
  int failures = 2;
  api.answer = [&](ApiRequest) {
    ApiResponse response;
    if (failures-- > 0) response.status = internal_error("no");
    return response;
  };
  Mirror mirror(env, options);
  start(mirror);
  api.deliver(WatchEventType::kAdded, config_map("a", "1"));
  api.sync_all();
  kernel.run();
  EXPECT_EQ(mirror.syncs_finished(), 3u);
  EXPECT_EQ(kernel.now().ns, 15'000'000) << "5 ms, then 10 ms";
}

TEST_F(ControllerTest, TheClientsRateSpreadsItsRequests) {
  options.client_qps = 20;
  options.client_burst = 2;
  options.events = false;
  Mirror mirror(env, options);
  start(mirror);
  api.deliver(WatchEventType::kAdded, config_map("a", "1"));
  api.sync_all();
  kernel.run();
  EXPECT_EQ(api.calls.size(), 4u);
  EXPECT_EQ(kernel.now().ns, 100'000'000) << "two at once, two more at 50 ms each";
}

/// Reports about each ConfigMap, and writes a Secret after the last of them.
class Reporter final : public Reconciler<Reporter, int> {
 public:
  Reporter(const Env& env, const ControllerOptions& options)
      : Reconciler(env, "reporter", options) {
    add_informer({&kind_of<corev1::ConfigMap>(), {}, {}, {}});
  }

 protected:
  void on_change(const Ctx& ctx, size_t, const Change& change) override {
    report(ctx.now, {change.after, "Normal", "Seen", change.after.meta().name});
    enqueue("write");
  }
  int gather(const Ctx&, const Str&) override { return 0; }
  Status sync(const int&, WriteLog& log) override {
    corev1::Secret secret;
    secret.metadata.mut().name = "s";
    return log.call([&] { return create_request(api::Object::of(secret)); }).status;
  }
};

TEST_F(ControllerTest, EventsDoNotKeepOtherRequestsWaiting) {
  options.client_qps = 10;
  options.client_burst = 1;
  Reporter reporter(env, options);
  kernel.post(reporter.lane(), {EventKind::kStart, 0, 0, 0});
  kernel.run();
  constexpr int kReports = 20;
  for (int i = 0; i < kReports; ++i)
    api.deliver(WatchEventType::kAdded, config_map(str_cat("m", i), str_cat(i)));
  api.sync_all();
  kernel.run();
  ASSERT_EQ(api.calls.size(), kReports + 1u);
  EXPECT_EQ(api.calls[2].kind, &kind_of<corev1::Secret>()) << "one event at once, one waits";
  EXPECT_EQ(count(kind_of<corev1::Event>(), api.calls), kReports) << "none is lost";
}

TEST_F(ControllerTest, ACopyMadeInTheMiddleOfASyncGoesOnAlone) {
  Mirror mirror(env, options);
  start(mirror);
  api.deliver(WatchEventType::kAdded, config_map("a", "1"));
  api.sync_all();
  while (mirror.runs < 2) ASSERT_TRUE(kernel.step());

  sim::Kernel other = kernel.fork();
  test::ScriptedApi other_api = api;
  other_api.rebind(&other);
  const auto copy = mirror.clone({&other, &other, &other_api, Rng(1)});
  other.rebind(mirror.lane(), copy.get());
  other.run();
  kernel.run();
  EXPECT_EQ(other_api.calls.size(), api.calls.size());
  EXPECT_EQ(other.digest(), kernel.digest());
  EXPECT_EQ(static_cast<Mirror&>(*copy).syncs_finished(), 1u);
}

TEST_F(ControllerTest, AnExpiredWatchStartsAgainAndReportsWhatVanished) {
  options.events = false;
  Mirror mirror(env, options);
  start(mirror);
  api.deliver(WatchEventType::kAdded, config_map("a", "1"));
  api.deliver(WatchEventType::kAdded, config_map("b", "2"));
  api.sync_all();
  kernel.run();
  EXPECT_EQ(mirror.syncs_finished(), 2u);
  api.deliver_to(&kind_of<corev1::ConfigMap>(),
                 {WatchEventType::kError, {}, Status(Code::kExpired, "too old")});
  kernel.run();
  EXPECT_EQ(api.watches(), 2u);
  api.deliver(WatchEventType::kAdded, config_map("b", "2"));
  api.sync_all();
  kernel.run();
  EXPECT_EQ(mirror.syncs_finished(), 3u) << "only a has changed: it is gone";
}

}  // namespace
}  // namespace orrery
