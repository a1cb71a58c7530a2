#include "engine/server/admission/event_rate_limit.h"

#include <gtest/gtest.h>

#include "engine/api/gen/corev1.h"
#include "tests/support/object_table.h"

namespace orrery::server {
namespace {

class EventRateLimits : public testing::Test {
 protected:
  EventRateLimits() {
    AdmissionSettings settings;
    settings.event_limits = {{"Server", 1, 4}, {"SourceAndObject", 1, 2, 1}};
    chain_ = AdmissionChain(std::move(settings));
    chain_.add(event_rate_limit());
  }
  /// An event about the object, after a time; what is said to it.
  std::string write(std::string_view about, double seconds = 0, size_t answers = 0) {
    now_ = now_ + duration_from_seconds(seconds);
    AdmissionRequest request;
    request.kind = corev1::Event::descriptor().kind;
    request.ns = "ns";
    corev1::Event event;
    event.involved_object.name = Str(about);
    request.object = api::Object::of(std::move(event));
    RngStream names(1, "test");
    const ApiRequest source;
    const std::vector<HttpCallOutcome> given(answers);
    std::vector<Str> warnings, call_uids;
    std::vector<StoreOp> writes;
    std::vector<StoreCompare> compares;
    AdmissionContext context{objects_, nullptr, now_, names, source, false, warnings, writes, compares, given, call_uids, 0, {}, nullptr};
    return chain_.validate(request, context).status.message();
  }

  test::ObjectTable objects_;
  AdmissionChain chain_;
  Time now_ = Time::from_unix_seconds(1'700'000'000);
};

TEST_F(EventRateLimits, BucketsFillAgainWithTime) {
  EXPECT_EQ(write("a"), "");
  EXPECT_EQ(write("a"), "");
  EXPECT_EQ(write("a"), "Too many requests: limit reached on type SourceAndObject for key a");
  EXPECT_EQ(write("a", 0.5), "Too many requests: limit reached on type SourceAndObject for key a");
  EXPECT_EQ(write("a", 0.5), "");
}

TEST_F(EventRateLimits, KeysBeyondTheCacheBeginAnew) {
  for (int i = 0; i < 2; ++i) EXPECT_EQ(write("a"), "");
  EXPECT_EQ(write("b"), "");
  EXPECT_EQ(write("a"), "");  // only one is remembered
  EXPECT_EQ(write("b"), "Too many requests: limit reached on type Server for key ");
}

TEST_F(EventRateLimits, ARequestThatIsAdmittedAgainIsCountedOnce) {
  EXPECT_EQ(write("a"), "");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(write("a", 0, 1), "");
  EXPECT_EQ(write("a"), "");
}

}  // namespace
}  // namespace orrery::server
